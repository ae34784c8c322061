import type { Pool, PoolClient, QueryResultRow } from 'pg'
import type { Log } from '../../monitoring/log.ts'
import { UnavailableError } from './problems.ts'
import { timeFirstQuery } from './start-timing.ts'

/** A statement; with a name it is prepared once per connection. */
export interface Statement {
  name?: string
  text: string
  values?: unknown[]
  /** Traceparents of the requests that it is for: then it shows up in their traces. */
  traceparents?: readonly string[]
}

export interface Transaction {
  /** Rows of one statement. int8 comes as bigint, timestamptz as Date, numeric as string. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]>
}

export interface Database extends Transaction {
  /** Runs `work` in one database transaction; a deadlock or serialization failure repeats it (three times at
   * the most), so `work` must have no effect outside the database. `traceparent` is that of the request it is for. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, traceparent?: string): Promise<T>
  close(): Promise<void>
}

const REPEATABLE = new Set(['40001', '40P01'])
// Classes of SQLSTATE that say the server is away, starting, stopping or full: 08 connection, 53 resources, 57 operator.
const UNAVAILABLE = /^(08|53|57)/
const ATTEMPTS = 4

/** Opens nothing until the first query: a cold start must not wait for a database it may not need. */
export function openDatabase(options: { url: string; poolMax: number; name: string; log: Log }): Database {
  let pool: Promise<Pool> | undefined

  const open = async (): Promise<Pool> => {
    const { default: pg } = await import('pg')
    const types = new pg.TypeOverrides()
    types.setTypeParser(pg.types.builtins.INT8, BigInt)
    const opened = new pg.Pool({
      connectionString: options.url,
      max: options.poolMax,
      application_name: options.name,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      types,
    })
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    opened.on('error', (error) => options.log.warn('idle database connection lost', { error: error.message }))
    return opened
  }

  const connect = async (): Promise<PoolClient> => {
    pool ??= open()
    try {
      return await (await pool).connect()
    } catch (error) {
      throw unavailable(error)
    }
  }

  const query = async <Row extends QueryResultRow>(statement: Statement): Promise<Row[]> => {
    const client = await connect()
    return settle(client, async () => (await client.query<Row>(statement)).rows)
  }

  const transaction = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(work)
      } catch (error) {
        if (attempt === ATTEMPTS || !REPEATABLE.has(sqlstate(error) ?? '')) throw error
      }
    }
  }

  const once = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const client = await connect()
    return settle(client, async () => {
      await client.query('begin')
      try {
        const result = await work({ query: async (statement) => (await client.query(statement)).rows })
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch(() => {})
        throw error
      }
    })
  }

  return {
    query: <Row extends QueryResultRow>(statement: Statement) => timeFirstQuery(() => query<Row>(statement)),
    transaction: (work) => timeFirstQuery(() => transaction(work)),
    close: async () => {
      if (pool) await (await pool).end()
    },
  }
}

/** Gives the connection back; a broken one is thrown away rather than reused. */
async function settle<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  let broken = false
  // A connection can die between two statements; the statement that follows reports it.
  const onError = (): void => void (broken = true)
  client.on('error', onError)
  try {
    return await work()
  } catch (error) {
    if (!isConnectionError(error)) throw error
    broken = true
    throw unavailable(error)
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

const unavailable = (cause: unknown): UnavailableError =>
  new UnavailableError('the database did not answer', { cause })

/** The five-character SQLSTATE of an error that Postgres reported. */
export function sqlstate(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

function isConnectionError(error: unknown): boolean {
  const state = sqlstate(error)
  if (state !== undefined) return UNAVAILABLE.test(state)
  const { code, message } = error as { code?: string; message?: string }
  return (
    /^E(CONN|PIPE|HOST|NET|TIMEDOUT)/.test(code ?? '') ||
    /connection terminated|connection error|timeout exceeded/i.test(message ?? '')
  )
}
