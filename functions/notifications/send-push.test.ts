import { createDecipheriv, createECDH, hkdfSync, randomBytes, randomUUID, type ECDH } from 'node:crypto'
import { importJWK, jwtVerify } from 'jose'
import webPush from 'web-push'
import { messageDue } from '../../eventing/contracts/message.due.ts'
import { sessionStarted } from '../../eventing/contracts/session.started.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import notifyUser from './notify-user.ts'
import preferences from './preferences.ts'
import sendPush from './send-push.ts'
import { deliverExample } from '../../tests/support/events.ts'
import { startProvider, type TestProvider } from './testing/provider.ts'

const vapid = webPush.generateVAPIDKeys()
let database: TestDatabase
let provider: TestProvider
let env: Record<string, string>
let notify: TestFunction
let subscriptions: TestFunction
let sender: TestFunction

beforeAll(async () => {
  database = await testDatabase('notifications')
  provider = await startProvider()
  env = {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    MESSAGE_CHANNELS: 'push',
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    VAPID_SUBJECT: 'mailto:operator@bank.example',
    PUSH_SERVICES: provider.url,
  }
  notify = await startFunction(notifyUser, env)
  subscriptions = await startFunction(preferences, env)
  sender = await startFunction(sendPush, env)
})

afterAll(async () => {
  for (const each of [notify, subscriptions, sender]) await each.stop()
  await provider.stop()
  await database.drop()
})

interface Browser {
  id: string
  path: string
  ecdh: ECDH
  auth: Buffer
}

/** Subscribes a browser of the user, as its PushManager would. */
async function subscribe(userId: string): Promise<Browser> {
  const ecdh = createECDH('prime256v1')
  const auth = randomBytes(16)
  const path = `/${randomUUID()}`
  const keys = { p256dh: ecdh.generateKeys().toString('base64url'), auth: auth.toString('base64url') }
  const { body } = await subscriptions.request('POST', '/notifications/push-subscriptions', {
    token: await token({ userId }),
    body: { endpoint: provider.url + path, keys },
  })
  return { id: body.id, path, ecdh, auth }
}

/** Decrypts a message as a browser does (RFC 8291; RFC 8188). */
function decrypted(body: Buffer, { ecdh, auth }: Browser): { title: string; body: string } {
  const salt = body.subarray(0, 16)
  const idEnd = 21 + body[20]!
  const senderKey = body.subarray(21, idEnd)
  const derive = (from: Uint8Array, by: Uint8Array, info: Uint8Array | string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', from, by, info, length))
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), senderKey])
  const secret = derive(ecdh.computeSecret(senderKey), auth, info, 32)
  const key = derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16)
  const decipher = createDecipheriv('aes-128-gcm', key, derive(secret, salt, 'Content-Encoding: nonce\0', 12))
  decipher.setAuthTag(body.subarray(-16))
  const padded = Buffer.concat([decipher.update(body.subarray(idEnd, -16)), decipher.final()])
  return JSON.parse(padded.subarray(0, padded.lastIndexOf(2)).toString())
}

const query = <Row extends object>(text: string, ...values: unknown[]) =>
  sender.tools.db.query<Row>({ text, values })

const logIn = (userId: string) => deliverExample(notify, sessionStarted, { user_id: userId })

async function deliverDue(userId: string, by = sender): Promise<number[]> {
  const statuses = []
  for (const { id } of await query<{ id: string }>(
    `select id from messages where user_id = $1 order by id`,
    userId,
  ))
    statuses.push((await deliverExample(by, messageDue, { message_id: id, channel: 'push' })).status)
  return statuses
}

const statesOf = async (userId: string): Promise<string[]> =>
  (await query<{ status: string }>(`select status from messages where user_id = $1 order by id`, userId)).map(
    ({ status }) => status,
  )

test('each browser of a user gets a message that only it can read, signed with the bank’s key', async () => {
  const ada = randomUUID()
  const browsers = [await subscribe(ada), await subscribe(ada)]
  await logIn(ada)
  expect(await deliverDue(ada)).toEqual([204, 204])
  expect(await deliverDue(ada)).toEqual([204, 204])
  const requests = provider.requests.splice(0)
  expect(requests).toHaveLength(2)
  for (const browser of browsers) {
    const { headers, body } = requests.find(({ path }) => path === browser.path)!
    expect(decrypted(body, browser)).toMatchObject({
      title: 'New log-in',
      body: expect.stringContaining('from 192.0.2.7'),
    })
    expect(headers).toMatchObject({ 'content-encoding': 'aes128gcm', ttl: '86400' })
    const [, jwt, key] = /^vapid t=(\S+), k=(\S+)$/.exec(String(headers.authorization))!
    expect(key).toBe(vapid.publicKey)
    const point = Buffer.from(vapid.publicKey, 'base64url')
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'))
    const verified = await jwtVerify(
      jwt!,
      await importJWK({ kty: 'EC', crv: 'P-256', x: x!, y: y! }, 'ES256'),
    )
    expect(verified.payload).toMatchObject({ aud: provider.url, sub: env.VAPID_SUBJECT })
  }
  expect(await statesOf(ada)).toEqual(['sent', 'sent'])
})

test('one browser’s failure delays no other’s message, and its topic stays the same', async () => {
  const ada = randomUUID()
  await subscribe(ada)
  await subscribe(ada)
  await logIn(ada)
  provider.answers.push({ status: 500 })
  expect(await deliverDue(ada)).toEqual([503, 204])
  expect(await statesOf(ada)).toEqual(['stored', 'sent'])
  expect(await deliverDue(ada)).toEqual([204, 204])
  const topics = provider.requests.splice(0).map(({ headers }) => headers.topic)
  expect([topics.length, topics[0]]).toEqual([3, topics[2]])
})

test('a subscription that has ended is forgotten; other refusals leave it', async () => {
  const ada = randomUUID()
  const [gone, tooLarge] = [await subscribe(ada), await subscribe(ada)]
  await logIn(ada)
  provider.answers.push({ status: 410 }, { status: 413 })
  expect(await deliverDue(ada)).toEqual([204, 204])
  expect(await statesOf(ada)).toEqual(['failed', 'failed'])
  const left = await query<{ id: string }>(`select id from push_subscriptions where user_id = $1`, ada)
  expect(left.map(({ id }) => id)).toEqual([tooLarge.id])
  expect(left.map(({ id }) => id)).not.toContain(gone.id)
  provider.requests.splice(0)
})

test('a message for a subscription that was removed meanwhile fails, and asks no service', async () => {
  const ada = randomUUID()
  const { id } = await subscribe(ada)
  await logIn(ada)
  await query(`delete from push_subscriptions where id = $1`, id)
  expect(await deliverDue(ada)).toEqual([204])
  expect([await statesOf(ada), provider.requests]).toEqual([['failed'], []])
})

test('a subscription stored before its service was taken off the list is not used', async () => {
  const ada = randomUUID()
  await subscribe(ada)
  await logIn(ada)
  const strict = await startFunction(sendPush, { ...env, PUSH_SERVICES: 'fcm.googleapis.com' })
  expect(await deliverDue(ada, strict)).toEqual([204])
  await strict.stop()
  expect([await statesOf(ada), provider.requests]).toEqual([['failed'], []])
})

test('a subscription whose key is no point of its curve is not tried again', async () => {
  const ada = randomUUID()
  await subscribe(ada)
  await query(`update push_subscriptions set p256dh = $2 where user_id = $1`, ada, `B${'x'.repeat(86)}`)
  await logIn(ada)
  expect(await deliverDue(ada)).toEqual([204])
  expect([await statesOf(ada), provider.requests.splice(0)]).toEqual([['failed'], []])
})
