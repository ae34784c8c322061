/** The five-character SQLSTATE of an error that Postgres reported. */
export function sqlstate(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

// 25006 is a database that only reads: a standby, or a primary that has been replaced. Others may be written
// to.
const READ_ONLY = '25006'
// Connection exceptions, the time-outs that end a session, and a server that stops, crashes or starts (57P01
// to 57P05).
const SESSION_OVER = /^(08|25P0[34]|57P)/
// Full: disk, memory, connections (class 53). Took too long: a statement (57014), a lock (55P03). A disk that
// fails (58).
const REFUSED = /^(53|57014|55P03|58)/

/** Whether the connection is of no use after this error: broken, silent, or to a database that can't be
 * written to. */
export function isLost(error: unknown): boolean {
  const state = sqlstate(error)
  if (state !== undefined) return state === READ_ONLY || SESSION_OVER.test(state)
  const { code, message } = (error ?? {}) as { code?: string; message?: string }
  return (
    /^(E(CONN|PIPE|HOST|NET|TIMEDOUT)|ERR_STREAM)/.test(code ?? '') ||
    /connection terminated|connection error|timeout exceeded|read timeout|not queryable/i.test(message ?? '')
  )
}

/** Whether the database has undone the statement for a reason that passes. */
export function isRefused(error: unknown): boolean {
  const state = sqlstate(error)
  return state !== undefined && (state === READ_ONLY || REFUSED.test(state))
}
