import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alice, deposit, silent } from '../../functions/ledger/testing/ledger-fixture.ts'
import { postTransactions } from '../../functions/ledger/posting/post.ts'
import type { PostingRequest } from '../../functions/ledger/posting/posting-request.ts'
import {
  clusterPostgres,
  type ClusterPostgres,
  type Environment,
} from '../../tests/support/cluster-postgres.ts'
import { ROOT } from '../../tests/support/repository.ts'
import { openDatabase } from '../../functions/host/database/database.ts'
import { FUNCTIONS_LIMITS } from './databases.ts'
import { migrate, readMigrations } from './migrate.ts'

/** The scripts and settings of knative/postgres/database, run as the pods run them. */
const passwords = {
  OWNER_PASSWORD: 'of-the-owner',
  FUNCTIONS_PASSWORD: 'of-the-functions',
  METER_PASSWORD: 'of-the-meter',
}
let server: ClusterPostgres
let backups: string
let ownerUrl: string
let functionsUrl: string

beforeAll(async () => {
  server = await clusterPostgres('ledger')
  backups = mkdtempSync(join(tmpdir(), 'microbank-backups-'))
  chmodSync(backups, 0o777)
  ownerUrl = server.url('ledger_owner', passwords.OWNER_PASSWORD)
  functionsUrl = server.url('ledger', passwords.FUNCTIONS_PASSWORD)
  await server.script('prepare.sh', [], passwords)
  await server.start()
  const migrations = await readMigrations(ROOT, 'ledger')
  await migrate({ ownerUrl, functionsRole: 'ledger', context: 'ledger', migrations })
})

afterAll(async () => {
  await server?.remove()
  rmSync(backups, { recursive: true, force: true })
})

const access = () => ({ BACKUPS: backups, BACKUPS_KEPT: '14', PGPASSWORD: passwords.OWNER_PASSWORD })
const backUp = (other: Environment = {}) => server.script('backup.sh', [], { ...access(), ...other })
const restore = (name: string) => server.script('restore.sh', [name], access())
const files = () => readdirSync(backups).sort()

/** Runs one statement over a connection like a function's. */
async function rows(url: string, text: string): Promise<Record<string, unknown>[]> {
  const db = openDatabase({ url, poolMax: 1, name: 'backup-test', log: silent })
  try {
    return await db.query({ text })
  } catch (error) {
    throw (error as Error).cause ?? error
  } finally {
    await db.close()
  }
}

const open = async (): Promise<string> => {
  const text = `select (account).id::text from open_account('${alice}', 'checking', 'USD', 0, 1000000, 1000000, 10)`
  return (await rows(functionsUrl, text))[0]!.id as string
}

async function post(request: PostingRequest): Promise<void> {
  const db = openDatabase({ url: functionsUrl, poolMax: 1, name: 'backup-test', log: silent })
  const { outcomes } = await postTransactions(db, [request])
  await db.close()
  expect(outcomes).toMatchObject([{ outcome: 'posted' }])
}

const balances = () =>
  rows(functionsUrl, "select id::text, balance from accounts where kind = 'customer' order by id")

describe('over the network', () => {
  test('D14: a function connects with TLS, its password, and a certificate that it can check', async () => {
    const [session] = await rows(functionsUrl, 'select version from pg_stat_ssl where pid = pg_backend_pid()')
    expect(session).toEqual({ version: 'TLSv1.3' })
  })

  test.each([
    ['without TLS', () => functionsUrl.replace(/\?.*/, '?sslmode=disable'), /no encryption/],
    ['with another password', () => server.url('ledger', 'guessed'), /password authentication failed/],
    ['as the superuser', () => server.url('postgres', 'anything'), /pg_hba.conf rejects connection/],
    [
      'under a name that the certificate lacks',
      () => functionsUrl.replace('localhost', '127.0.0.1'),
      /altnames/,
    ],
  ])('nobody gets in %s', async (_how, url, refusal) => {
    await expect(rows(url(), 'select 1')).rejects.toThrow(refusal)
  })

  test('a function has the same limits as on a laptop, and the owner has none', async () => {
    const text = `select name, setting::int from pg_settings where name in
        ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name desc`
    const limits = await rows(functionsUrl, text)
    expect(limits.map(({ name, setting }) => [name, `${Number(setting) / 1_000}s`])).toEqual(
      Object.entries(FUNCTIONS_LIMITS),
    )
    expect((await rows(ownerUrl, text)).map(({ setting }) => setting)).toEqual([0, 0, 60_000])
  })

  test('a function has no more rights than the migrations gave it', async () => {
    await expect(rows(functionsUrl, 'create table mine ()')).rejects.toThrow(/permission denied/)
    await expect(rows(functionsUrl, 'delete from entries')).rejects.toThrow(/permission denied/)
    await expect(rows(functionsUrl, 'select pg_reload_conf()')).rejects.toThrow(/permission denied/)
  })
})

test('lost data comes back from the latest backup, and the ledger’s own check proves it', async () => {
  const account = await open()
  await post(deposit(account, 5_000))
  await backUp()
  await post(deposit(account, 700))
  await rows(ownerUrl, 'drop table entries cascade')
  await rows(ownerUrl, 'create table newer_than_the_backup ()')

  await restore('latest')

  expect(await balances()).toEqual([{ id: account, balance: 5_000n }])
  expect(await rows(ownerUrl, "select to_regclass('newer_than_the_backup') as newer")).toEqual([
    { newer: null },
  ])
  expect(await rows(ownerUrl, 'select * from verify_ledger()')).toEqual([])
  // The functions' grants came back too, and nothing beyond them. The next backup works.
  await post(deposit(account, 1))
  await expect(rows(functionsUrl, 'delete from entries')).rejects.toThrow(/permission denied/)
  await expect(backUp()).resolves.toContain('backup: ')
})

test.each([
  ['in its data', -100],
  ['in its list of contents', 1_000],
])('a backup that was cut off %s changes nothing', async (_where, size) => {
  await backUp()
  const before = await balances()
  const newest = join(backups, files().at(-1)!)
  truncateSync(newest, size > 0 ? size : statSync(newest).size + size)
  await expect(restore('latest')).rejects.toThrow()
  expect(await balances()).toEqual(before)
  rmSync(newest)
})

test('after a restore, the database puts right what only it knows how to', async () => {
  const text = `
    create table restorations (n integer);
    create function after_restore() returns void language sql begin atomic insert into restorations values (1); end`
  await rows(ownerUrl, text)
  try {
    await backUp()
    await restore('latest')
    expect(await rows(ownerUrl, 'select n from restorations')).toEqual([{ n: 1 }])
  } finally {
    await rows(ownerUrl, 'drop function after_restore; drop table restorations')
  }
})

test('only the newest backups are kept', async () => {
  await backUp()
  const [newest] = files().slice(-1)
  const older = ['20200101', '20200102'].map((day) => `ledger-${day}T021700Z.dump`)
  for (const name of older) copyFileSync(join(backups, newest!), join(backups, name))
  await backUp({ BACKUPS_KEPT: String(files().length - 1) })
  expect(files()).toContain(newest)
  expect(files()).not.toContain(older[0])
})

test('a backup that fails says so, and leaves no file', async () => {
  const before = files()
  await expect(backUp({ PGPORT: '1' })).rejects.toThrow(/connection to server .* failed/)
  expect(files()).toEqual(before)
})

test('a changed password is valid from the next start, and the data stays', async () => {
  const before = await balances()
  await server.stop()
  await server.script('prepare.sh', [], { ...passwords, FUNCTIONS_PASSWORD: 'another' })
  await server.start()
  await expect(balances()).rejects.toThrow(/password authentication failed/)
  functionsUrl = server.url('ledger', 'another')
  expect(await balances()).toEqual(before)
})
