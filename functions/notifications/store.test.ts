import { randomUUID } from 'node:crypto'
import { createReceiver } from '../../eventing/inbox.ts'
import type { Outbox } from '../../eventing/outbox.ts'
import type { PendingEvent } from '../../eventing/outbox-event.ts'
import { openDatabase, type Database } from '../host/database/database.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { perDayMax } from './channels/message.ts'
import { storeNotifications, type NewNotification } from './store.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await testDatabase('notifications')
  db = openDatabase({ url: database.url, poolMax: 8, name: 'test', log: createLog({}, 'error') })
})

afterAll(async () => {
  await db.close()
  await database.drop()
})

const notificationOf = (change: Partial<NewNotification> = {}): NewNotification => ({
  consumer: 'notify',
  event_source: '/microbank/ledger',
  event_id: randomUUID(),
  event_type: 'transaction.completed',
  user_id: randomUUID(),
  subject: randomUUID(),
  message: 'Deposit of $1.00 completed. New balance: $2.00',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ...change,
})

const storedOf = async (notifications: readonly NewNotification[]): Promise<string[]> =>
  (
    await db.query<{ event_id: string }>({
      text: 'select event_id from notifications where event_id = any($1::text[]) order by event_id',
      values: [notifications.map(({ event_id: id }) => id)],
    })
  ).map(({ event_id: id }) => id)

const sortedIds = (notifications: readonly NewNotification[]): string[] =>
  [...new Set(notifications.map(({ event_id: id }) => id))].sort()

test('a group is stored completely; the events returned are those that a sweep would derive', async () => {
  const group = Array.from({ length: 30 }, () => notificationOf())
  const events = await storeNotifications(db, group)
  expect(await storedOf(group)).toEqual(sortedIds(group))
  const inOutbox = await db.query<PendingEvent & { time: Date }>({
    text: `select e.id, type, source, subject, time, dataschema, partitionkey, w.traceparent, data::text as data,
        p.id as "pendingId"
      from outbox_pending p cross join unnest(p.event_ids, p.traceparents) w (event_id, traceparent)
      join events_by_id(p.event_ids) e on e.id = w.event_id`,
  })
  const byId = (a: PendingEvent, b: PendingEvent): number => (a.id < b.id ? -1 : 1)
  expect([...events].sort(byId)).toEqual(
    inOutbox.map((row) => ({ ...row, time: (row.time as Date).toISOString() })).sort(byId),
  )
})

test('a notification says by its event what it says, to those who want it by web hook alone', async () => {
  const [ada, bob, cleo] = [randomUUID(), randomUUID(), randomUUID()]
  await db.query({
    text: `insert into preferences (user_id, language, choices)
      values ($1, 'de', '{"transaction.completed": {"webhook": true}}'), ($2, 'en', '{"hold.placed": {"webhook": true}}')`,
    values: [ada, bob],
  })
  const content = { text: 'any' }
  const usual = {
    send: { content, usually: [], always: false, kind: 'usual' },
    translations: { de: 'Einzahlung' },
  }
  const told = async (userId: string, change: Partial<NewNotification>, channels: 'webhook'[]) => {
    const [event] = await storeNotifications(db, [notificationOf({ user_id: userId, ...change })], channels)
    const [derived] = await db.query<{ data: string; extensions: unknown }>({
      text: 'select data::text as data, extensions from events where id = $1',
      values: [event!.id],
    })
    expect(derived).toEqual({ data: event!.data, extensions: event!.extensions ?? null })
    return [JSON.parse(event!.data).message, event!.extensions]
  }
  const wanted = { channel: 'webhook' }
  expect(await told(ada, usual, ['webhook'])).toEqual(['Einzahlung', wanted])
  expect(await told(ada, usual, [])).toEqual([null, undefined])
  expect(await told(ada, { ...usual, event_type: 'hold.placed' }, ['webhook'])).toEqual([null, undefined])
  expect(await told(bob, usual, ['webhook'])).toEqual([null, undefined])
  const always = { ...usual, send: { content, usually: [], always: true, kind: 'usual' } }
  expect(await told(cleo, always, ['webhook'])).toEqual([notificationOf().message, wanted])
  expect(await told(cleo, {}, ['webhook'])).toEqual([null, undefined])
  // What only an email may carry.
  const mailed = {
    ...usual,
    send: { content, usually: [], always: true, kind: 'usual', only: ['email'] as const },
  }
  expect(await told(cleo, mailed, ['webhook'])).toEqual([null, undefined])
})

test('a user gets so many messages of a kind a day over a channel; no kind takes the room of another', async () => {
  const userId = randomUUID()
  const store = (count: number, kind: string, user = userId) =>
    storeNotifications(
      db,
      Array.from({ length: count }, () =>
        notificationOf({
          user_id: user,
          send: { content: { text: 'any' }, usually: [], always: true, kind },
        }),
      ),
      ['email'],
    )
  const due = (events: PendingEvent[]): number => events.filter(({ type }) => type === 'message.due').length
  const { usual, other } = perDayMax.email
  expect(due(await store(usual - 1, 'usual'))).toBe(usual - 1)
  const more = await store(3, 'usual')
  // The notifications are stored nevertheless.
  expect([due(more), more.length]).toEqual([1, 4])
  expect(due(await store(1, 'usual'))).toBe(0)
  // Whoever logs in as somebody else, or asks for links to their address, hides nothing behind that.
  expect(due(await store(other + 1, 'session.started'))).toBe(other)
  expect(due(await store(other + 1, 'password.reset-requested'))).toBe(other)
  expect(due(await store(2, 'password.changed'))).toBe(2)
  expect(due(await store(1, 'usual', randomUUID()))).toBe(1)
  await db.query({ text: `update messages set created_at = created_at - interval '25 hours'` })
  expect(due(await store(1, 'usual'))).toBe(1)
})

test('events that come several times, in overlapping groups, in any order and at once, are stored once each', async () => {
  const all = Array.from({ length: 60 }, () => notificationOf())
  const groups = Array.from({ length: 16 }, (_, n) => {
    const group = all.slice((n % 4) * 10, (n % 4) * 10 + 30)
    return n % 2 === 0 ? [...group, ...group] : group.reverse()
  })
  const events = (await Promise.all(groups.map((group) => storeNotifications(db, group)))).flat()
  expect(await storedOf(all)).toEqual(sortedIds(all))
  const told = events.map(({ data }) => (JSON.parse(data) as { event_id: string }).event_id)
  expect(told.sort()).toEqual(sortedIds(all))
})

test('two consumers of one event each take effect, once', async () => {
  const event = notificationOf()
  const other = { ...event, consumer: 'remind', message: 'another' }
  expect(await storeNotifications(db, [event, other])).toHaveLength(2)
  expect(await storeNotifications(db, [other, event])).toHaveLength(0)
  const later = notificationOf()
  expect(await storeNotifications(db, [later])).toHaveLength(1)
  expect(await storeNotifications(db, [{ ...later, consumer: 'remind' }])).toHaveLength(1)
  expect(await storedOf([event, later])).toHaveLength(4)
})

test('an event that can’t be stored does not keep the others of its group from being stored', async () => {
  const published: PendingEvent[] = []
  const outbox = { publish: (events) => void published.push(...events) } as Pick<Outbox, 'publish'> as Outbox
  let groups = 0
  const receive = createReceiver<NewNotification>({
    store: (group) => {
      groups++
      return storeNotifications(db, group)
    },
    outbox,
  })
  const bad = notificationOf({ message: 'a character that Postgres does not take: \0' })
  const deliveries = [...Array.from({ length: 10 }, () => notificationOf()), bad, notificationOf()]
  const results = await Promise.allSettled(deliveries.map(receive))
  expect(results.map(({ status }) => status)).toEqual(
    deliveries.map((each) => (each === bad ? 'rejected' : 'fulfilled')),
  )
  expect(await storedOf(deliveries)).toEqual(sortedIds(deliveries.filter((each) => each !== bad)))
  expect(published).toHaveLength(11)
  // The first alone; then the others together; then, because of the bad one, each of them alone.
  expect(groups).toBe(1 + 1 + 11)
})
