/** How this process started, told once to whoever is answered first, in the header Server-Timing
 * (https://www.w3.org/TR/server-timing/): browsers show it in their developer tools, the local runtime reads
 * it. It says durations in ms, nothing of the bank. State of the module, because it is a fact about the
 * process. */
const told = { start: false, query: false }
let name = ''
let listeningMs: number | undefined
let queryMs: number | undefined

/** To be called when the port is open. @param service name of the function, as its Service has it */
export function portOpened(service: string): void {
  name = service
  listeningMs = performance.now()
}

/** Runs `work`, which asks the database, and times it as long as no such work of this process has succeeded:
 * the first one also loads the driver and connects. */
export function timeFirstQuery<T>(work: () => Promise<T>): Promise<T> {
  return queryMs === undefined ? timed(work) : work()
}

async function timed<T>(work: () => Promise<T>): Promise<T> {
  const askedAt = performance.now()
  const result = await work()
  queryMs ??= performance.now() - askedAt
  return result
}

/** Value of Server-Timing for the answer that leaves now; undefined for nearly all. The first answer says how
 * the process came up (`boot`: Node itself, `load`: from there to the open port), and one says how long its
 * first query took (`db`). Each has the function's name with it, because an answer may pass through several
 * functions. */
export function startTiming(): string | undefined {
  if (told.start && (told.query || queryMs === undefined)) return undefined
  const durations: [string, number][] = []
  if (!told.start && listeningMs !== undefined) {
    const { bootstrapComplete } = performance.nodeTiming
    durations.push(['boot', bootstrapComplete], ['load', listeningMs - bootstrapComplete])
    told.start = true
  }
  if (!told.query && queryMs !== undefined) {
    durations.push(['db', queryMs])
    told.query = true
  }
  return durations.map(([what, ms]) => `${what};dur=${ms.toFixed(1)};desc="${name}"`).join(', ') || undefined
}

/** The header's value for an answer that is passed on from another function, whose own value is `theirs`. */
export function withStartTiming(theirs: string | string[] | undefined): string | undefined {
  const timings = [startTiming(), theirs].flat().filter((timing) => timing !== undefined)
  return timings.length > 0 ? timings.join(', ') : undefined
}
