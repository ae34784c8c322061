import type { Fields } from './log.ts'

const EVERY_MS = 10_000

/** A line for what may happen hundreds of times a second: it is written the first time, and then at most once
 * in `everyMs`, with `left_out`, the number of those that were not. */
export function seldom(
  write: (message: string, fields: Fields) => void,
  everyMs = EVERY_MS,
): (message: string, fields?: Fields) => void {
  let nextAt = 0
  let leftOut = 0
  return (message, fields) => {
    if (performance.now() < nextAt) return void leftOut++
    nextAt = performance.now() + everyMs
    write(message, { ...fields, ...(leftOut > 0 && { left_out: leftOut }) })
    leftOut = 0
  }
}
