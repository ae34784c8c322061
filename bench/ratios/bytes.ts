import { asSuperuser } from '../../knative/postgres/databases.ts'
import { keyPrefix } from '../bank.ts'
import type { Bench, Ratio } from '../bench.ts'
import { proveLedger, settle, startDatabases, type BenchDatabases } from '../databases.ts'
import { watchDelivery } from '../delivery.ts'
import { load, pauseFor } from '../load.ts'
import { figure } from '../table.ts'
import { startTransferPath, type TransferPath } from '../transfer-path.ts'

/** Bytes of a transfer before anything was done about them: what this file measured over 52,800 transfers in
 * November 2026, when each event was a row of its own in `outbox` and in `outbox_pending`. Of the disk, 1,554
 * were the ledger's and 1,288 the notifications'. */
const BEFORE = { disk: 2_841, log: 4_644 }
const GOAL = 0.5
const CONNECTIONS = 64
/** A rate at which events don't pile up. */
const PER_SECOND = 2_000
const STEP_SECONDS = 5

/** Bytes that a transfer leaves on disk and writes to Postgres' log: with its idempotency key, its entries
 * and its event, and the notification with its inbox row and its own event. Against what it was. */
export const bytes: Ratio = {
  id: 'bytes',
  needs: ['rabbitmq-server', 'wrk'],
  async run(bench) {
    // The log is kept so that it can be read; that changes nothing that is written.
    const databases = await startDatabases(bench, { wal_keep_size: '4GB' })
    const path = await startTransferPath(bench, databases)
    const before = await readSizes(databases)
    const count = await post(bench, path, bench.isQuick ? 5_000 : 50_000)
    const written = await readLog(databases, before.log)
    const after = await readSizes(databases)
    await proveLedger(bench, databases)

    const disk = NAMES.map((name) => (after.disk[name]! - before.disk[name]!) / count)
    const log = (after.log - before.log) / count
    const [ledger, notifications] = NAMES.map((name) => written[name]! / count)
    const rest = log - ledger! - notifications!
    const measurement = { unit: 'bytes/transfer', goal: { ratio: GOAL, better: 'lower' as const } }
    return [
      {
        ...measurement,
        id: 'bytes-disk',
        name: 'Disk of a transfer : what it was',
        rounds: [{ ours: disk[0]! + disk[1]!, floor: BEFORE.disk }],
        notes: [
          `after ${figure(count)} transfers, vacuumed: ledger ${figure(disk[0]!)}, notifications ${figure(disk[1]!)}`,
        ],
      },
      {
        ...measurement,
        id: 'bytes-log',
        name: 'Log (WAL) of a transfer : what it was',
        rounds: [{ ours: log, floor: BEFORE.log }],
        notes: [
          `on pages of the ledger ${figure(ledger!)}, of the notifications ${figure(notifications!)}; commits, vacuum and what all databases share ${figure(rest)}`,
        ],
      },
    ]
  },
}

const NAMES = ['ledger', 'notifications'] as const

interface Sizes {
  /** Bytes by database. */
  disk: Record<string, number>
  /** Position in the log, in bytes. */
  log: number
}

/** Vacuums both databases and reads their sizes. */
async function readSizes(databases: BenchDatabases): Promise<Sizes> {
  const { superuserUrl } = databases.server
  for (const name of NAMES) {
    const url = new URL(superuserUrl)
    url.pathname = `/${name}`
    await asSuperuser(url.href, (client) => client.query('vacuum analyze'))
  }
  await settle(databases)
  return asSuperuser(superuserUrl, async (client) => {
    const { rows } = await client.query<{ log: string; ledger: string; notifications: string }>(
      `select pg_current_wal_lsn() - '0/0'::pg_lsn as log, pg_database_size('ledger') as ledger,
        pg_database_size('notifications') as notifications`,
    )
    const [{ log, ledger, notifications }] = rows as [(typeof rows)[0]]
    return { disk: { ledger: Number(ledger), notifications: Number(notifications) }, log: Number(log) }
  })
}

/** Returns the bytes of the log since a position that change pages of each database. */
async function readLog({ server }: BenchDatabases, from: number): Promise<Record<string, number>> {
  return asSuperuser(server.superuserUrl, async (client) => {
    await client.query('create extension if not exists pg_walinspect')
    const { rows } = await client.query<{ database: string; bytes: string }>(
      `with record as (
        -- A record that changes several pages has a row for each.
        select distinct start_lsn, reldatabase, record_length
        from pg_get_wal_block_info('0/0'::pg_lsn + $1::numeric, pg_current_wal_flush_lsn())
      )
      select datname as database, sum(record_length) as bytes
      from record join pg_database on pg_database.oid = reldatabase group by datname`,
      [from],
    )
    return Object.fromEntries(rows.map(({ database, bytes }) => [database, Number(bytes)]))
  })
}

/** Sends at least `wanted` transfers. Resolves with their number when all are delivered. */
async function post(bench: Bench, path: TransferPath, wanted: number): Promise<number> {
  const { databases, transfer, customers } = path
  const watch = await watchDelivery(databases)
  for (let sent = 0; sent < wanted;) {
    bench.progress.step(`bytes: ${sent} of ${wanted} transfers`)
    const { succeeded } = await load(bench, {
      url: `${transfer.url}/transactions`,
      connections: CONNECTIONS,
      warmupSeconds: 0,
      seconds: bench.isQuick ? 2 : STEP_SECONDS,
      pauseMs: pauseFor(CONNECTIONS, PER_SECOND),
      transfers: { customers, keyPrefix: keyPrefix() },
    })
    sent += succeeded
  }
  bench.progress.step('bytes: waiting for the notifications')
  const { count } = await watch.untilDelivered()
  return count
}
