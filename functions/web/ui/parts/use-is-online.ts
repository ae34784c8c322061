import { useSyncExternalStore } from 'react'

/** When the network went away, in milliseconds; undefined while it is there. */
let since = navigator.onLine ? undefined : Date.now()

function subscribe(listen: () => void): () => void {
  const change = (): void => {
    since = navigator.onLine ? undefined : (since ?? Date.now())
    listen()
  }
  addEventListener('online', change)
  addEventListener('offline', change)
  return () => {
    removeEventListener('online', change)
    removeEventListener('offline', change)
  }
}

/** Returns since when the browser has no network, in milliseconds; undefined if it has one. */
export const useOfflineSince = (): number | undefined => useSyncExternalStore(subscribe, () => since)

/** Returns whether the browser has a network. Without one, buttons that move money are off. */
export const useIsOnline = (): boolean => useOfflineSince() === undefined
