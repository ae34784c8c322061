/** Who measures: a function process, a query of a context's database, the platform (on a laptop the local
 * runtime), or the meter itself. */
export type MeasuredBy = 'process' | 'fact' | 'platform' | 'meter'

/** The values of a label: all of them, or their form if code and manifests name them. An id, a name of a
 * person, an address, an amount or a trace id is never a label. */
export type LabelValues = readonly string[] | NamedValues

export interface NamedValues {
  /** What they are names of. */
  of: string
  pattern: RegExp
}

/** A metric as the bank defines it. */
export interface Instrument {
  /** The name in Prometheus, with its unit. */
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  /** What one is. */
  unit: string
  /** In the order in which they are shown. */
  labels: Readonly<Record<string, LabelValues>>
  /** Upper bounds of a histogram, without infinity. */
  buckets?: readonly number[]
  /** For a gauge of processes: what the meter makes of those of one Service. */
  over?: 'sum' | 'max' | 'min'
  by: MeasuredBy
  /** The question that it answers. */
  why: string
}

/** One value, as a source other than a process gives it to the meter. */
export interface Sample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
}
