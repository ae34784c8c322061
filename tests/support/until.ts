import { setTimeout as delay } from 'node:timers/promises'

/** The clock of the machine, whatever a test does to that of the code. */
const now = performance.now.bind(performance)

/** The pauses between two looks, if none are given. Most conditions are met soon. While others are awaited,
 * what is looked at needs the processor itself. */
const FIRST_PAUSE_MS = 5
const PAUSE_MS_MAX = 50

export interface UntilOptions {
  timeoutMs?: number
  everyMs?: number
  /** What is awaited, for the error message. */
  what?: string
}

/** Waits until `condition` returns a truthy value, and resolves with it. A condition that throws is not met
 * yet. Throws after the deadline, with what was last seen. */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 90_000, everyMs, what = 'the condition' }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = now() + timeoutMs
  let pauseMs = everyMs ?? FIRST_PAUSE_MS
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>
      last = value
    } catch (error) {
      last = error
    }
    if (now() > deadline) {
      const seen = last instanceof Error ? last.message : String(last)
      throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${seen}`)
    }
    await delay(pauseMs)
    pauseMs = everyMs ?? Math.min(pauseMs * 1.2, PAUSE_MS_MAX)
  }
}
