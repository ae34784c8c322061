import { randomUUID } from 'node:crypto'
import { userRegistered } from '../../eventing/contracts/user.registered.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import keepContacts from './keep-contacts.ts'
import notifications from './notifications.ts'
import { perDayMax } from './channels/message.ts'
import sendNotification from './send-notification.ts'
import { deliverExample } from '../../tests/support/events.ts'

let database: TestDatabase
let contacts: TestFunction
let host: TestFunction
let reader: TestFunction
let ada: string

beforeAll(async () => {
  database = await testDatabase('notifications')
  const env = {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    MESSAGE_CHANNELS: 'email,sms',
  }
  contacts = await startFunction(keepContacts, env)
  host = await startFunction(sendNotification, env)
  reader = await startFunction(notifications, env)
})

beforeEach(async () => {
  ada = randomUUID()
  await deliverExample(contacts, userRegistered, { user_id: ada })
})

afterAll(async () => {
  for (const each of [contacts, host, reader]) await each.stop()
  await database.drop()
})

const operator = randomUUID()

const send = async (
  body: object,
  headers: Record<string, string> = {},
  role: 'customer' | 'operator' = 'operator',
) =>
  host.request('POST', '/notifications/send', {
    token: await token({ userId: operator, role }),
    body: { user_id: ada, channel: 'email', ...body },
    headers,
  })

const count = async (table: string): Promise<number> =>
  Number(
    (
      await host.tools.db.query<{ n: bigint }>({
        text: `select count(*) as n from ${table} where user_id = $1`,
        values: [ada],
      })
    )[0]!.n,
  )

const nameOf = ({ body }: { body: { type: string } }): string => body.type.split('/').at(-1)!

test('an operator’s message is stored with its notification, audited without its words', async () => {
  const sent = await send({ message: 'Line one\nLine two' })
  expect(sent).toMatchObject({
    status: 202,
    body: { id: expect.any(String), user_id: ada, channel: 'email' },
  })
  expect(sent.headers.get('location')).toBe(`/api/notifications/${sent.body.id as string}`)
  const read = await reader.request('GET', `/notifications/${sent.body.id as string}`, {
    token: await token({ userId: ada }),
  })
  expect(read.body).toMatchObject({
    ...{ message: 'Line one\nLine two', channel: 'email', event_type: 'notification.requested' },
    messages: [{ channel: 'email', status: 'stored', attempts: [] }],
  })
  const audit = await host.tools.db.query({
    text: `select caller_id, owner_id, details::text as details from audit where subject = $1`,
    values: [sent.body.id],
  })
  expect(audit).toEqual([{ caller_id: operator, owner_id: ada, details: expect.any(String) }])
  expect(JSON.stringify(audit)).not.toContain('Line one')
})

test('a template is written in the user’s language', async () => {
  await host.tools.db.query({
    text: `insert into preferences (user_id, language) values ($1, 'de')`,
    values: [ada],
  })
  const { body } = await send({ template: 'please-call', channel: 'in-app' })
  const read = await reader.request('GET', `/notifications/${body.id as string}`, {
    token: await token({ userId: ada }),
  })
  expect(read.body).toMatchObject({
    message: expect.stringContaining('Bitte rufen Sie uns an'),
    channel: 'in-app',
    messages: [],
  })
})

test('repeated with its key, and many times at once, it is sent once', async () => {
  const headers = { 'idempotency-key': randomUUID() }
  const first = await send({ message: 'once' }, headers)
  const again = await send({ message: 'once' }, headers)
  expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([
    202,
    first.body,
    'true',
  ])
  expect(nameOf(await send({ message: 'other' }, headers))).toBe('idempotency-key-reused')
  const key = { 'idempotency-key': randomUUID() }
  const answers = await Promise.all(Array.from({ length: 8 }, () => send({ message: 'at once' }, key)))
  expect(new Set(answers.map(({ status }) => status)).has(202)).toBe(true)
  expect([await count('notifications'), await count('messages')]).toEqual([2, 2])
})

test('it is refused by name, and nothing is stored', async () => {
  const refusals = [
    [{ message: 'x', channel: 'push' }, 409, 'channel-off'],
    [{ message: 'x', channel: 'sms' }, 409, 'not-reachable'],
    [{ message: 'x', user_id: randomUUID() }, 404, 'not-found'],
    [{ message: ' \n ' }, 400, 'invalid-input'],
    [{ message: 'a\u202eb' }, 400, 'invalid-input'],
    [{ message: 'a\u0000b' }, 400, 'invalid-input'],
    [{ message: 'x'.repeat(2001) }, 400, 'invalid-input'],
    [{ template: 'none' }, 400, 'invalid-input'],
    [{}, 400, 'invalid-input'],
    [{ message: 'x', template: 'please-call' }, 400, 'invalid-input'],
  ] as const
  for (const [body, status, name] of refusals) {
    const answer = await send(body)
    expect([body, answer.status, nameOf(answer)]).toEqual([body, status, name])
  }
  expect((await send({ message: 'x' }, {}, 'customer')).status).toBe(403)
  expect((await host.request('POST', '/notifications/send', { body: {} })).status).toBe(401)
  expect([await count('notifications'), await count('messages')]).toEqual([0, 0])
})

test('a user who has got too many messages today gets no further one over that channel', async () => {
  await host.tools.db.query({
    text: `insert into messages (notification_id, user_id, channel, kind, content)
      select (select id from notifications limit 1), $1, 'email', 'notification.requested', '{}'
      from generate_series(1, ${perDayMax.email.other})`,
    values: [ada],
  })
  const before = await count('notifications')
  const refused = await send({ message: 'one more' })
  expect([refused.status, nameOf(refused)]).toEqual([409, 'too-many-messages'])
  expect(await count('notifications')).toBe(before)
  expect((await send({ message: 'one more', channel: 'in-app' })).status).toBe(202)
})
