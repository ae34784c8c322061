import { instrumentOf } from '../catalogue.ts'
import { labelKey, SERIES_MAX, type Series } from './sums.ts'

const FORGET_MS = 90_000
/** Processes, and values of all of them. Beyond that the oldest are forgotten. */
const INSTANCES_MAX = 10_000
const VALUES_MAX = 200_000

interface GaugeOf extends Series<number> {
  name: string
}

/** The gauges of processes. Those of a process stay until its next report; its last report has none. A
 * process that was killed is forgotten after 90 seconds. */
export class ProcessGauges {
  readonly #byInstance = new Map<string, { at: number; gauges: readonly GaugeOf[] }>()
  #values = 0
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Replaces the gauges of a process. */
  set(instance: string, gauges: readonly GaugeOf[]): void {
    // The oldest come first, also if nobody ever asks for the series.
    this.#remove(instance)
    this.#forget()
    if (gauges.length === 0) return
    this.#byInstance.set(instance, { at: this.#now(), gauges })
    this.#values += gauges.length
  }

  /** Returns the series of each gauge: the sum, maximum or minimum over processes, as the catalogue says.
   * `refuse` is told the name of each value that would be a series too many. */
  series(refuse: (name: string) => void): Map<string, Map<string, Series<number>>> {
    const all = new Map<string, Map<string, Series<number>>>()
    let made = 0
    this.#forget()
    for (const { gauges } of this.#byInstance.values())
      for (const gauge of gauges) {
        const outcome = combine(all, gauge, made < SERIES_MAX)
        if (outcome === 'made') made++
        if (outcome === 'full') refuse(gauge.name)
      }
    return all
  }

  #forget(): void {
    for (const [instance, { at }] of this.#byInstance) {
      const isRoom = this.#byInstance.size < INSTANCES_MAX && this.#values < VALUES_MAX
      if (this.#now() - at <= FORGET_MS && isRoom) return
      this.#remove(instance)
    }
  }

  #remove(instance: string): void {
    this.#values -= this.#byInstance.get(instance)?.gauges.length ?? 0
    this.#byInstance.delete(instance)
  }
}

/** Adds a value to its series. If there is none, makes it, provided that there is room. */
function combine(
  all: Map<string, Map<string, Series<number>>>,
  { name, labels, value }: GaugeOf,
  isRoom: boolean,
): 'made' | 'combined' | 'full' {
  const { over, labels: declared } = instrumentOf(name)!
  const series = all.get(name) ?? new Map<string, Series<number>>()
  const key = labelKey(declared, labels)
  const there = series.get(key)?.value
  if (there === undefined && !isRoom) return 'full'
  all.set(name, series)
  const combined =
    there === undefined ? value : over === 'sum' ? there + value : Math[over ?? 'max'](there, value)
  series.set(key, { labels, value: combined })
  return there === undefined ? 'made' : 'combined'
}
