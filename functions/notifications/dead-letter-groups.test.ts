import { randomUUID } from 'node:crypto'
import { redriveDue } from '../../eventing/contracts/redrive.due.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { deliverEvent } from '../../tests/support/events.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { openDatabase, type Database } from '../host/database/database.ts'
import deadLetters from './dead-letters.ts'
import redriveDeadLetters from './redrive-dead-letters.ts'
import { deliverLetter, testBroker, type TestBroker } from './testing/dead-letters-fixture.ts'

/** The counts of groups, which triggers keep: always those of the letters, whoever writes at once. */

let database: TestDatabase
let db: Database
let broker: TestBroker
let letters: TestFunction
let run: TestFunction
let operator: string

beforeAll(async () => {
  database = await testDatabase('notifications')
  broker = await testBroker()
  const env = { NOTIFICATIONS_DATABASE_URL: database.url, BROKER_URL: broker.url }
  letters = await startFunction(deadLetters, env)
  run = await startFunction(redriveDeadLetters, env)
  db = openDatabase({ url: database.url, poolMax: 16, name: 'test', log: createLog({}, 'error', () => {}) })
  operator = await token({ userId: randomUUID(), role: 'operator' })
})

afterAll(async () => {
  await letters.stop()
  await run.stop()
  await db.close()
  broker.close()
  await database.drop()
})

/** Groups whose counts are not those of their letters. */
const drifted = () =>
  db.query({
    text: `select g.trigger, g.error from dead_letter_groups g left join dead_letters l on l.group_id = g.id
      group by g.id having (g.stored, g.redriven, g.discarded, g.came_back) <> (
        count(l) filter (where l.status = 'stored'), count(l) filter (where l.status = 'redriven'),
        count(l) filter (where l.status = 'discarded'),
        count(l) filter (where l.status = 'stored' and l.came_back_at is not null)
      )`,
  })

test('many writers of one group neither wait for each other for ever nor miscount', async () => {
  const store = (n: number) =>
    db.query({
      text: `insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id)
        values ('/s', $1, 't', '{}', '', '', dead_letter_group('many', 't', '500', 'one'))`,
      values: [`many-${n}`],
    })
  await Promise.all(Array.from({ length: 320 }, (_, n) => store(n)))
  const [group] = await db.query({
    text: `select stored::integer from dead_letter_groups where trigger = 'many'`,
  })
  expect([group, await drifted()]).toEqual([{ stored: 320 }, []])
})

test('whatever is done with letters at once, each is counted once', async () => {
  const causes = ['one cause', 'another cause', 'a third cause']
  const events = Array.from({ length: 12 }, () => randomUUID())
  const pick = <One>(of: readonly One[]): One => of[Math.floor(Math.random() * of.length)]!
  const ask = (path: string, body?: object) =>
    letters.request('POST', path, { token: operator, ...(body && { body }) })
  const deliver = () => deliverLetter(letters, { id: pick(events), said: pick(causes), consumer: 'random' })
  await Promise.all(events.map(deliver))
  const rows = await db.query<{ id: string; group_id: string }>({
    text: `select l.id, group_id from dead_letters l join dead_letter_groups g on g.id = group_id
      where trigger = 'random'`,
  })
  const things = [
    ...[deliver, deliver, deliver],
    () => ask(`/dead-letters/${pick(rows).id}/redrive`),
    () => ask(`/dead-letters/${pick(rows).id}/discard`, { reason: 'By chance.' }),
    async () => {
      const begun = await ask('/dead-letter-redrives', { group: pick(rows).group_id, per_second: 100 })
      if (begun.status !== 202) return begun
      const sent = deliverEvent(run, redriveDue as never, { redrive_id: begun.body.id, turn: 1 })
      if (Math.random() < 0.5) await ask(`/dead-letter-redrives/${begun.body.id}/stop`)
      return sent
    },
  ]
  for (let round = 0; round < 10; round++) {
    const done = await Promise.all(Array.from({ length: 16 }, () => pick(things)()))
    const failed = done.filter(({ status }) => status >= 500)
    expect(failed.map(({ status, body }) => [status, body])).toEqual([])
  }
  expect(await drifted()).toEqual([])
})

test('the number of groups has an end, whatever others make up', async () => {
  const known = async () =>
    Number((await db.query<{ count: bigint }>({ text: 'select count(*) from dead_letter_groups' }))[0]!.count)
  const fill = (upto: number, since: number) =>
    db.query({
      text: `insert into dead_letter_groups (trigger, event_type, error)
        select 'filled', 't', n::text from generate_series($1::integer + 1, $2::integer) n`,
      values: [since, upto],
    })
  const make = async (cause: string) =>
    (
      await db.query<{ name: string }>({
        text: `with made as materialized (select dead_letter_group('notify', $1, '500', $1) as id)
          select id from made`,
        values: [cause],
      })
    )[0]
  const before = await known()
  await fill(1_000, before)
  await make('type')
  await make('type')
  await fill(2_000, 1_001)
  for (const cause of ['a', 'b', 'c']) await make(cause)
  expect(await known()).toBe(2_001)
  const found = await db.query({
    text: `select trigger, event_type, error_code, error from dead_letter_groups
      where error = 'Other causes' order by id`,
  })
  const rest = { error_code: null, error: 'Other causes' }
  expect(found).toEqual([
    { trigger: 'notify', event_type: 'type', ...rest },
    { trigger: 'other', event_type: 'other', ...rest },
  ])
})
