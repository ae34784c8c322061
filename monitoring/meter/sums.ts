import type { Exemplar } from '../tallies.ts'
import { allows, catalogue, instrumentOf, type Instrument } from '../catalogue.ts'

/** Why the meter does not take a value: no such instrument, other labels than its own, a value that a label
 * does not have, or too many series. */
export type Refusal = 'unknown' | 'label' | 'value' | 'full'

export type Labels = Readonly<Record<string, string>>

/** A histogram that was added up: the count in each bucket, the last of which has no upper bound. */
export interface SummedHistogram {
  counts: number[]
  sum: number
  /** The newest of each bucket that has one. */
  exemplars?: Map<number, Exemplar>
}

export interface Series<Value> {
  labels: Labels
  value: Value
}

/** Many processes make few series; a defect must not make the meter, and every Prometheus, hold millions. */
export const SERIES_MAX = 20_000

/** Counters and histograms, added up since the meter started. */
export class Sums {
  readonly #counters = new Map<string, Map<string, Series<number>>>()
  readonly #histograms = new Map<string, Map<string, Series<SummedHistogram>>>()
  readonly #seriesMax: number
  #series = 0
  #news = new Set<Series<unknown>>()

  constructor(seriesMax = SERIES_MAX) {
    this.#seriesMax = seriesMax
  }

  /** Adds to a counter. Returns why not; undefined if it did. */
  add(name: string, labels: Labels, by: number): Refusal | undefined {
    if (!isAmount(by)) return 'value'
    const series = this.counter(name, labels)
    if (typeof series === 'string') return series
    series.value += by
    return undefined
  }

  /** Returns a series of a counter, which begins with 0; or why there can't be one. */
  counter(name: string, labels: Labels): Series<number> | Refusal {
    const instrument = instrumentOf(name)
    return (
      checkLabels(instrument, 'counter', labels) ?? this.#find(this.#counters, instrument!, labels, () => 0)
    )
  }

  /** Returns a series of a histogram, which begins empty; or why there can't be one. */
  histogram(name: string, labels: Labels): Series<SummedHistogram> | Refusal {
    const instrument = instrumentOf(name)
    return checkLabels(instrument, 'histogram', labels) ?? this.#histogramOf(instrument!, labels)
  }

  /** Adds to a histogram. `counts` has a count for each bucket of the catalogue, and one for what is
   * above. */
  merge(
    name: string,
    labels: Labels,
    { counts, sum, exemplars = new Map<number, Exemplar>() }: SummedHistogram,
  ): Refusal | undefined {
    const instrument = instrumentOf(name)
    const refusal = checkLabels(instrument, 'histogram', labels)
    if (refusal) return refusal
    // What is refused must not make a series.
    if (counts.length !== bucketsOf(instrument!) || !counts.every(isCount) || !isAmount(sum)) return 'value'
    const series = this.#histogramOf(instrument!, labels)
    if (typeof series === 'string') return series
    counts.forEach((count, i) => (series.value.counts[i]! += count))
    series.value.sum += sum
    for (const [i, exemplar] of exemplars) series.value.exemplars!.set(i, exemplar)
    return undefined
  }

  /** Returns the series that came since the last call. */
  takeNews(): ReadonlySet<Series<unknown>> {
    const taken = this.#news
    this.#news = new Set()
    return taken
  }

  counters(name: string): Iterable<Series<number>> {
    return this.#counters.get(name)?.values() ?? []
  }

  histograms(name: string): Iterable<Series<SummedHistogram>> {
    return this.#histograms.get(name)?.values() ?? []
  }

  #histogramOf(instrument: Instrument, labels: Labels): Series<SummedHistogram> | 'full' {
    const empty = () => ({
      counts: Array<number>(bucketsOf(instrument)).fill(0),
      sum: 0,
      exemplars: new Map<number, Exemplar>(),
    })
    return this.#find(this.#histograms, instrument, labels, empty)
  }

  #find<Value>(
    all: Map<string, Map<string, Series<Value>>>,
    { name, type, buckets, labels: declared }: Instrument,
    labels: Labels,
    empty: () => Value,
  ): Series<Value> | 'full' {
    const series = all.get(name) ?? new Map<string, Series<Value>>()
    all.set(name, series)
    const key = labelKey(declared, labels)
    const found = series.get(key)
    if (found) return found
    const size = type === 'histogram' ? buckets!.length + 3 : 1
    if (this.#series + size > this.#seriesMax) return 'full'
    this.#series += size
    const made = { labels, value: empty() }
    series.set(key, made)
    this.#news.add(made)
    return made
  }
}

/** Returns how many buckets a histogram has, with the one that has no upper bound. */
const bucketsOf = ({ buckets = [] }: Instrument): number => buckets.length + 1

/** A counter only rises, and stays a number that a double can hold. */
export const isAmount = (value: number): boolean => Number.isFinite(value) && value >= 0 && value < 1e18

const isCount = (count: number): boolean => Number.isSafeInteger(count) && count >= 0 && count < 1e12

/** Returns the labels' values as one text, in the order of the catalogue. */
export const labelKey = (declared: Instrument['labels'], labels: Labels): string =>
  Object.keys(declared)
    .map((label) => labels[label])
    .join(' ')

/** Returns what is wrong with a value for this instrument; undefined if nothing is. */
export function checkLabels(
  instrument: Instrument | undefined,
  type: Instrument['type'],
  labels: Labels,
): Refusal | undefined {
  if (instrument?.type !== type) return 'unknown'
  const declared = Object.keys(instrument.labels)
  if (Object.keys(labels).length !== declared.length || !declared.every((label) => label in labels))
    return 'label'
  return declared.every((label) => allows(instrument.labels[label], labels[label]!)) ? undefined : 'value'
}

/** The metrics that a process may report. */
export const reported: ReadonlySet<string> = new Set(
  catalogue.filter(({ by }) => by === 'process').map(({ name }) => name),
)
