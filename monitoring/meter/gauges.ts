import { instrumentOf } from '../catalogue.ts'
import { labelKey, type Labels, type Series } from './sums.ts'

const FORGET_MS = 90_000
const INSTANCES_MAX = 10_000

interface GaugeOf extends Series<number> {
  name: string
}

/** The gauges of processes. Those of a process stay until its next report; its last report has none. A
 * process that was killed is forgotten after 90 seconds. */
export class ProcessGauges {
  readonly #byInstance = new Map<string, { at: number; gauges: readonly GaugeOf[] }>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Replaces the gauges of a process. */
  set(instance: string, gauges: readonly GaugeOf[]): void {
    // The oldest come first, also if nobody ever asks for the series.
    this.#byInstance.delete(instance)
    this.#forget()
    if (gauges.length > 0) this.#byInstance.set(instance, { at: this.#now(), gauges })
  }

  /** Returns the series of each gauge: the sum, maximum or minimum over processes, as the catalogue says. */
  series(): Map<string, Map<string, Series<number>>> {
    const all = new Map<string, Map<string, Series<number>>>()
    this.#forget()
    for (const { gauges } of this.#byInstance.values())
      for (const { name, labels, value } of gauges) combine(all, name, labels, value)
    return all
  }

  #forget(): void {
    for (const [instance, { at }] of this.#byInstance) {
      if (this.#now() - at <= FORGET_MS && this.#byInstance.size < INSTANCES_MAX) return
      this.#byInstance.delete(instance)
    }
  }
}

function combine(
  all: Map<string, Map<string, Series<number>>>,
  name: string,
  labels: Labels,
  value: number,
): void {
  const { over, labels: declared } = instrumentOf(name)!
  const series = all.get(name) ?? new Map<string, Series<number>>()
  all.set(name, series)
  const key = labelKey(declared, labels)
  const there = series.get(key)?.value
  const combined =
    there === undefined ? value : over === 'sum' ? there + value : Math[over ?? 'max'](there, value)
  series.set(key, { labels, value: combined })
}
