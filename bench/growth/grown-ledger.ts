import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { placesFor } from '../../knative/local/servers/postgres-data.ts'
import { startPostgres, stopLeftoverPostgres } from '../../knative/local/servers/postgres.ts'
import { readMigrations } from '../../knative/postgres/migrate.ts'
import { takeStep } from '../../functions/ledger/stops/sweep-checks.ts'
import type { Bench } from '../bench.ts'
import { openAccounts, signIn, type Customer } from '../customers.ts'
import { openDatabases, type BenchDatabases } from '../databases.ts'
import { countEntries, grow } from './grow.ts'

const PREFIX = 'grown-'

/** Settings while the ledger is filled: nothing waits for the disk, and pages are logged once. This is
 * several times as fast. A power cut meanwhile would ruin the data, but it belongs only to the bench and can
 * be removed. */
const WHILE_GROWING = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
}

export interface GrownLedger {
  databases: BenchDatabases
  customers: Customer[]
  entries: number
}

/** Starts a Postgres with the bank's own configuration, whose ledger holds at least `wanted` entries over
 * 10,000 accounts. The data is made once and kept in a folder that is named after the migrations that made
 * it. A run that breaks off is continued by the next. What is measured on the data stays in it too. */
export async function startGrownLedger(bench: Bench, wanted: number): Promise<GrownLedger> {
  const dataDir = await keptFolder(bench)
  const open = async (settings: Record<string, string>) => {
    const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), settings })
    const stop = () => server.stop()
    bench.undo.add(stop)
    return { ...(await openDatabases(bench, server, { dataDir, contexts: ['ledger'] })), stop }
  }
  bench.progress.step('starting the Postgres with the grown ledger')
  const growing = await open(WHILE_GROWING)
  const entries = await fill(bench, growing, wanted)
  await growing.stop()
  // Postgres did not wait for the disk, and no round should pay for the writes.
  execFileSync('sync')
  const databases = await open({})
  return { databases, entries, customers: await signedIn(databases) }
}

/** Returns the folder for the data of these migrations. Removes the folders of other migrations: they take
 * gigabytes. */
async function keptFolder({ root, folder, progress }: Bench): Promise<string> {
  const migrations = JSON.stringify(await readMigrations(root, 'ledger'))
  const name = PREFIX + createHash('sha256').update(migrations).digest('hex').slice(0, 12)
  for (const other of await readdir(folder)) {
    if (!other.startsWith(PREFIX)) continue
    const postgres = join(folder, other, 'postgres')
    if (existsSync(postgres)) await stopLeftoverPostgres(postgres)
    if (other === name) continue
    progress.say(`removing ${join(folder, other)}: the migrations have changed since it was made`)
    if (existsSync(postgres))
      for (const place of placesFor(await realpath(postgres)))
        await rm(place, { recursive: true, force: true })
    await rm(join(folder, other), { recursive: true, force: true })
  }
  const dataDir = join(folder, name)
  await mkdir(dataDir, { recursive: true, mode: 0o755 })
  return dataDir
}

async function fill(bench: Bench, databases: BenchDatabases, wanted: number): Promise<number> {
  const { owner, ledger } = databases
  const before = await countEntries(owner)
  if (before >= wanted) {
    bench.progress.say(`using the ledger of an earlier run, with ${before.toLocaleString('en')} entries`)
    return before
  }
  if (before === 0) await openAccounts(bench, databases)
  const startedAt = performance.now()
  const customers = await signedIn(databases)
  const entries = await grow({ ledger, owner, customers, progress: bench.progress }, wanted)
  bench.progress.step('the ledger has grown; checking it, as sweeps would have done')
  while ((await takeStep(owner, 'changes')).has_ended === false);
  bench.progress.step('vacuuming it')
  await owner.query({ text: 'vacuum analyze' })
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  bench.progress.say(`the ledger has grown to ${entries.toLocaleString('en')} entries in ${seconds} s`)
  return entries
}

/** Returns all customers of the ledger, each with a fresh token: making the ledger may take longer than a
 * token lives. */
async function signedIn({ owner, secrets }: BenchDatabases): Promise<Customer[]> {
  const rows = await owner.query<{ user_id: string; accounts: string[] }>({
    text: `select user_id, array_agg(id) as accounts from accounts where kind = 'customer' group by user_id`,
  })
  return Promise.all(
    rows.map(async ({ user_id: userId, accounts }) => ({
      userId,
      token: await signIn(secrets, userId),
      accounts,
    })),
  )
}
