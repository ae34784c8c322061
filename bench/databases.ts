import { existsSync } from 'node:fs'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseContext } from '../functions/contexts.ts'
import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { migrateContext, urlsOf, type DatabaseUrls } from '../knative/local/servers/databases.ts'
import { placesFor } from '../knative/local/servers/postgres-data.ts'
import {
  startPostgres,
  stopLeftoverPostgres,
  type PostgresServer,
} from '../knative/local/servers/postgres.ts'
import { stopLeftoverRabbitmq } from '../knative/local/servers/rabbitmq.ts'
import { openSecrets, type SecretStore } from '../knative/local/secrets.ts'
import { prepareDatabases } from '../knative/postgres/databases.ts'
import { createLog } from '../monitoring/log.ts'
import type { Bench } from './bench.ts'

/** A running Postgres. */
export type DatabaseServer = Pick<PostgresServer, 'host' | 'port' | 'superuserUrl' | 'url'>

export interface BenchDatabases {
  server: DatabaseServer
  secrets: SecretStore
  urls: Readonly<Record<string, DatabaseUrls>>
  /** The ledger's database, opened as its owner. */
  owner: Database
  /** The ledger's database, opened as the functions open it. */
  ledger: Database
  /** Returns another context's database, opened as its owner. */
  ownerOf(context: string): Database
}

/** Those that are measured. */
const MEASURED: readonly DatabaseContext[] = ['ledger', 'notifications']
const log = createLog({ service: 'bench' }, 'error')

/** Starts an empty Postgres with the bank's own configuration (it waits for the disk), and makes the
 * databases of ledger and notifications. `settings` are for reading figures off the server; they must not
 * change what is measured. */
export async function startDatabases(
  bench: Bench,
  settings: Record<string, string> = {},
): Promise<BenchDatabases> {
  const dataDir = join(bench.folder, 'data')
  await removeData(dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o755 })
  bench.progress.step('starting Postgres')
  const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), settings })
  bench.undo.add(async () => {
    await server.stop()
    await removeData(dataDir)
  })
  return openDatabases(bench, server, { dataDir, contexts: MEASURED })
}

/** Makes the contexts' databases on a server, or migrates the ones that exist, and opens them. Their
 * passwords are kept in `dataDir`. */
export async function openDatabases(
  bench: Bench,
  server: DatabaseServer,
  { dataDir, contexts }: { dataDir: string; contexts: readonly string[] },
): Promise<BenchDatabases> {
  const secrets = openSecrets(dataDir, contexts)
  await prepareDatabases(server.superuserUrl, contexts, secrets.databasePasswords)
  const databases = connectDatabases(bench, server, { secrets, contexts })
  for (const context of contexts)
    await migrateContext(bench.root, context, databases.urls[context]!, () => {})
  return databases
}

/** Opens the contexts' databases on a server that has them. */
export function connectDatabases(
  bench: Bench,
  server: DatabaseServer,
  { secrets, contexts = MEASURED }: { secrets: SecretStore; contexts?: readonly string[] },
): BenchDatabases {
  const urls = Object.fromEntries(contexts.map((context) => [context, urlsOf(server, secrets, context)]))
  const open = (url: string): Database => {
    const database = openDatabase({ url, poolMax: 4, name: 'bench', log, timeoutMs: 600_000 })
    bench.undo.add(() => database.close())
    return database
  }
  return {
    server,
    secrets,
    urls,
    owner: open(urls.ledger!.owner),
    ledger: open(urls.ledger!.functions),
    ownerOf: (context) => open(urls[context]!.owner),
  }
}

/** Writes what earlier work left in memory to the disk, so that no measurement pays for the one before. */
export async function settle({ server }: BenchDatabases): Promise<void> {
  const superuser = openDatabase({
    url: server.superuserUrl,
    poolMax: 1,
    name: 'bench',
    log,
    timeoutMs: 600_000,
  })
  await superuser.query({ text: 'checkpoint' })
  await superuser.close()
}

/** Resolves with the number of events that a context has stored and not published. */
export async function countPending(owner: Database): Promise<number> {
  const text = 'select coalesce(sum(cardinality(event_ids)), 0) as count from outbox_pending'
  const [row] = await owner.query<{ count: bigint }>({ text })
  return Number(row!.count)
}

const PROOFS = [
  'sums',
  'transactions',
  'balances',
  'chains',
  'holds',
  'hold_chains',
  'hold_entries',
  'reversals',
] as const

/** Proves the ledger: conservation, each balance the sum of its entries, the hash chains. Throws if the
 * ledger is wrong, because a benchmark that loses money has measured nothing. */
export async function proveLedger(bench: Bench, { owner }: BenchDatabases): Promise<void> {
  bench.progress.step('proving the ledger: sums, balances and hash chains')
  await owner.transaction(async (tx) => {
    await tx.query({ text: 'set transaction isolation level repeatable read' })
    for (const proof of PROOFS) {
      // `materialized` plans the proof for all rows. Planned to give only the first five soon, it would take
      // forty times as long with ten million entries.
      const text = `with fault as materialized (select * from verify_${proof}()) select * from fault limit 5`
      const faults = await tx.query({ text })
      if (faults.length > 0)
        throw new Error(`THE LEDGER IS WRONG: verify_${proof}() found ${inspect(faults)} and maybe more`)
    }
  })
}

const inspect = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))

/** Removes the data of the previous ratio, or of a bench that was killed and whose servers may still run.
 * Also removes the data that Postgres's own user had to keep elsewhere. */
export async function removeData(dataDir: string): Promise<void> {
  const [postgres, rabbitmq] = [join(dataDir, 'postgres'), join(dataDir, 'rabbitmq')]
  if (existsSync(rabbitmq)) await stopLeftoverRabbitmq(rabbitmq)
  if (existsSync(postgres)) {
    await stopLeftoverPostgres(postgres)
    for (const place of placesFor(await realpath(postgres))) await rm(place, { recursive: true, force: true })
  }
  await rm(dataDir, { recursive: true, force: true })
}
