import { randomUUID } from 'node:crypto'
import { emailConfirmed } from '../../eventing/contracts/email.confirmed.ts'
import { passwordChanged } from '../../eventing/contracts/password.changed.ts'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { userRegistered } from '../../eventing/contracts/user.registered.ts'
import { userUpdated } from '../../eventing/contracts/user.updated.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, type TestFunction } from '../../tests/support/host.ts'
import keepContacts from './keep-contacts.ts'
import { deliverExample } from '../../tests/support/events.ts'

let database: TestDatabase
let consumer: TestFunction

beforeAll(async () => {
  database = await testDatabase('notifications')
  consumer = await startFunction(keepContacts, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })
})

afterAll(async () => {
  await consumer.stop()
  await database.drop()
})

const known = async (userId: string) =>
  (
    await consumer.tools.db.query({
      text: `select name, email, deleted_at is not null as deleted from contacts where user_id = $1`,
      values: [userId],
    })
  )[0]

const registered = (id: string, at = '2026-08-01T09:30:00.000Z') =>
  deliverExample(consumer, userRegistered, { user_id: id, registered_at: at })
const updated = (id: string, name: string, at: string) =>
  deliverExample(consumer, userUpdated, { user_id: id, name, email: `${name}@example.com`, updated_at: at })
const deleted = (id: string) => deliverExample(consumer, userDeleted, { user_id: id })

test('the newest event wins, in whatever order they come and however often', async () => {
  const id = randomUUID()
  const events = [
    () => registered(id),
    () => updated(id, 'second', '2026-08-02T10:00:00.000Z'),
    () => updated(id, 'third', '2026-08-02T10:00:00.001Z'),
  ]
  const orders = [
    [2, 0, 1],
    [1, 2, 0, 1],
    [0, 2, 2, 1, 0],
  ]
  for (const order of orders) {
    for (const n of order) expect((await events[n]!()).status).toBe(204)
    expect(await known(id)).toEqual({ name: 'third', email: 'third@example.com', deleted: false })
  }
})

test('the address that was confirmed last is known, whatever comes first, and not of a deleted user', async () => {
  const id = randomUUID()
  const confirmed = (email: string, at: string) =>
    deliverExample(consumer, emailConfirmed, { user_id: id, email, confirmed_at: at })
  const kept = () =>
    consumer.tools.db.query({
      text: `select email, confirmed_email from contacts where user_id = $1`,
      values: [id],
    })
  await confirmed('second@example.com', '2026-08-02T10:00:00.001Z')
  await registered(id)
  await confirmed('first@example.com', '2026-08-02T10:00:00.000Z')
  expect(await kept()).toEqual([
    { email: userRegistered.example.email, confirmed_email: 'second@example.com' },
  ])
  await deleted(id)
  await confirmed('late@example.com', '2026-08-03T10:00:00.000Z')
  expect(await kept()).toEqual([{ email: null, confirmed_email: null }])
})

test('a registered user is known by name and address', async () => {
  const id = randomUUID()
  await registered(id)
  expect(await known(id)).toMatchObject({
    name: userRegistered.example.name,
    email: userRegistered.example.email,
  })
})

test('nothing personal is left of a deleted user, and an event that comes late brings nothing back', async () => {
  const [before, after] = [randomUUID(), randomUUID()]
  await registered(before)
  await deleted(before)
  await deleted(after)
  await registered(after)
  await updated(after, 'late', '2036-08-02T10:00:00.000Z')
  await updated(before, 'late', '2036-08-02T10:00:00.000Z')
  for (const id of [before, after])
    expect(await known(id)).toEqual({ name: null, email: null, deleted: true })
})

test('what identity did not sign changes nothing', async () => {
  const id = randomUUID()
  const forged = { ...userRegistered, context: 'notifications' }
  expect((await deliverExample(consumer, forged, { user_id: id })).status).toBe(500)
  expect(await known(id)).toBeUndefined()
})

test('a new owner of an address takes pushes and phone from whoever had the password before, once', async () => {
  const ada = randomUUID()
  const { db } = consumer.tools
  await db.query({
    text: `insert into push_subscriptions (user_id, endpoint, p256dh, auth, created_at, token_issued_at)
      select $1, 'https://push.example/' || at, '', '', at::timestamptz, at::timestamptz
      from unnest(array['2026-08-01T10:00:00Z', '2026-08-03T10:00:00Z']) at`,
    values: [ada],
  })
  const count = async () =>
    (await db.query({ text: 'select from push_subscriptions where user_id = $1', values: [ada] })).length
  const change = { user_id: ada, changed_at: '2026-08-02T10:00:00.000Z' }
  const enter = (phone: string) =>
    db.query({ text: 'update contacts set phone = $2 where user_id = $1', values: [ada, phone] })
  const phone = async () =>
    (await db.query({ text: 'select phone from contacts where user_id = $1', values: [ada] }))[0]!
      .phone as string
  await registered(ada)
  await enter('+436601234567')
  await deliverExample(consumer, passwordChanged, { ...change, by_new_owner: false })
  expect([await count(), await phone()]).toEqual([2, '+436601234567'])
  await deliverExample(consumer, passwordChanged, { ...change, by_new_owner: true })
  expect([await count(), await phone()]).toEqual([1, null])
  await enter('+436607654321')
  await deliverExample(consumer, passwordChanged, { ...change, by_new_owner: true })
  expect([await count(), await phone()]).toEqual([1, '+436607654321'])
})
