import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { createLog } from '../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { claim, forget, putOff, release } from './pending.ts'

let database: TestDatabase
let db: Database
let owner: Database

beforeAll(async () => {
  database = await testDatabase('notifications')
  const log = createLog({}, 'error', () => {})
  // One connection, as a function has that has been running for long: its plans are from when the table was
  // empty.
  db = openDatabase({ url: database.url, poolMax: 1, name: 'test', log })
  owner = openDatabase({ url: database.ownerUrl, poolMax: 1, name: 'test', log })
})
afterAll(async () => {
  await db.close()
  await owner.close()
  await database.drop()
})

/** Stores events as a function does that is about to publish them. Resolves with their ids. */
async function written(count: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    text: `with event as (
        insert into outbox (type, source, subject, time, dataschema, partitionkey, data)
        select 'a', 'b', 'c', now(), 'd', 'e', '{}' from generate_series(1, $1) returning id
      ), pending as (insert into outbox_pending (event_id) select id from event)
      select id from event order by id`,
    values: [count],
  })
  return rows.map(({ id }) => id)
}

/** Makes the rows look as if the clock had been set back: it moves all their times into the future. */
const setBackBy = (interval: string) =>
  db.query({
    text: `update outbox_pending
      set claimed_at = claimed_at + $1::interval, claimed_until = claimed_until + $1::interval`,
    values: [interval],
  })

const claimed = async (): Promise<string[]> => (await claim(db, 100)).map(({ id }) => id)

describe('when the clock is set', () => {
  beforeEach(() => owner.query({ text: 'truncate outbox_pending' }))

  test.each(['2 hours', '20 minutes', '400 days'])(
    'back by %s, an event can be claimed at once, whoever had claimed it and for how long',
    async (interval) => {
      const [byWriter, bySweep, refused] = await written(3)
      await release(db, [bySweep!])
      expect(await claimed()).toEqual([bySweep])
      await putOff(db, [refused!])
      expect(await claimed()).toEqual([])
      await setBackBy(interval)
      expect(await claimed()).toEqual([byWriter, bySweep, refused])
      expect(await claimed()).toEqual([])
    },
  )

  test('forward, claims end early, and the same events are published again', async () => {
    const ids = await written(2)
    expect(await claimed()).toEqual([])
    await setBackBy('-2 hours')
    expect(await claimed()).toEqual(ids)
  })

  test('by less than a second, as time synchronisation does all the time, claims hold', async () => {
    await written(2)
    await setBackBy('200 milliseconds')
    expect(await claimed()).toEqual([])
  })
})

const WAITING = 20_000

const rowsReadInOrder = async (): Promise<number> => {
  await db.query({ text: 'select pg_stat_force_next_flush()' })
  const [row] = await owner.query<{ count: bigint }>({
    text: `select seq_tup_read as count from pg_stat_user_tables where relname = 'outbox_pending'`,
  })
  return Number(row!.count)
}

test('however many events wait, storing the outcome of some reads only those', async () => {
  const noId = ['01900000-0000-7000-8000-000000000000']
  await owner.query({ text: 'truncate outbox_pending' })
  await owner.query({ text: 'vacuum analyze outbox_pending' })
  for (let n = 0; n < 10; n++) for (const note of [forget, release, putOff]) await note(db, noId)
  for (let n = 0; n < 10; n++) await claim(db, 1)

  await owner.query({
    text: `with event as (
        insert into outbox (type, source, subject, time, dataschema, partitionkey, data)
        select 'a', 'b', 'c', now(), 'd', 'e', '{}' from generate_series(1, ${WAITING}) returning id
      )
      insert into outbox_pending (event_id, claimed_until) select id, now() from event`,
  })
  const before = await rowsReadInOrder()
  const events = await claim(db, 300)
  const ids = events.map(({ id }) => id)
  expect(ids).toHaveLength(300)
  await forget(db, ids.slice(0, 100))
  await release(db, ids.slice(100, 200))
  await putOff(db, ids.slice(200))
  expect((await rowsReadInOrder()) - before).toBeLessThan(WAITING)
  expect(await db.query({ text: 'select 1 from outbox_pending' })).toHaveLength(WAITING - 100)
})
