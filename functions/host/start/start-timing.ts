import type { Attributes } from '@opentelemetry/api'
import type { Metrics } from '../../../monitoring/metrics.ts'

/** How this process started. The first answer tells it, once, in the header Server-Timing
 * (https://www.w3.org/TR/server-timing/): browsers show it in their developer tools, and the local runtime
 * reads it. It holds durations in milliseconds, nothing about the bank. This is state of the module because
 * it is a fact about the process. */
const told = { start: false, query: false }
let name = ''
let listeningMs: number | undefined
let queryMs: number | undefined

let metrics: Pick<Metrics, 'observe'> | undefined

/** Records that the port is open. `service` is the name of the function's Service. */
export function portOpened(service: string, measured?: Pick<Metrics, 'observe'>): void {
  name = service
  listeningMs = performance.now()
  metrics = measured
  const { bootstrapComplete } = performance.nodeTiming
  observe('boot', bootstrapComplete)
  observe('load', listeningMs - bootstrapComplete)
}

/** What the spans of this process say of it: when Node started, how long it took until the port was open, and
 * the memory that it holds now. */
export const processFacts = (): Attributes => ({
  'process.creation.time': new Date(performance.timeOrigin).toISOString(),
  'microbank.port_open_ms': Math.round((listeningMs ?? 0) * 10) / 10,
  'microbank.memory_bytes': process.memoryUsage.rss(),
})

const observe = (phase: string, ms: number): void =>
  metrics?.observe('microbank_cold_start_seconds', phase, ms / 1000)

/** Runs `work`, which queries the database, and measures the first one that succeeds: it also waits for the
 * driver and the connection, if they are not there yet. */
export function timeFirstQuery<T>(work: () => Promise<T>): Promise<T> {
  return queryMs === undefined ? timed(work) : work()
}

async function timed<T>(work: () => Promise<T>): Promise<T> {
  const askedAt = performance.now()
  const result = await work()
  if (queryMs === undefined) {
    queryMs = performance.now() - askedAt
    observe('first-query', queryMs)
  }
  return result
}

/** Returns the value of Server-Timing for the answer that is sent now; undefined for nearly all. The first
 * answer says how the process started (`boot`: Node itself, `load`: from there to the open port). One answer
 * says how long the first query took (`db`). Each duration carries the function's name, because an answer may
 * pass through several functions. */
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

/** Returns the header's value for an answer passed on from another function, whose own value is `theirs`. */
export function withStartTiming(theirs: string | string[] | undefined): string | undefined {
  const timings = [startTiming(), theirs].flat().filter((timing) => timing !== undefined)
  return timings.length > 0 ? timings.join(', ') : undefined
}
