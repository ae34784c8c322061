import type { Log } from './log.ts'

/** Values that are read when a report is made. The key has the labels' values, as in Tallies. */
export type ReadGauge = () => Readonly<Record<string, number>>

export type ReadableGauge = 'microbank_database_pool' | 'microbank_publish_waiting'

/** Where the metrics of a process go, and whose they are. */
export interface ReportSettings {
  /** URL that takes metrics as OTLP over HTTP: of the meter, or of any collector. */
  endpoint: string
  /** Headers of reports that leave the cluster: they may hold a key. */
  headers: Readonly<Record<string, string>>
  /** Where reports to names of a cluster go if there is none. */
  gateway: { host: string; port: number } | undefined
  service: string
  revision: string
  /** What tells the process from others of the service; if omitted, the reports get one of their own. */
  instance?: string
  /** The public keys by which the process checks tokens and calls. Their dates are reported. */
  keys?: () => readonly Readonly<Record<string, unknown>>[]
  log: Log
}
