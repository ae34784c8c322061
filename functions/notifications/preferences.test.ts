import { randomUUID } from 'node:crypto'
import { passwordChanged } from '../../eventing/contracts/password.changed.ts'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { userRegistered } from '../../eventing/contracts/user.registered.ts'
import { testDatabase, WAITING_LOCKS, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { isPushService } from './channels/push-services.ts'
import keepContacts from './keep-contacts.ts'
import { lockOwner } from './owner.ts'
import preferences from './preferences.ts'
import { deliverExample } from '../../tests/support/events.ts'
import { until } from '../../tests/support/until.ts'

let database: TestDatabase
let contacts: TestFunction
let host: TestFunction

beforeAll(async () => {
  database = await testDatabase('notifications')
  const env = {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    MESSAGE_CHANNELS: 'email, push',
    VAPID_PUBLIC_KEY: 'BPublic',
  }
  contacts = await startFunction(keepContacts, env)
  host = await startFunction(preferences, env)
})

afterAll(async () => {
  await contacts.stop()
  await host.stop()
  await database.drop()
})

const ask = async (
  userId: string,
  method: string,
  path: string,
  body?: object,
  role: 'customer' | 'operator' = 'customer',
  headers: Record<string, string> = {},
) => host.request(method, `/notifications/${path}`, { token: await token({ userId, role }), body, headers })

const nameOf = ({ body }: { body: { type: string } }): string => body.type.split('/').at(-1)!

const subscription = (endpoint = `https://fcm.googleapis.com/${randomUUID()}`) => ({
  endpoint,
  expirationTime: null,
  keys: { p256dh: `B${'x'.repeat(86)}`, auth: 'y'.repeat(22) },
})

test('without a choice, all is as usual; a choice replaces the one before', async () => {
  const ada = randomUUID()
  const usual = await ask(ada, 'GET', 'preferences')
  expect(usual).toMatchObject({
    status: 200,
    body: {
      ...{
        language: 'en',
        channels: ['email', 'push'],
        email: null,
        phone: null,
        push_public_key: 'BPublic',
      },
      events: {
        'transaction.completed': { email: false, sms: false, push: true },
        'account.frozen': { email: true, sms: false, push: true },
        'session.started': { email: true, sms: true, push: true },
      },
    },
  })
  const chosen = { language: 'de', events: { 'transaction.completed': { email: true, push: false } } }
  const put = await ask(ada, 'PUT', 'preferences', chosen)
  expect(put).toMatchObject({
    status: 200,
    body: { language: 'de', events: { 'transaction.completed': { email: true, sms: false, push: false } } },
  })
  expect((await ask(ada, 'GET', 'preferences')).body).toEqual(put.body)
  expect((await ask(randomUUID(), 'GET', 'preferences')).body).toEqual(usual.body)
  expect((await ask(ada, 'PUT', 'preferences', {})).body).toEqual(usual.body)
  // A link is a secret that goes by email, so there is nothing to choose.
  expect(usual.body.events).not.toHaveProperty('password.reset-requested')
  const bySms = await ask(ada, 'PUT', 'preferences', {
    events: { 'password.reset-requested': { sms: true } },
  })
  expect(bySms.status).toBe(400)
})

test('messages about security can’t be switched off', async () => {
  const ada = randomUUID()
  for (const type of ['session.started', 'password.changed', 'email.changed']) {
    const answer = await ask(ada, 'PUT', 'preferences', { events: { [type]: { sms: false } } })
    expect([type, answer.status, nameOf(answer)]).toEqual([type, 422, 'security-message'])
  }
  const on = await ask(ada, 'PUT', 'preferences', { events: { 'session.started': { email: true } } })
  expect(on.status).toBe(200)
})

test('bad input changes nothing', async () => {
  const ada = randomUUID()
  for (const body of [
    { language: 'fr' },
    { events: { 'ledger.broken': { email: true } } },
    { events: { 'hold.placed': { email: 'yes' } } },
    { events: { 'hold.placed': { 'in-app': false } } },
    { phone: '+436601234567' },
  ])
    expect([body, (await ask(ada, 'PUT', 'preferences', body)).status]).toEqual([body, 400])
  expect((await host.request('GET', '/notifications/preferences')).status).toBe(401)
})

test('only an operator enters a phone number, of a user who exists, and it is audited', async () => {
  const ada = randomUUID()
  await deliverExample(contacts, userRegistered, { user_id: ada })
  const enter = (id: string, phone: unknown, role: 'customer' | 'operator' = 'operator') =>
    ask(ada, 'PUT', `contacts/${id}/phone`, { phone }, role)
  expect((await enter(ada, '+436601234567', 'customer')).status).toBe(403)
  expect((await enter(randomUUID(), '+436601234567')).status).toBe(404)
  for (const phone of ['0660', '+0660123456', '+43 660', '+43660123456789012', '+4366012345\n', 5])
    expect([phone, (await enter(ada, phone)).status]).toEqual([phone, 400])
  expect((await enter(ada, '+436601234567')).status).toBe(204)
  expect((await ask(ada, 'GET', 'preferences')).body).toMatchObject({
    phone: '+436601234567',
    email: userRegistered.example.email,
  })
  const audit = await host.tools.db.query<{ details: object }>({
    text: `select details from audit where owner_id = $1 and operation = 'preferences'`,
    values: [ada],
  })
  expect(audit).toHaveLength(1)
  expect(JSON.stringify(audit)).not.toContain('43660')
  expect((await enter(ada, null)).status).toBe(204)
})

test('a browser subscribes and unsubscribes; the same endpoint stays one subscription', async () => {
  const ada = randomUUID()
  const body = subscription()
  const first = await ask(ada, 'POST', 'push-subscriptions', body)
  expect(first).toMatchObject({ status: 201, body: { id: expect.any(String) } })
  expect((await ask(ada, 'POST', 'push-subscriptions', body)).body).toEqual(first.body)
  const key = { 'idempotency-key': randomUUID() }
  const keyed = await ask(ada, 'POST', 'push-subscriptions', body, 'customer', key)
  const again = await ask(ada, 'POST', 'push-subscriptions', body, 'customer', key)
  expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([keyed.body, 'true'])
  const path = `push-subscriptions/${first.body.id as string}`
  expect((await ask(randomUUID(), 'DELETE', path)).status).toBe(404)
  expect((await ask(ada, 'DELETE', path)).status).toBe(204)
  expect((await ask(ada, 'DELETE', path)).status).toBe(404)
})

test('a user has at most 20 subscriptions, however many come at once', async () => {
  const ada = randomUUID()
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => ask(ada, 'POST', 'push-subscriptions', subscription())),
  )
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20)
  expect(new Set(answers.filter(({ status }) => status !== 201).map(nameOf))).toEqual(
    new Set(['too-many-subscriptions']),
  )
})

test('a browser that another user subscribes no longer gets what is for the first', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  const body = subscription()
  const mine = await ask(ada, 'POST', 'push-subscriptions', body)
  expect((await ask(bob, 'POST', 'push-subscriptions', body)).status).toBe(201)
  const path = `push-subscriptions/${mine.body.id as string}`
  expect((await ask(ada, 'DELETE', path)).status).toBe(404)
})

test('only endpoints of known push services are taken', async () => {
  const ada = randomUUID()
  for (const endpoint of [
    'http://fcm.googleapis.com/x',
    'https://fcm.googleapis.com:8443/x',
    'https://fcm.googleapis.com@127.0.0.1/x',
    'https://user:pass@fcm.googleapis.com/x',
    'https://fcm.googleapis.com.evil.example/x',
    'https://evilpush.apple.com/x',
    'https://169.254.169.254/latest',
    'https://fcm.googleapis.com/\0',
    'https://fcm.googleapis.com/\ud800',
    'https://fcm.googleapis.com/\u202e',
    'http://notifications-postgres.data.svc.cluster.local:5432/',
    'not a url',
  ]) {
    const answer = await ask(ada, 'POST', 'push-subscriptions', subscription(endpoint))
    expect([endpoint, answer.status, nameOf(answer)]).toEqual([endpoint, 422, 'unknown-push-service'])
  }
  expect(isPushService('https://api.push.apple.com/x', ['*.push.apple.com'])).toBe(true)
  expect(isPushService('https://push.apple.com/x', ['*.push.apple.com'])).toBe(false)
})

test('a deleted user whose token is still good stores nothing any more', async () => {
  const ada = randomUUID()
  await deliverExample(contacts, userDeleted, { user_id: ada })
  const answers = [
    await ask(ada, 'PUT', 'preferences', { language: 'de' }),
    await ask(ada, 'POST', 'push-subscriptions', subscription()),
  ]
  expect(answers.map(nameOf)).toEqual(['not-found', 'not-found'])
  expect((await ask(ada, 'GET', 'preferences')).body.language).toBe('en')
})

const renew = (userId: string, changedAt: Date) =>
  deliverExample(contacts, passwordChanged, {
    ...{ user_id: userId, changed_at: changedAt.toISOString(), by_new_owner: true },
  })
const inAnHour = () => new Date(Date.now() + 3_600_000)
const subscriptionsOf = (userId: string) =>
  host.tools.db.query({ text: 'select from push_subscriptions where user_id = $1', values: [userId] })

test('whoever had the password before the owner of the address subscribes and chooses nothing any more', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  await renew(ada, inAnHour())
  const answers = [
    await ask(ada, 'PUT', 'preferences', { language: 'de' }),
    await ask(ada, 'POST', 'push-subscriptions', subscription()),
  ]
  expect(answers.map(nameOf)).toEqual(['unauthenticated', 'unauthenticated'])
  expect(await subscriptionsOf(ada)).toEqual([])
  expect((await ask(ada, 'GET', 'preferences')).body.language).toBe('en')
  // A token that is as old as the password is the owner's.
  await renew(bob, new Date(Date.now() - 1_000))
  expect((await ask(bob, 'POST', 'push-subscriptions', subscription())).status).toBe(201)
})

test('a subscription that is made with an earlier token before the new owner is known here does not stay', async () => {
  const ada = randomUUID()
  const earlier = await token({ userId: ada })
  // Tokens have whole seconds.
  const changedAt = new Date((Math.floor(Date.now() / 1000) + 1) * 1000)
  await until(() => Date.now() > changedAt.getTime())
  for (const bearer of [earlier, await token({ userId: ada })]) {
    const sent = { token: bearer, body: subscription() }
    expect((await host.request('POST', '/notifications/push-subscriptions', sent)).status).toBe(201)
  }
  await renew(ada, changedAt)
  expect(await subscriptionsOf(ada)).toHaveLength(1)
})

test.each([
  ['a new owner takes the address', (userId: string) => renew(userId, inAnHour())],
  ['the user is deleted', (userId: string) => deliverExample(contacts, userDeleted, { user_id: userId })],
])('a subscription that is made while %s does not stay', async (_, happens) => {
  const ada = randomUUID()
  const { db } = host.tools
  const waiting = async () => (await db.query({ text: WAITING_LOCKS })).length
  const both = await db.transaction(async (tx) => {
    await lockOwner(tx, ada)
    const subscribing = ask(ada, 'POST', 'push-subscriptions', subscription())
    await until(async () => (await waiting()) === 1, { what: 'the subscription to wait' })
    const happening = happens(ada)
    // It waits for the subscription, or it would not see it.
    await until(async () => (await waiting()) === 2, { what: 'the event to wait' })
    return [subscribing, happening]
  })
  await Promise.all(both)
  expect(await subscriptionsOf(ada)).toEqual([])
})
