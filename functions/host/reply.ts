import type { AboutChange } from './audit/about.ts'

/** An answer. `about` says what it was about, for the audit; it is not sent. */
export interface Reply extends AboutChange {
  status: number
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, in place of `body`; the headers say what it is. */
  text?: string | undefined
  headers?: Record<string, string>
}
