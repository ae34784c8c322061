import pg from 'pg'
import { openConnectionPool, type ConnectionPool } from '../../../eventing/database/connection-pool.ts'

export interface PoolSettings {
  /** postgres:// URL. */
  url: string
  /** Most connections open at one time. */
  max: number
  /** Shown to the database's operator. */
  name: string
  /** Milliseconds to open a connection. */
  connectMs: number
  /** Milliseconds for each statement. */
  statementMs: number
}

/** Opens a pool with the driver. database.ts loads this file when it first needs a connection, because the
 * driver is as large as a function. */
export function openPool({ url, max, name, connectMs, statementMs }: PoolSettings): ConnectionPool {
  const types = new pg.TypeOverrides()
  types.setTypeParser(pg.types.builtins.INT8, BigInt)
  return openConnectionPool(pg, {
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: connectMs,
    query_timeout: statementMs,
    idleTimeoutMillis: 30_000,
    types,
  })
}
