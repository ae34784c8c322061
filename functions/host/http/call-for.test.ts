import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { RefusedForNowError, UnavailableError } from '../../../eventing/unavailable.ts'
import { callKey } from '../../../tests/support/host.ts'
import { createCallFor } from './call-for.ts'
import { createFunctionClient } from './call.ts'
import { createCallVerifier, signsBody } from './calls.ts'
import { createSend } from './send.ts'

const key = JSON.parse(callKey.privateJwk) as Record<string, unknown>
const userId = randomUUID()
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** The function that is called: notes what comes, and answers with what is next. */
const received: { request: http.IncomingMessage; body: string }[] = []
let answers: ((response: http.ServerResponse) => void)[] = []
const peer = http.createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    received.push({ request, body })
    const next = answers.shift()
    if (next) return next(response)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
})
let callFor: ReturnType<typeof createCallFor>

beforeAll(() => new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve)))
beforeEach(() => {
  received.length = 0
  answers = []
  const send = createSend({ host: '127.0.0.1', port: (peer.address() as AddressInfo).port })
  callFor = createCallFor(createFunctionClient(send, 'bank'), { context: 'payments', key })
})
afterAll(() => {
  peer.closeAllConnections()
  peer.close()
})

const status = (code: number) => (response: http.ServerResponse) => void response.writeHead(code).end()
const rubbish = (response: http.ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>')

test('each call has a token of its own, for its route and its key', async () => {
  const client = callFor(userId, TRACEPARENT, '203.0.113.9 signed')
  const call = { method: 'POST', path: '/holds', body: { amount: 1 }, idempotencyKey: 'payment-1' }
  expect(await client('place-hold', call)).toMatchObject({ status: 200, body: { ok: true } })
  await client('accounts', { path: '/accounts?status=open' })
  const [{ request, body }, reading] = received as [(typeof received)[0], (typeof received)[0]]
  expect(request.headers).toMatchObject({
    host: 'place-hold.bank',
    'idempotency-key': 'payment-1',
    'x-microbank-client': '203.0.113.9 signed',
    traceparent: TRACEPARENT,
  })
  expect(body).toBe('{"amount":1}')
  expect(signsBody(request.headers.authorization!.slice(7), { amount: 1 })).toBe(true)
  const verify = (operation: string, { headers }: http.IncomingMessage, path: string) =>
    createCallVerifier(JSON.parse(callKey.publicJwks), operation)(headers.authorization!.slice(7), {
      ...{ method: 'POST', path, onBehalf: ['payments'] },
      ...{ isIdempotent: true, idempotencyKey: 'payment-1' },
    })
  expect(await verify('place-hold', request, '/holds')).toMatchObject({ userId, via: 'payments' })
  const other = createCallVerifier(JSON.parse(callKey.publicJwks), 'accounts')
  const read = { method: 'GET', path: '/accounts', onBehalf: ['payments'] as const, isIdempotent: false }
  const bearer = reading.request.headers.authorization!.slice(7)
  expect(await other(bearer, { ...read, idempotencyKey: undefined })).toMatchObject({ userId })
  expect(bearer).not.toBe(request.headers.authorization!.slice(7))
})

test('D6: a call with a key is repeated, and rubbish counts as no answer', async () => {
  answers = [status(503), rubbish]
  const call = { method: 'POST', path: '/holds', body: {}, idempotencyKey: 'payment-1' }
  expect(await callFor(userId, TRACEPARENT)('place-hold', call)).toMatchObject({ status: 200 })
  expect(received.map(({ request }) => request.headers['idempotency-key'])).toEqual(
    Array(3).fill('payment-1'),
  )
})

test('a change without a key is asked for once', async () => {
  answers = [status(503)]
  const call = { method: 'POST', path: '/users/find', body: {} }
  await expect(callFor(userId, TRACEPARENT)('users', call)).rejects.toThrow(UnavailableError)
  expect(received).toHaveLength(1)
})

test('a refusal for now that concerns one request is not repeated, and stops no other request', async () => {
  const refuse =
    (name: string, status = 503) =>
    (response: http.ServerResponse) =>
      void response
        .writeHead(status, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ type: `https://bank.example/problems/${name}`, status }))
  const client = callFor(userId, TRACEPARENT)
  const pay = (key: string) =>
    client('transfer', { method: 'POST', path: '/transactions', body: {}, idempotencyKey: key })
  answers = Array.from({ length: 8 }, () => refuse('ledger-stopped'))
  for (let i = 0; i < 8; i++) await expect(pay(`stopped-${i}`)).rejects.toThrow(RefusedForNowError)
  expect(received).toHaveLength(8)
  expect(await pay('other')).toMatchObject({ status: 200 })
  // Nor does a customer who asks too often keep others from being served.
  answers = Array.from({ length: 8 }, () => refuse('too-many-requests', 429))
  for (let i = 0; i < 8; i++) await expect(pay(`often-${i}`)).rejects.toThrow(RefusedForNowError)
  expect(received).toHaveLength(17)
  expect(await pay('another')).toMatchObject({ status: 200 })
  // A function that is away is another matter.
  answers = Array.from({ length: 6 }, () => refuse('unavailable'))
  for (let i = 0; i < 2; i++) await expect(pay(`away-${i}`)).rejects.toThrow(UnavailableError)
  await expect(pay('later')).rejects.toThrow('is not called for now')
})
