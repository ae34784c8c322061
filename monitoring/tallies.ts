import { buckets } from './buckets.ts'
import type { InstrumentName } from './catalogue.ts'

/** A value of a histogram, with the sampled trace that it belongs to. */
export interface Exemplar {
  traceId: string
  value: number
  /** Milliseconds since 1970. */
  atMs: number
}

/** A histogram: how many values lie up to each bound and above the last, and their sum. */
export class Histogram {
  readonly counts: Uint32Array
  readonly bounds: readonly number[]
  sum = 0
  /** The newest of each bucket that has one. */
  readonly exemplars = new Map<number, Exemplar>()

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Uint32Array(bounds.length + 1)
  }

  /** Adds a value; `traceId` if it belongs to a sampled trace. */
  observe(value: number, traceId?: string): void {
    const { bounds } = this
    let i = 0
    while (i < bounds.length && value > bounds[i]!) i++
    this.counts[i]!++
    this.sum += value
    if (traceId !== undefined) this.exemplars.set(i, { traceId, value, atMs: Date.now() })
  }

  add({ counts, sum, exemplars }: Histogram): void {
    for (let i = 0; i < counts.length; i++) this.counts[i]! += counts[i]!
    this.sum += sum
    for (const [i, exemplar] of exemplars) this.exemplars.set(i, exemplar)
  }
}

/** The histograms that a process observes by name, besides those of requests. The catalogue has the same
 * bounds; the processes don't load it before their port opens. */
export const observed = {
  microbank_batch_size: buckets.batch,
  microbank_cold_start_seconds: buckets.coldStart,
  microbank_database_seconds: buckets.statement,
  microbank_notification_delay_seconds: buckets.notification,
  nodejs_gc_duration_seconds: buckets.garbage,
} as const satisfies Partial<Record<InstrumentName, readonly number[]>>

export type ObservedName = keyof typeof observed

export type CountedName = Extract<InstrumentName, `${string}_total`>

/** What requests with one method, route and class of status took. */
export class RequestTally {
  readonly seconds = new Histogram(buckets.request)
  readonly requestBytes = new Histogram(buckets.size)
  readonly responseBytes = new Histogram(buckets.size)
}

/** Values by the labels that belong to them: the values of the labels other than `service`, in the order of
 * the catalogue, separated by blanks. */
export type ByLabels<Value> = Map<string, Value>

/** What was counted since the last report. */
export interface Tallied {
  counters: Map<CountedName, ByLabels<number>>
  histograms: Map<ObservedName, ByLabels<Histogram>>
  /** By route, then by method, then by the first digit of the status. */
  requests: Map<string, Map<string, RequestTally[]>>
  /** The durations of all requests, in finer buckets. */
  fine: Histogram
}

const nothing = (): Tallied => ({
  counters: new Map(),
  histograms: new Map(),
  requests: new Map(),
  fine: new Histogram(buckets.requestFine),
})

/** Counts what one process does. A request costs some hundredths of a microsecond, so it is plain numbers in
 * maps; report.ts makes metrics of them. */
export class Tallies {
  #tallied = nothing()

  /** Counts a request that was answered; `traceId` if its trace is sampled. */
  request(
    method: string,
    handler: string,
    status: number,
    seconds: number,
    requestBytes: number,
    responseBytes: number,
    traceId?: string,
  ): void {
    const { requests, fine } = this.#tallied
    let methods = requests.get(handler)
    if (methods === undefined) requests.set(handler, (methods = new Map()))
    let classes = methods.get(method)
    if (classes === undefined) methods.set(method, (classes = []))
    const tally = (classes[Math.trunc(status / 100)] ??= new RequestTally())
    tally.seconds.observe(seconds, traceId)
    tally.requestBytes.observe(requestBytes)
    tally.responseBytes.observe(responseBytes)
    fine.observe(seconds)
  }

  count(name: CountedName, labels = '', by = 1): void {
    const { counters } = this.#tallied
    let values = counters.get(name)
    if (values === undefined) counters.set(name, (values = new Map()))
    values.set(labels, (values.get(labels) ?? 0) + by)
  }

  observe(name: ObservedName, labels: string, value: number): void {
    const { histograms } = this.#tallied
    let values = histograms.get(name)
    if (values === undefined) histograms.set(name, (values = new Map()))
    let histogram = values.get(labels)
    if (histogram === undefined) values.set(labels, (histogram = new Histogram(observed[name])))
    histogram.observe(value)
  }

  /** Returns whether a request was counted since the last report. */
  get hasRequests(): boolean {
    return this.#tallied.requests.size > 0
  }

  /** Returns what was counted, and begins anew. */
  take(): Tallied {
    const taken = this.#tallied
    this.#tallied = nothing()
    return taken
  }
}
