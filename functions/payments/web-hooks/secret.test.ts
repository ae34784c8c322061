import { Webhook } from 'standardwebhooks'
import { secretOf, signedHeaders } from './secret.ts'

const key = 'a key of web hooks that is only good for tests'
const message = {
  id: 'a2f3',
  timestamp: Math.floor(Date.now() / 1000),
  body: '{"type":"a.b","text":"é\u2028"}',
}

test('the published library of Standard Webhooks verifies our signatures', () => {
  const secret = secretOf(key, 'hook', 1)
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(new Webhook(secret).verify(message.body, signedHeaders(message, [secret]))).toEqual(
    JSON.parse(message.body),
  )
})

test('each of two secrets verifies what is signed with both, and no other does', () => {
  const [older, newer, next] = [1, 2, 3].map((number) => secretOf(key, 'hook', number))
  const headers = signedHeaders(message, [newer!, older!])
  for (const secret of [older, newer])
    expect(new Webhook(secret!).verify(message.body, headers)).toEqual(JSON.parse(message.body))
  for (const other of [next, secretOf(key, 'another hook', 1), secretOf(`${key}.`, 'hook', 1)])
    expect(() => new Webhook(other!).verify(message.body, headers)).toThrow('signature')
})

test.each([
  ['body', { body: '{}' }],
  ['id', { id: 'a2f4' }],
  ['time', { timestamp: message.timestamp + 1 }],
])('a changed %s is not verified', (_what, change) => {
  const secret = secretOf(key, 'hook', 1)
  const signature = signedHeaders(message, [secret])['webhook-signature']!
  const headers = { ...signedHeaders({ ...message, ...change }, [secret]), 'webhook-signature': signature }
  expect(() => new Webhook(secret).verify({ ...message, ...change }.body, headers)).toThrow('signature')
})
