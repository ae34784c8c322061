/** Returns the five-character SQLSTATE of an error that Postgres reported; undefined for other errors. */
export function sqlstate(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

// 25006: the database is read-only. It is a standby, or a primary that was replaced; another server may be
// writable.
const READ_ONLY = '25006'
// Connection exceptions (class 08), time-outs that end the session (25P03, 25P04), and a server that stops,
// crashes or starts (57P01 to 57P05).
const SESSION_OVER = /^(08|25P0[34]|57P)/
// Class 53: disk, memory or connections are used up. 57014: a statement took too long. 55P03: a lock took too
// long. Class 58: the disk fails.
const REFUSED = /^(53|57014|55P03|58)/

/** Returns whether the connection is useless after this error: it is broken or silent, or its database is
 * read-only. */
export function isLost(error: unknown): boolean {
  const state = sqlstate(error)
  if (state !== undefined) return state === READ_ONLY || SESSION_OVER.test(state)
  const { code, message } = (error ?? {}) as { code?: string; message?: string }
  return (
    /^(E(CONN|PIPE|HOST|NET|TIMEDOUT)|ERR_STREAM)/.test(code ?? '') ||
    /connection terminated|connection error|timeout exceeded|read timeout|not queryable/i.test(message ?? '')
  )
}

/** Returns whether the database has rolled back the statement for a reason that will pass. */
export function isRefused(error: unknown): boolean {
  const state = sqlstate(error)
  return state !== undefined && (state === READ_ONLY || REFUSED.test(state))
}
