import { Client } from 'pg'
import { emptyDatabase, testDatabase } from './databases.ts'

async function tables(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query("select tablename from pg_tables where schemaname = 'public'")
    return rows.map(({ tablename }) => String(tablename))
  } finally {
    await client.end()
  }
}

test('databases that are requested at the same moment are all migrated, and are separate', async () => {
  const databases = await Promise.all(Array.from({ length: 5 }, () => testDatabase('ledger')))
  expect(new Set(databases.map(({ name }) => name)).size).toBe(5)
  for (const { ownerUrl } of databases) expect(await tables(ownerUrl)).toContain('migrations')
  await Promise.all(databases.map((database) => database.drop()))
})

test('a dropped database is gone, even if a client is connected', async () => {
  const database = await emptyDatabase('ledger')
  const session = new Client({ connectionString: database.url })
  session.on('error', () => {})
  await session.connect()
  await database.drop()
  await expect(tables(database.superuserUrl)).rejects.toThrow('does not exist')
  await session.end()
})
