import { randomUUID } from 'node:crypto'
import { messageDue } from '../../eventing/contracts/message.due.ts'
import { sessionStarted } from '../../eventing/contracts/session.started.ts'
import { userRegistered } from '../../eventing/contracts/user.registered.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, type TestFunction } from '../../tests/support/host.ts'
import keepContacts from './keep-contacts.ts'
import notifyUser from './notify-user.ts'
import sendSms from './send-sms.ts'
import { deliverExample } from '../../tests/support/events.ts'
import { startProvider, type TestProvider } from './testing/provider.ts'

let database: TestDatabase
let provider: TestProvider
let contacts: TestFunction
let notify: TestFunction
let sender: TestFunction
/** The same, but it waits for a provider only some seconds. */
let hasty: TestFunction

beforeAll(async () => {
  database = await testDatabase('notifications')
  provider = await startProvider()
  const env = {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    MESSAGE_CHANNELS: 'sms',
    SMS_URL: `${provider.url}/send?v=1`,
    SMS_TOKEN: 'token of the provider',
    SMS_BODY: '{"recipients":["{to}"],"content":{"body":"{text}","ref":"{id}"},"flash":false}',
  }
  contacts = await startFunction(keepContacts, env)
  notify = await startFunction(notifyUser, env)
  sender = await startFunction(sendSms, env)
  hasty = await startFunction(sendSms, { ...env, MESSAGE_TIMEOUT_MS: '2000' })
})

afterAll(async () => {
  for (const each of [contacts, notify, sender, hasty]) await each.stop()
  await provider.stop()
  await database.drop()
})

const query = <Row extends object>(text: string, ...values: unknown[]) =>
  sender.tools.db.query<Row>({ text, values })

/** Enters a user with a phone number who logs in. Resolves with their id and the message's. */
async function loggedIn(address?: string): Promise<{ userId: string; id: string }> {
  const userId = randomUUID()
  await deliverExample(contacts, userRegistered, { user_id: userId })
  await query(`update contacts set phone = '+436601234567' where user_id = $1`, userId)
  await deliverExample(notify, sessionStarted, {
    user_id: userId,
    ...(address && { client_address: address }),
  })
  const [message] = await query<{ id: string }>(`select id from messages where user_id = $1`, userId)
  return { userId, id: message!.id }
}

const deliver = async (id: string, by = sender): Promise<number> =>
  (await deliverExample(by, messageDue, { message_id: id, channel: 'sms' })).status

const state = async (id: string) =>
  (
    await query<{ status: string; attempts: number; seconds: number; answer: string }>(
      `select status, attempts, extract(epoch from next_attempt_at - now())::integer as seconds,
        (select answer from message_attempts where message_id = m.id order by attempt desc limit 1) as answer
      from messages m where id = $1`,
      id,
    )
  )[0]!

test('a message goes to the provider in its own format, with the same key for each attempt', async () => {
  const { id } = await loggedIn()
  provider.answers.push({ status: 500, body: 'oops' })
  expect(await deliver(id)).toBe(503)
  expect(await deliver(id)).toBe(204)
  expect(await deliver(id)).toBe(204)
  const [first, second, ...more] = provider.requests.splice(0)
  expect(more).toEqual([])
  expect(first!.body).toEqual(second!.body)
  expect(second).toMatchObject({
    path: '/send?v=1',
    headers: { authorization: 'Bearer token of the provider', 'idempotency-key': id },
  })
  expect(JSON.parse(second!.body.toString())).toEqual({
    recipients: ['+436601234567'],
    content: { body: expect.stringMatching(/^Somebody logged in as you on .* from 192\.0\.2\.7\./), ref: id },
    flash: false,
  })
  expect(await state(id)).toMatchObject({ status: 'sent', attempts: 2 })
})

test('what a message says can’t change the structure of the request, nor be a placeholder', async () => {
  const { id } = await loggedIn('","to":"+1900666\n{to}{id}')
  await deliver(id)
  const body = JSON.parse(provider.requests.splice(0)[0]!.body.toString())
  expect(Object.keys(body)).toEqual(['recipients', 'content', 'flash'])
  expect(body.content.body).toContain('","to":"+1900666 {to}{id}')
})

test('a provider that asks to wait is left alone for so long', async () => {
  const { id } = await loggedIn()
  provider.answers.push({ status: 429, headers: { 'retry-after': '1800' }, body: 'slow down' })
  expect(await deliver(id)).toBe(204)
  expect(await deliver(id)).toBe(204)
  expect(provider.requests.splice(0)).toHaveLength(1)
  const { status, seconds, answer } = await state(id)
  expect([status, answer]).toEqual(['stored', '429 slow down'])
  expect(seconds).toBeGreaterThan(1700)

  const forever = await loggedIn()
  provider.answers.push({ status: 503, headers: { 'retry-after': '999999999' } })
  await deliver(forever.id)
  expect((await state(forever.id)).seconds).toBeLessThanOrEqual(6 * 3600)
  const date = await loggedIn()
  const at = new Date(Date.now() + 3_000_000).toUTCString()
  provider.answers.push({ status: 503, headers: { 'retry-after': at } })
  await deliver(date.id)
  expect((await state(date.id)).seconds).toBeGreaterThan(2900)
  provider.requests.splice(0)
})

test('a provider that hangs, redirects, refuses or answers garbage is understood', async () => {
  const cases = [
    ['silence', 503, 'stored'],
    [{ status: 307, headers: { location: 'http://127.0.0.1:9/' } }, 204, 'failed'],
    [{ status: 400, body: 'bad number' }, 204, 'failed'],
    [{ status: 401 }, 503, 'stored'],
    [{ status: 200, body: 'taken', isEndless: true }, 204, 'sent'],
    [{ status: 200, body: `\u0000\u202e${'garbage '.repeat(100_000)}` }, 204, 'sent'],
  ] as const
  for (const [answer, expected, status] of cases) {
    const { id } = await loggedIn()
    provider.answers.push(answer)
    expect([answer, await deliver(id, hasty)]).toEqual([answer, expected])
    const after = await state(id)
    expect([answer, after.status]).toEqual([answer, status])
    expect(after.answer.length).toBeLessThanOrEqual(500)
  }
  provider.requests.splice(0)
})

test('a user without a phone number gets no text message', async () => {
  const userId = randomUUID()
  await deliverExample(contacts, userRegistered, { user_id: userId })
  await deliverExample(notify, sessionStarted, { user_id: userId })
  expect(await query(`select from messages where user_id = $1`, userId)).toEqual([])
})
