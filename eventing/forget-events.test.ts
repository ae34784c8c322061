import { createLog } from '../monitoring/log.ts'
import { forgetOldEvents } from '../functions/host/database/forget-events.ts'
import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { createAjv } from '../functions/host/http/compile-validators.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { contracts } from '../tests/support/repository.ts'
import type { EventContract } from './contracts/contract.ts'

let database: TestDatabase
let db: Database
let owner: Database
beforeAll(async () => {
  database = await testDatabase('identity')
  const log = createLog({}, 'off')
  db = openDatabase({ url: database.url, poolMax: 2, name: 'test', log })
  owner = openDatabase({ url: database.ownerUrl, poolMax: 1, name: 'test', log })
})
afterAll(async () => {
  await db.close()
  await owner.close()
  await database.drop()
})
beforeEach(() =>
  owner.query({
    text: `with events as (delete from outbox), pending as (delete from outbox_pending),
        passed as (delete from outbox_passed_over)
      update outbox_forgotten set upto = '00000000-0000-0000-0000-000000000000'`,
  }),
)

/** Stores the example of a contract as an event of so many days ago, and returns its id. */
async function store({ type, example }: EventContract, daysAgo: number): Promise<string> {
  const [row] = await owner.query<{ id: string }>({
    text: `insert into outbox (id, type, source, subject, dataschema, partitionkey, data)
      values (uuidv7(make_interval(days => -$1::integer)), $2, '/', '/', '/', '/', $3) returning id`,
    values: [daysAgo, type, JSON.stringify(example)],
  })
  return row!.id
}

const dataOf = async (id: string) =>
  (
    await db.query<{ data: Record<string, unknown> }>({
      text: 'select data from outbox where id = $1',
      values: [id],
    })
  )[0]!.data

const PERSONAL = ['name', 'email', 'old_email', 'new_email', 'client_address', 'description']
/** What events say that is neither of people nor written by one. Whoever adds a text decides. */
const PLAIN = [
  ...['reason', 'message', 'failure', 'problem', 'refusal', 'host', 'provider', 'checkpoint', 'root'],
  ...['event_id', 'event_type', 'time_zone'],
]

test('after 90 days an event says nothing of people, and is still as its contract says', async () => {
  const ajv = createAjv('body')
  for (const contract of await contracts()) {
    const [old, young] = [await store(contract, 91), await store(contract, 89)]
    await forgetOldEvents(db, 60_000)
    const example = contract.example as Record<string, unknown>
    const data = await dataOf(old)
    const isKept = contract.type === 'transaction.requested'
    for (const [name, value] of Object.entries(example))
      expect([contract.type, name, data[name]]).toEqual([
        ...[contract.type, name],
        PERSONAL.includes(name) && typeof value === 'string' && !isKept ? '-' : value,
      ])
    expect([contract.type, ajv.validate(contract.schema, data), ajv.errors]).toEqual([
      contract.type,
      true,
      null,
    ])
    expect(await dataOf(young)).toEqual(example)
    await owner.query({ text: `update outbox_forgotten set upto = '00000000-0000-0000-0000-000000000000'` })
  }
})

test('of each text in an event it is known whether it says something of people', async () => {
  const unknown = (await contracts()).flatMap(({ type, schema }) =>
    Object.entries((schema as { properties: Record<string, object> }).properties)
      .filter(([name, value]) => isText(value) && !PERSONAL.includes(name) && !PLAIN.includes(name))
      .map(([name]) => `${type}: ${name}`),
  )
  expect(unknown).toEqual([])
})

/** Whether any text fits a schema. */
const isText = (schema: { type?: string | string[]; format?: string; pattern?: string; enum?: unknown }) =>
  [schema.type].flat().includes('string') && !schema.format && !schema.pattern && !schema.enum

test('an event that is not published stays whole until it is, and holds up none after it', async () => {
  const registered = (await contracts()).find(({ type }) => type === 'user.registered')!
  const { name } = registered.example as { name: string }
  const [before, refused, late, after] = [
    await store(registered, 94),
    await store(registered, 93),
    await store(registered, 92),
    await store(registered, 91),
  ]
  for (const ids of [[refused], [late]])
    await db.query({ text: 'insert into outbox_pending (event_ids) values ($1::uuid[])', values: [ids] })
  const names = async () => {
    await forgetOldEvents(db, 60_000)
    return Promise.all([before, refused, late, after].map(async (id) => (await dataOf(id)).name as string))
  }
  // The second time, nothing is left to pass.
  for (let n = 0; n < 2; n++) expect(await names()).toEqual(['-', name, name, '-'])
  await db.query({ text: 'delete from outbox_pending where event_ids[1] = $1', values: [late] })
  expect(await names()).toEqual(['-', name, '-', '-'])
  await db.query({ text: 'delete from outbox_pending' })
  expect(await names()).toEqual(['-', '-', '-', '-'])
  expect(await owner.query({ text: 'select from outbox_passed_over' })).toEqual([])
})

test('each step passes so many events, and those that were published late count', async () => {
  const registered = (await contracts()).find(({ type }) => type === 'user.registered')!
  const waiting: string[] = []
  for (let n = 0; n < 3; n++) waiting.push(await store(registered, 95 - n))
  await db.query({ text: 'insert into outbox_pending (event_ids) values ($1::uuid[])', values: [waiting] })
  const step = async () =>
    Number((await db.query<{ passed: bigint }>({ text: 'select forget_events(2) as passed' }))[0]!.passed)
  expect([await step(), await step(), await step()]).toEqual([2, 1, 0])
  await db.query({ text: 'delete from outbox_pending' })
  await store(registered, 91)
  expect([await step(), await step(), await step()]).toEqual([2, 2, 0])
  expect((await Promise.all(waiting.map(dataOf))).map(({ name }) => name)).toEqual(['-', '-', '-'])
})

test('where the clock says that it is 1970, no event is old', async () => {
  const ids = `select least_id('1969-10-03') as before, least_id('epoch') as first, least_id('1970-01-02') as later`
  const [{ before, first, later }] = (await db.query<Record<string, string>>({ text: ids })) as [
    Record<string, string>,
  ]
  expect([before, first]).toEqual(Array(2).fill('00000000-0000-0000-0000-000000000000'))
  expect(later! > first!).toBe(true)
})
