import type { PoolClient, QueryResultRow } from 'pg'
import type { Log } from '../../../monitoring/log.ts'
import type { Metrics } from '../../../monitoring/metrics.ts'
import type { ConnectionPool } from '../../../eventing/database/connection-pool.ts'
import { isLost, isRefused, sqlstate } from '../../../eventing/database/database-errors.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import { timeFirstQuery } from '../start/start-timing.ts'

/** An SQL statement. One with a name is prepared once per connection. */
export interface Statement {
  name?: string
  text: string
  values?: unknown[]
  /** Traceparents of the requests that the statement is for. It appears in their traces. */
  traceparents?: readonly string[]
}

export interface Transaction {
  /** Returns the rows of one statement. int8 becomes bigint, timestamptz becomes Date, numeric becomes
   * string. Rejects with UnavailableError if the database is unreachable, silent, full or read-only. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]>
}

export { sqlstate }

export interface DatabaseOptions {
  /** postgres:// URL. */
  url: string
  /** Most connections open at one time. */
  poolMax: number
  /** Shown to the database's operator, so that they know whose connections these are. */
  name: string
  log: Log
  /** Milliseconds for each statement; after that, its connection counts as dead. The database itself ends a
   * function's statement sooner (see knative/postgres), so this is for a database that no longer answers. */
  timeoutMs?: number
  /** Milliseconds to wait for a connection. If omitted, as long as for a statement, but at most 5 s. */
  connectMs?: number
  metrics?: Pick<Metrics, 'count' | 'observe' | 'gauge'>
}

/** A statement outside a transaction is one of its own. Both run again, at most three times, after a deadlock
 * or a serialization failure, which has undone all of them. */
export interface Database extends Transaction {
  /** Runs `work` in one database transaction and returns its result. `traceparent` is that of the request.
   * `work` may run again, so it must have no effect outside the database. Rejects with UnavailableError as
   * query() does. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, traceparent?: string): Promise<T>
  close(): Promise<void>
}

export interface OpenDatabase extends Database {
  /** Loads the driver and begins to open a connection, which the next query takes. Resolves when the
   * connection has begun. If it fails, nobody is told: a query would fail too, and say why. */
  connect(): Promise<void>
}

const REPEATABLE = new Set(['40001', '40P01'])
const ATTEMPTS = 4
const TIMEOUT_MS = 10_000
const CONNECT_MS_MAX = 5_000

/** Returns a database client. It connects at the first query, because a cold start must not wait for a
 * database that it may not need. */
export function openDatabase(options: DatabaseOptions): OpenDatabase {
  let opening: Promise<ConnectionPool> | undefined
  /** The connection that connect() opens, until a query takes it. */
  let ahead: Promise<PoolClient> | undefined
  let pool: ConnectionPool['pool'] | undefined
  const { metrics } = options
  metrics?.gauge('microbank_database_pool', () => ({
    busy: pool ? pool.totalCount - pool.idleCount : 0,
    idle: pool?.idleCount ?? 0,
    waiting: pool?.waitingCount ?? 0,
  }))
  const countError = (error: unknown): void =>
    metrics?.count('microbank_database_errors_total', sqlstate(error) ?? (isLost(error) ? 'lost' : ''))

  const open = async (): Promise<ConnectionPool> => {
    const { openPool } = await import('./open-pool.ts')
    const { url, poolMax: max, name, timeoutMs = TIMEOUT_MS } = options
    const { connectMs = Math.min(timeoutMs, CONNECT_MS_MAX) } = options
    const opened = openPool({ url, max, name, connectMs, statementMs: timeoutMs })
    ;({ pool } = opened)
    // The pool replaces an idle connection that breaks. Without a listener, the error would end the process.
    opened.pool.on('error', (error) =>
      options.log.warn('idle database connection lost', { error: error.message }),
    )
    return opened
  }

  const lend = async (): Promise<PoolClient> => (await (opening ??= open())).connect()

  const take = async (): Promise<PoolClient> => {
    const { connect } = await (opening ??= open())
    const taken = ahead ?? connect()
    ahead = undefined
    return taken.catch((error: unknown) => {
      countError(error)
      throw new UnavailableError('the database did not answer', { cause: error })
    })
  }

  /** Runs `work` on a connection from the pool and gives it back. A broken connection is thrown away. */
  const use = async <T>(work: (lease: Lease) => Promise<T>): Promise<T> => {
    const client = await take()
    const lease: Lease = { client, isBroken: false, mayBeDone: false }
    // A connection can die between two statements; the next statement reports it.
    const onError = (): void => void (lease.isBroken = true)
    client.on('error', onError)
    try {
      return await work(lease)
    } catch (error) {
      countError(error)
      if (isLost(error)) {
        lease.isBroken = true
        throw lost(error, lease)
      }
      if (!isRefused(error)) throw error
      throw new UnavailableError('the database could not do this now, and nothing was changed', {
        cause: error,
      })
    } finally {
      client.off('error', onError)
      client.release(lease.isBroken)
    }
  }

  const query = <Row extends QueryResultRow>(statement: Statement): Promise<Row[]> =>
    again(() =>
      use(async (lease) => {
        lease.mayBeDone = true
        return run<Row>(lease.client, statement)
      }),
    )

  /** Runs one statement, and measures it. */
  const run = async <Row extends QueryResultRow>(
    client: PoolClient,
    statement: Statement,
  ): Promise<Row[]> => {
    const askedAt = performance.now()
    const { rows } = await client.query<Row>(statement)
    const seconds = (performance.now() - askedAt) / 1000
    metrics?.observe('microbank_database_seconds', statement.name ?? 'unnamed', seconds)
    return rows
  }

  const transaction = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
    again(() => use((lease) => once(lease, work, run)))

  return {
    async connect() {
      if (opening) return
      const keep = (client?: PoolClient): void => {
        if (ahead) client?.release()
        ahead = undefined
      }
      ahead = lend()
      ahead.then(keep, () => keep())
      await opening!.catch(() => undefined)
    },
    query: <Row extends QueryResultRow>(statement: Statement) => timeFirstQuery(() => query<Row>(statement)),
    transaction: (work) => timeFirstQuery(() => transaction(work)),
    close: async () => {
      if (opening) await (await opening).pool.end()
    },
  }
}

/** Does something again that a deadlock or a serialization failure has undone, at most three times. */
async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0 || !REPEATABLE.has(sqlstate(error) ?? '')) throw error
    }
  }
}

/** A connection, while one statement or transaction uses it. */
interface Lease {
  client: PoolClient
  isBroken: boolean
  /** True once something that may commit was sent: without an answer nobody knows whether it did. */
  mayBeDone: boolean
}

async function once<T>(
  lease: Lease,
  work: (tx: Transaction) => Promise<T>,
  run: <Row extends QueryResultRow>(client: PoolClient, statement: Statement) => Promise<Row[]>,
): Promise<T> {
  const { client } = lease
  await client.query('begin')
  try {
    const result = await work({ query: (statement) => run(client, statement) })
    lease.mayBeDone = true
    const { command } = await client.query('commit')
    // Postgres answers so if a statement failed and `work` ignored the error.
    if (command === 'ROLLBACK') throw new Error('a statement failed, so the transaction was rolled back')
    return result
  } catch (error) {
    // On a lost connection a rollback would wait as long again. The database rolls back when it notices.
    if (!isLost(error)) await client.query('rollback').catch(() => (lease.isBroken = true))
    throw error
  }
}

const lost = (cause: unknown, { mayBeDone }: Lease): UnavailableError =>
  new UnavailableError(
    mayBeDone && !isRefused(cause)
      ? 'the database did not answer, and a change may or may not have been made: repeat it with the same Idempotency-Key'
      : 'the database did not answer',
    { cause },
  )

/** Returns the time of the database, by which everything that waits is found due. The clock of a process may
 * differ. */
export async function timeOf(db: Transaction): Promise<Date> {
  const [row] = await db.query<{ now: Date }>({ name: 'time', text: 'select now()' })
  return row!.now
}
