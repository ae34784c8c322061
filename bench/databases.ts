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

export interface BenchDatabases {
  server: PostgresServer
  secrets: SecretStore
  urls: Readonly<Record<string, DatabaseUrls>>
  /** The ledger's database as its owner. */
  owner: Database
  /** The ledger's database as the functions use it. */
  ledger: Database
  /** The other databases as their owners. */
  ownerOf(context: string): Database
}

/** Those that are measured. */
const MEASURED: readonly DatabaseContext[] = ['ledger', 'notifications']
const log = createLog({ service: 'bench' }, 'error')

/** Starts a Postgres without any data, configured as the bank's own (it waits for the disk), with the
 * databases of the ledger and of notifications. `settings` are for what is read off the server, not for what
 * is measured. */
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

/** Makes the contexts' databases on a server, or brings those that are there up to date, and opens them.
 * Their passwords are kept in `dataDir`. */
export async function openDatabases(
  bench: Bench,
  server: PostgresServer,
  { dataDir, contexts }: { dataDir: string; contexts: readonly string[] },
): Promise<BenchDatabases> {
  const secrets = openSecrets(dataDir, contexts)
  await prepareDatabases(server.superuserUrl, contexts, secrets.databasePasswords)
  const urls = Object.fromEntries(contexts.map((context) => [context, urlsOf(server, secrets, context)]))
  for (const context of contexts) await migrateContext(bench.root, context, urls[context]!, () => {})

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

/** Writes out what earlier work has left in memory, so that no measurement pays for the one before it. */
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

const PROOFS = ['sums', 'transactions', 'balances', 'chains', 'holds'] as const

/** Proves the ledger: conservation, each balance the sum of its entries, the hash chains. Throws where it is
 * wrong; a benchmark that loses money has measured nothing. */
export async function proveLedger(bench: Bench, { owner }: BenchDatabases): Promise<void> {
  bench.progress.step('proving the ledger: sums, balances and hash chains')
  await owner.transaction(async (tx) => {
    await tx.query({ text: 'set transaction isolation level repeatable read' })
    for (const proof of PROOFS) {
      // Of its own in WITH, so that it is not planned for giving the first five soon: with ten million
      // entries that takes forty times as long as giving all.
      const text = `with fault as materialized (select * from verify_${proof}()) select * from fault limit 5`
      const faults = await tx.query({ text })
      if (faults.length > 0)
        throw new Error(`THE LEDGER IS WRONG: verify_${proof}() found ${inspect(faults)} and maybe more`)
    }
  })
}

const inspect = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))

/** Removes the data of the ratio before, or of a bench that was killed, whose servers may still run; also the
 * data that Postgres' own user had to keep elsewhere. */
async function removeData(dataDir: string): Promise<void> {
  const [postgres, rabbitmq] = [join(dataDir, 'postgres'), join(dataDir, 'rabbitmq')]
  if (existsSync(rabbitmq)) await stopLeftoverRabbitmq(rabbitmq)
  if (existsSync(postgres)) {
    await stopLeftoverPostgres(postgres)
    for (const place of placesFor(await realpath(postgres))) await rm(place, { recursive: true, force: true })
  }
  await rm(dataDir, { recursive: true, force: true })
}
