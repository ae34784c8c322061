import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, type QueryResultRow } from 'pg'
import { emptyDatabase } from '../../tests/support/databases.ts'
import type { TestDatabase } from '../../tests/support/databases.ts'
import { readConfig } from '../../functions/host/config.ts'
import { asSuperuser, FUNCTIONS_LIMITS, METER_LIMITS, prepareDatabases } from './databases.ts'
import { migrate, readMigrations } from './migrate.ts'
import type { Migration } from './migrate.ts'

const COINS: Migration = {
  name: 'ledger/0001-coins.sql',
  sql: `create table coins (id int primary key);
        insert into coins values (1);
        grant select, insert on coins to :functions_role;`,
}
const NOTES: Migration = { name: 'ledger/0002-notes.sql', sql: 'create table notes (id int primary key)' }

let db: TestDatabase

beforeEach(async () => {
  db = await emptyDatabase('ledger')
})

afterEach(() => db.drop())

const apply = (migrations: Migration[]): Promise<string[]> => {
  const applied: string[] = []
  const log = ({ name }: { name: string }): void => void applied.push(name)
  const options = { ownerUrl: db.ownerUrl, functionsRole: 'ledger', context: 'ledger', migrations, log }
  return migrate(options).then(() => applied)
}

async function rows(url: string, sql: string): Promise<QueryResultRow[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const recorded = async (): Promise<string[]> =>
  (await rows(db.ownerUrl, 'select name from migrations order by name')).map(({ name }) => String(name))

test('twenty simultaneous runs on an empty database apply each file once', async () => {
  const runs = await Promise.all(Array.from({ length: 20 }, () => apply([COINS, NOTES])))

  expect(runs.flat().sort()).toEqual([COINS.name, NOTES.name])
  expect(await recorded()).toEqual([COINS.name, NOTES.name])
  expect(await rows(db.ownerUrl, 'select id from coins')).toEqual([{ id: 1 }])
})

test('a session that the server ends while nothing is asked rejects what is asked next', async () => {
  const ended = asSuperuser(db.superuserUrl, async (client) => {
    const { rows: found } = await client.query('select pg_backend_pid() as pid')
    const end = new Promise((resolve) => client.once('end', resolve))
    await rows(db.superuserUrl, `select pg_terminate_backend(${found[0].pid})`)
    await end
    return client.query('select 1')
  })

  await expect(ended).rejects.toThrow('not queryable')
})

test('a later run applies only what is new', async () => {
  await apply([COINS])
  expect(await apply([COINS, NOTES])).toEqual([NOTES.name])
  expect(await apply([COINS, NOTES])).toEqual([])
})

test('refuses a file that was changed after it had been applied', async () => {
  await apply([COINS])
  const changed = { ...COINS, sql: `${COINS.sql} -- and more` }
  await expect(apply([changed, NOTES])).rejects.toThrow(
    'the migration ledger/0001-coins.sql was changed after it had been applied to the ledger database',
  )
  expect(await recorded()).toEqual([COINS.name])
})

test('accepts other line ends', async () => {
  await apply([COINS])
  expect(await apply([{ ...COINS, sql: COINS.sql.replaceAll('\n', '\r\n') }])).toEqual([])
})

test('refuses a database of a newer version', async () => {
  await apply([COINS, NOTES])
  await expect(apply([COINS])).rejects.toThrow(
    'the ledger database has the migration ledger/0002-notes.sql, which this version of microbank does not know',
  )
})

test('a file that fails changes nothing, and the error says where it failed', async () => {
  const broken = { name: 'ledger/0002-broken.sql', sql: 'create table half (id int);\nselect nonsense' }
  await expect(apply([COINS, broken])).rejects.toThrow(
    'the migration ledger/0002-broken.sql, line 2 failed: column "nonsense" does not exist',
  )
  expect(await recorded()).toEqual([COINS.name])
  expect(await rows(db.ownerUrl, "select to_regclass('half') as half")).toEqual([{ half: null }])
})

test('the functions’ role has its grants and no others', async () => {
  await apply([COINS])
  const as = (sql: string): Promise<QueryResultRow[]> => rows(db.url, sql)

  expect(await as('select current_user, id from coins')).toEqual([{ current_user: 'ledger', id: 1 }])
  await expect(as('delete from coins')).rejects.toThrow('permission denied for table coins')
  await expect(as('create table mine (id int)')).rejects.toThrow('permission denied for schema public')
  await expect(as('create temporary table mine (id int)')).rejects.toThrow('permission denied')
  await expect(as('create schema mine')).rejects.toThrow('permission denied')
  await expect(as('select * from migrations')).rejects.toThrow('permission denied for table migrations')
})

test('a context can connect only to its own database', async () => {
  const other = await emptyDatabase('identity')
  try {
    const url = new URL(db.url)
    url.pathname = `/${other.name}`
    await expect(rows(url.href, 'select 1')).rejects.toThrow('permission denied for database')
  } finally {
    await other.drop()
  }
})

test('the database ends a function’s slow statement before the function gives up', async () => {
  const names = Object.keys(FUNCTIONS_LIMITS).map((name) => `'${name}'`)
  const text = `select name, setting::int from pg_settings where name in (${names.join()})`
  const limits = await rows(db.url, text)
  expect(limits).toHaveLength(3)
  const { DATABASE_TIMEOUT_MS: functionsOwn } = readConfig([], {}, {})
  for (const { name, setting } of limits) {
    expect([name, `${Number(setting) / 1_000}s`]).toEqual([name, FUNCTIONS_LIMITS[String(name)]])
    expect(Number(setting)).toBeLessThanOrEqual(functionsOwn)
  }
  const [statement] = limits.filter(({ name }) => name === 'statement_timeout')
  expect(Number(statement!.setting)).toBeLessThan(functionsOwn)
  expect((await rows(db.ownerUrl, text)).map(({ setting }) => setting)).toEqual([0, 0, 0])
})

test('the database ends what the meter reads too slowly', async () => {
  const names = Object.keys(METER_LIMITS).map((name) => `'${name}'`)
  const limits = await rows(
    db.meterUrl,
    `select name, setting::int from pg_settings where name in (${names.join()})`,
  )
  const found = limits.map(({ name, setting }) => [name, `${Number(setting) / 1_000}s`])
  expect(Object.fromEntries(found)).toEqual(METER_LIMITS)
})

test('databases can be prepared repeatedly, and several times at once', async () => {
  const context = 'vault'
  const passwords = { vault: { owner: 'o', functions: 'f', meter: 'm' } }
  const prepare = (): Promise<void> => prepareDatabases(process.env.TEST_POSTGRES_URL!, [context], passwords)
  try {
    await Promise.all([prepare(), prepare(), prepare()])
    await prepare()
    const url = new URL(db.superuserUrl)
    Object.assign(url, { pathname: '/vault', username: 'vault', password: 'f' })
    expect(await rows(url.href, 'select current_database()')).toEqual([{ current_database: 'vault' }])
  } finally {
    for (const sql of [
      'drop database vault',
      'drop role vault',
      'drop role vault_owner',
      'drop role vault_meter',
    ]) {
      await rows(db.superuserUrl, sql)
    }
  }
})

describe('reading the files', () => {
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'microbank-migrations-'))
  })

  afterEach(() => rm(root, { recursive: true, force: true }))

  async function file(folder: string, name: string): Promise<void> {
    await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, folder, name), 'select 1')
  }

  test('the host comes first, then events, then the context, each by number', async () => {
    const files = ['0005-e.sql', '0004-d.sql', '0003-c.sql', '0002-b.sql', '0001-a.sql']
    for (const name of files) await file('functions/ledger/sql', name)
    await file('functions/ledger/sql', 'notes.md')
    await file('functions/identity/sql', '0001-users.sql')
    await file('eventing/sql', '0001-outbox.sql')
    await file('functions/host/database/sql', '0001-keys.sql')

    const names = (await readMigrations(root, 'ledger')).map(({ name }) => name)
    const own = files.map((name) => `ledger/${name}`).reverse()
    expect(names).toEqual(['host/0001-keys.sql', 'eventing/0001-outbox.sql', ...own])
  })

  test('finding no files at all is an error', async () => {
    await expect(readMigrations(root, 'ledger')).rejects.toThrow('found none')
  })
})
