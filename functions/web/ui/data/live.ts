import { useSyncExternalStore } from 'react'

/** Whether news come by themselves: `paused` while nobody looks, `away` if the stream fails. Undefined before
 * a stream begins. */
export type LiveState = 'live' | 'paused' | 'away' | undefined

let state: LiveState
const listeners = new Set<() => void>()

/** Says how the stream does. */
export function setLive(next: LiveState): void {
  state = next
  for (const listen of listeners) listen()
}

export const useLive = (): LiveState =>
  useSyncExternalStore(
    (listen) => {
      listeners.add(listen)
      return () => listeners.delete(listen)
    },
    () => state,
  )
