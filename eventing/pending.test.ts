import { openDatabase, type Database } from '../functions/host/database/database.ts'
import { createLog } from '../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { claim, forget, part, release } from './pending.ts'

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

/** Stores events as a function does that is about to publish them, each in a row of its own. Resolves with
 * their ids. */
async function written(count: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    text: `with event as (
        insert into outbox (type, source, subject, time, dataschema, partitionkey, data)
        select 'a', 'b', 'c', now(), 'd', 'e', '{}' from generate_series(1, $1) returning id
      ), pending as (insert into outbox_pending (id, event_ids) select id, array[id] from event)
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

const claimed = async (): Promise<string[]> =>
  (await claim(db, 100)).flatMap(({ events }) => events.map(({ id }) => id))

const putOff = async (_db: Database, ids: readonly string[]): Promise<void> => {
  await part(
    db,
    ids.map((id) => ({ id, confirmed: [], refused: [id], isReleased: false })),
  )
  await forget(db, ids)
}

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

const rowsReadInOrder = async (table: string): Promise<number> => {
  await db.query({ text: 'select pg_stat_force_next_flush()' })
  const [row] = await owner.query<{ count: bigint }>({
    text: `select seq_tup_read as count from pg_stat_user_tables where relname = $1`,
    values: [table],
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
      insert into outbox_pending (id, event_ids, claimed_until) select id, array[id], now() from event`,
  })
  const before = await rowsReadInOrder('outbox_pending')
  const events = await claim(db, 300)
  const ids = events.map(({ id }) => id)
  expect(ids).toHaveLength(300)
  await forget(db, ids.slice(0, 100))
  await release(db, ids.slice(100, 200))
  await putOff(db, ids.slice(200))
  expect((await rowsReadInOrder('outbox_pending')) - before).toBeLessThan(WAITING)
  expect(await db.query({ text: 'select 1 from outbox_pending' })).toHaveLength(WAITING - 100)
})

test('a sweep that had its plans when the tables were empty does not read all that they have now', async () => {
  const tables = ['outbox', 'notifications']
  for (const table of ['outbox_pending', ...tables]) await owner.query({ text: `truncate ${table} cascade` })
  for (const table of tables) await owner.query({ text: `vacuum analyze ${table}` })
  // Ten times, because a plan is kept after five. The row is there to make the sweep look for an event.
  const lookFor = `insert into outbox_pending (event_ids, claimed_until) values (array[uuidv7()], now())`
  for (let n = 0; n < 10; n++) {
    await owner.query({ text: lookFor })
    await claim(db, 1)
  }
  await written(WAITING)
  await owner.query({
    text: `insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message)
      select uuidv7(), 'a', n, 'b', 'c', 'd', 'e' from generate_series(1, ${WAITING}) n`,
  })
  const before = await Promise.all(tables.map(rowsReadInOrder))
  await owner.query({ text: lookFor })
  await claim(db, 1)
  expect(await Promise.all(tables.map(rowsReadInOrder))).toEqual(before)
})

describe('a row of several events', () => {
  beforeEach(() => owner.query({ text: 'truncate outbox_pending' }))

  const together = async (count: number): Promise<{ id: string; events: string[] }> => {
    const events = await written(count)
    await owner.query({ text: 'truncate outbox_pending' })
    const [row] = await db.query<{ id: string }>({
      text: `insert into outbox_pending (event_ids, traceparents, claimed_until)
        select array_agg(id order by n), array_agg('trace ' || n order by n), now()
        from unnest($1::uuid[]) with ordinality e (id, n) returning id`,
      values: [events],
    })
    return { id: row!.id, events }
  }
  const rows = () =>
    db.query({
      text: `select event_ids as events, traceparents as traces, claimed_until <= now() as "isFree",
          claimed_until > now() + interval '30 minutes' as "isPutOff"
        from outbox_pending order by cardinality(event_ids) desc, event_ids`,
    })

  test('is claimed whole, in the order of its events, with their trace contexts', async () => {
    const { id, events } = await together(3)
    const [group, ...others] = await claim(db, 1)
    expect(others).toEqual([])
    expect(group).toMatchObject({
      id,
      events: events.map((event, i) => ({ id: event, pendingId: id, traceparent: `trace ${i + 1}` })),
    })
  })

  test('loses the confirmed ones; refused ones are put off, each in a row of its own', async () => {
    const { id, events } = await together(5)
    await claim(db, 1)
    const parting = { id, confirmed: [events[0]!, events[3]!], refused: [events[1]!], isReleased: false }
    await part(db, [parting])
    const rest = { events: [events[2], events[4]], traces: ['trace 3', 'trace 5'] }
    const putOff = { events: [events[1]], traces: ['trace 2'], isFree: false, isPutOff: true }
    expect(await rows()).toEqual([{ ...rest, isFree: false, isPutOff: false }, putOff])
    await part(db, [{ ...parting, refused: [], isReleased: true }])
    expect(await rows()).toEqual([{ ...rest, isFree: true, isPutOff: false }, putOff])
  })

  test('of one request has its trace context once, which goes with each event', async () => {
    const { id, events } = await together(3)
    await owner.query({ text: 'update outbox_pending set traceparents = traceparents[1:1]' })
    await part(db, [{ id, confirmed: [events[0]!], refused: [events[1]!], isReleased: true }])
    await owner.query({ text: 'update outbox_pending set claimed_until = now()' })
    const groups = await claim(db, 10)
    const traces = groups.flatMap((group) => group.events).map((event) => [event.id, event.traceparent])
    expect(traces.sort()).toEqual([
      [events[1], 'trace 1'],
      [events[2], 'trace 1'],
    ])
  })

  test('keeps what two processes that publish it at once have not had confirmed', async () => {
    const { id, events } = await together(4)
    const change = { id, refused: [], isReleased: true }
    await Promise.all([
      part(db, [{ ...change, confirmed: events.slice(0, 2) }]),
      part(owner, [{ ...change, confirmed: events.slice(1, 3) }]),
    ])
    expect(await rows()).toMatchObject([{ events: [events[3]], traces: ['trace 4'] }])
  })

  test('does not come back when another process has deleted it', async () => {
    const { id, events } = await together(2)
    await forget(db, [id])
    await part(db, [{ id, confirmed: [events[0]!], refused: [events[1]!], isReleased: true }])
    expect(await rows()).toEqual([])
  })
})
