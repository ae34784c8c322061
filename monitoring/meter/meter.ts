import type { IncomingMessage, ServerResponse } from 'node:http'
import { instrumentOf, type InstrumentName, type Sample } from '../catalogue.ts'
import { inTime } from '../in-time.ts'
import type { Log } from '../log.ts'
import { seldom } from '../seldom.ts'
import { expose, wantsOpenMetrics, type Exposed } from './expose.ts'
import { ProcessGauges } from './gauges.ts'
import { KeptSpans } from './kept-spans.ts'
import { MalformedReportError, Reports } from './receive.ts'
import {
  checkLabels,
  isAmount,
  labelKey,
  Sums,
  type Labels,
  type Refusal,
  type Series,
  type SummedHistogram,
} from './sums.ts'

/** Something besides processes that knows values: a database, the local runtime, a probe. Counters come as
 * totals. */
export type SampleSource = () => Promise<Iterable<Sample>> | Iterable<Sample>

export interface MeterOptions {
  log: Log
  /** The release that runs. */
  version: string
  /** Counters that are there with 0 before anything is counted: `increase()` needs a value to begin with. */
  zeros?: Iterable<{ name: InstrumentName; labels: Labels }>
  now?: () => number
  /** How long a source may take. */
  answerMs?: number
}

/** Prometheus on a laptop asks every five seconds, and gives up after five. */
const ANSWER_MS_MAX = 4_000

/** Adds up what processes report, asks what else knows values, and shows everything to Prometheus. It always
 * runs, and a function never has to be asked. */
export class Meter {
  /** The last spans that processes sent. */
  readonly spans = new KeptSpans()
  readonly #sums = new Sums()
  readonly #gauges: ProcessGauges
  readonly #reports: Reports
  readonly #sources: SampleSource[] = []
  readonly #log: Log
  readonly #answerMs: number
  readonly #sayRefused: ReturnType<typeof seldom>

  constructor({ log, version, zeros = [], now, answerMs = ANSWER_MS_MAX }: MeterOptions) {
    this.#log = log
    this.#answerMs = answerMs
    this.#sayRefused = seldom(log.warn)
    this.#gauges = new ProcessGauges(now)
    this.#reports = new Reports(this.#sums, this.#gauges, now)
    for (const { name, labels } of [...zeros, ...OWN_ZEROS]) this.add(name, labels, 0)
    this.addSource(() => [{ name: 'microbank_build_info', labels: { version }, value: 1 }])
  }

  /** Asks this source whenever the values are shown. */
  addSource(source: SampleSource): void {
    this.#sources.push(source)
  }

  /** Adds to a counter. */
  add(name: InstrumentName, labels: Labels, by = 1): void {
    this.#refused(name, this.#sums.add(name, labels, by))
  }

  /** Adds a value to a histogram. */
  observe(name: InstrumentName, labels: Labels, value: number): void {
    // What is refused must not make a series.
    if (isAmount(value)) this.histogram(name, labels)(value)
    else this.#refused(name, 'value')
  }

  /** Returns what adds one to a counter, for who counts often: the labels are checked once. */
  counter(name: InstrumentName, labels: Labels): () => void {
    const series = this.#sums.counter(name, labels)
    return typeof series === 'string' ? () => this.#refused(name, series) : () => void series.value++
  }

  /** Returns what adds a value to a histogram, likewise. */
  histogram(name: InstrumentName, labels: Labels): (value: number) => void {
    const series = this.#sums.histogram(name, labels)
    if (typeof series === 'string') return () => this.#refused(name, series)
    const { value: summed } = series
    const bounds = instrumentOf(name)!.buckets!
    return (value) => {
      if (!isAmount(value)) return this.#refused(name, 'value')
      let i = 0
      while (i < bounds.length && value > bounds[i]!) i++
      summed.counts[i]!++
      summed.sum += value
    }
  }

  /** Takes the text of a report: OTLP in JSON. Returns the number of points that were refused. Throws a
   * MalformedReportError. */
  take(text: string): number {
    try {
      const outcomes = this.#reports.take(text)
      for (const { result } of outcomes) this.add('microbank_meter_reports_total', { result })
      const refused = outcomes.flatMap((outcome) => outcome.refused)
      for (const { name, reason } of refused) this.#refused(name, reason)
      return refused.length
    } catch (error) {
      if (error instanceof MalformedReportError)
        this.add('microbank_meter_reports_total', { result: 'malformed' })
      throw error
    }
  }

  /** The series of a histogram, added up since the meter started. */
  histograms(name: InstrumentName): Iterable<Series<SummedHistogram>> {
    return this.#sums.histograms(name)
  }

  /** Resolves with all values. A source that fails, or does not answer in time, is left out and logged.
   *
   * Prometheus gets a new series of processes with 0, and with its value when it asks again: it sees no
   * increase in a counter that begins with 1. If it asks for the last time (`isLast`), it gets the value. */
  async expose(accept = '', { isLast = false } = {}): Promise<Exposed> {
    const ofProcesses = this.#gauges.series((name) => this.#refused(name, 'full'))
    const samples = new Map<string, Map<string, Series<number>>>(ofProcesses)
    const given = await Promise.all(this.#sources.map((source) => this.#ask(source)))
    for (const { name, labels, value } of given.flat()) {
      const instrument = instrumentOf(name)
      const refusal = instrument ? checkLabels(instrument, instrument.type, labels) : 'unknown'
      this.#refused(name, refusal)
      if (refusal) continue
      const series = samples.get(name) ?? new Map<string, Series<number>>()
      samples.set(name, series.set(labelKey(instrument!.labels, labels), { labels, value }))
    }
    const sums = this.#sums
    const news = wantsOpenMetrics(accept) && !isLast ? sums.takeNews() : new Set()
    const begun = <Value>(all: Iterable<Series<Value>>, zeroOf: (value: Value) => Value): Series<Value>[] =>
      [...all].map((series) => (news.has(series) ? { ...series, value: zeroOf(series.value) } : series))
    return expose(
      {
        values: (name) => [...begun(sums.counters(name), () => 0), ...(samples.get(name)?.values() ?? [])],
        histograms: (name) => begun(sums.histograms(name), emptyOf),
      },
      accept,
    )
  }

  async #ask(source: SampleSource): Promise<Sample[]> {
    try {
      let given: Iterable<Sample> = []
      const asked = (async () => (given = await source()))()
      if (!(await inTime(this.#answerMs, asked))) throw new Error('it did not answer in time')
      return [...given]
    } catch (error) {
      this.#log.warn('a source of metrics failed', { error: (error as Error).message })
      return []
    }
  }

  #refused(name: string, reason: Refusal | undefined): void {
    if (!reason) return
    this.#sums.add('microbank_meter_refused_total', { reason }, 1)
    this.#sayRefused('metrics were refused', { name, reason })
  }
}

const emptyOf = ({ counts }: SummedHistogram): SummedHistogram => ({ counts: counts.map(() => 0), sum: 0 })

const OWN_ZEROS: { name: InstrumentName; labels: Labels }[] = [
  ...['taken', 'repeated', 'malformed'].map((result) => ({
    name: 'microbank_meter_reports_total' as const,
    labels: { result },
  })),
  ...['unknown', 'label', 'value', 'full'].map((reason) => ({
    name: 'microbank_meter_refused_total' as const,
    labels: { reason },
  })),
]

const REPORT_BYTES_MAX = 4 * 1024 * 1024

/** Handles `POST /v1/metrics` (OTLP over HTTP, in JSON: https://opentelemetry.io/docs/specs/otlp/). Answers
 * 200, with the number of refused points if some were; 400 to what is no report; 413 to more than 4 MB. */
export function receiveReport(
  meter: Pick<Meter, 'take'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  receive(request, response, (text) => {
    const refused = meter.take(text)
    return refused === 0 ? {} : { partialSuccess: { rejectedDataPoints: String(refused) } }
  })
}

/** Handles `POST /v1/traces` likewise. */
export function receiveSpans(
  { spans }: Pick<Meter, 'spans'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  receive(request, response, (text) => {
    const refused = spans.take(text)
    return refused === 0 ? {} : { partialSuccess: { rejectedSpans: String(refused) } }
  })
}

function receive(request: IncomingMessage, response: ServerResponse, take: (text: string) => object): void {
  // Chunks are copied: a kept chunk would keep the whole buffer that it was read into.
  let body: Buffer = Buffer.alloc(0)
  let bytes = 0
  const answer = (status: number, said: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said))
  request.on('data', (chunk: Buffer) => {
    const at = bytes
    bytes += chunk.length
    if (bytes > REPORT_BYTES_MAX) body = Buffer.alloc(0)
    else {
      // Most reports come in one chunk.
      if (bytes > body.length) body = grown(body, at === 0 ? bytes : Math.min(bytes * 2, REPORT_BYTES_MAX))
      chunk.copy(body, at)
    }
  })
  request.on('end', () => {
    if (bytes > REPORT_BYTES_MAX) return answer(413, { message: 'A report has at most 4 MB.' })
    try {
      answer(200, take(body.toString('utf8', 0, bytes)))
    } catch (error) {
      // Whatever is sent, the meter must not end.
      const { message } = error as Error
      if (error instanceof MalformedReportError) answer(400, { message })
      else answer(500, { message: `The report could not be read: ${message}` })
    }
  })
}

function grown(buffer: Buffer, bytes: number): Buffer {
  const larger = Buffer.allocUnsafe(bytes)
  buffer.copy(larger)
  return larger
}
