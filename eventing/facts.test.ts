import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { testDatabase } from '../tests/support/databases.ts'
import type { EventContract } from './contracts/contract.ts'

const folder = join(__dirname, 'contracts')

const contracts = async (): Promise<EventContract[]> => {
  const files = readdirSync(folder).filter((file) => /^[a-z-]+[.][a-z-]+[.]ts$/.test(file))
  const modules = await Promise.all(files.map((file) => import(join(folder, file)) as Promise<object>))
  return modules.flatMap((module) =>
    Object.values(module).filter(
      (value): value is EventContract => typeof value === 'object' && 'context' in value,
    ),
  )
}

test.each(['documents', 'identity', 'ledger', 'notifications', 'payments'])(
  'the events of %s are counted from the start, with 0',
  async (context) => {
    const database = await testDatabase(context)
    const client = new Client({ connectionString: database.meterUrl })
    await client.connect()
    const { rows } = await client.query<{ type: string; value: string }>(
      `select labels ->> 'type' as type, value from count_facts(now()) where name = 'microbank_events_total'`,
    )
    await client.end()
    await database.drop()
    const types = (await contracts()).filter((one) => one.context === context).map(({ type }) => type)
    expect(types.length).toBeGreaterThan(0)
    expect(rows.map(({ type }) => type).sort()).toEqual([...new Set(types)].sort())
    expect(rows.filter(({ value }) => value !== '0')).toEqual([])
  },
)

test('of a backlog in the outbox, ten thousand rows are counted', async () => {
  const database = await testDatabase('identity')
  const client = new Client({ connectionString: database.url })
  await client.connect()
  const fill = (rows: number) =>
    client.query(
      `insert into outbox_pending (event_ids) select array[uuidv7(), uuidv7()] from generate_series(1, ${rows})`,
    )
  const meter = new Client({ connectionString: database.meterUrl })
  await meter.connect()
  const pending = async (): Promise<number> => {
    const { rows } = await meter.query<{ value: string }>(
      `select value from facts() where name = 'microbank_outbox_pending'`,
    )
    return Number(rows[0]!.value)
  }
  await fill(9_999)
  expect(await pending()).toBe(19_998)
  await fill(5_000)
  expect(await pending()).toBe(20_000)
  await Promise.all([client.end(), meter.end()])
  await database.drop()
})
