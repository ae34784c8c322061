import { useSyncExternalStore } from 'react'

const MINUTE_MS = 60_000
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

function tick(): void {
  now = Date.now()
  for (const listen of listeners) listen()
}

function subscribe(listen: () => void): () => void {
  listeners.add(listen)
  timer ??= setInterval(tick, MINUTE_MS)
  return () => {
    listeners.delete(listen)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Returns the time in milliseconds, anew each minute. One timer for the whole page. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now)
