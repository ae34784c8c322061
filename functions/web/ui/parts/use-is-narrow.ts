import { useSyncExternalStore } from 'react'

const narrow = matchMedia('(max-width: 719.9px)')

function subscribe(listen: () => void): () => void {
  narrow.addEventListener('change', listen)
  return () => narrow.removeEventListener('change', listen)
}

/** Returns whether the window is narrower than 720 px. */
export const useIsNarrow = (): boolean => useSyncExternalStore(subscribe, () => narrow.matches)
