import type { AboutChange } from './audit/about.ts'

/** An answer. `about` says what it was about, for the audit; it is not sent. */
export interface Reply extends AboutChange {
  status: number
  body?: unknown
  headers?: Record<string, string>
}
