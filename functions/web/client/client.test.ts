import { getEventListeners } from 'node:events'
import { openDatabase, type Database } from '../../host/database/database.ts'
import { createLog } from '../../../monitoring/log.ts'
import { whileClockStops } from '../../../tests/support/stopped-clock.ts'
import { until } from '../../../tests/support/until.ts'
import { createClient } from './client.ts'
import { BankProblem, NoAnswerError } from './problem.ts'
import { answerOf, problemOf, startLiar, type Liar } from './testing/liar-fixture.ts'
import { startSmallBank, type SmallBank } from './testing/small-bank-fixture.ts'
import type { BankClient } from './types.ts'

/** The client against a real front door and functions, with a server of raw sockets between them that loses,
 * cuts, delays and forges. */

let bank: SmallBank
let liar: Liar
let db: Database
let ada: BankClient
let account: string

const person = { email: 'ada@example.com', password: 'three blue herons' }

beforeAll(async () => {
  bank = await startSmallBank()
  liar = await startLiar(bank.url)
  const log = createLog({ service: 'test' }, 'error')
  db = openDatabase({ url: bank.ledger.ownerUrl, poolMax: 2, name: 'test-owner', log })
  ada = createClient({ url: liar.url, credentials: person })
  await ada.post('/api/auth/register', { body: { name: 'Ada', ...person } })
  account = (await ada.post('/api/accounts', { body: { account_type: 'checking' } })).id
})

beforeEach(() => {
  liar.fates = []
  liar.requests = []
})

afterAll(async () => {
  liar.stop()
  await db.close()
  await bank.stop()
})

const deposit = (amount: string) =>
  ({ body: { type: 'deposit', account_id: account, amount } as const }) as const
const balance = async () => (await ada.get('/api/accounts/{id}', { params: { id: account } })).balance
const keys = () => liar.requests.map((request) => /idempotency-key: (.*)\r/i.exec(request)?.[1])
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
const problem = async (work: Promise<unknown>) => (await failure(work)) as BankProblem

test('an answer that was lost after the commit is asked for again with the same key, and money moves once', async () => {
  const before = Number(await balance())
  liar.requests = []
  liar.fates = ['lose answer']
  const answer = await ada.request('POST /api/transactions', deposit('10.00'))
  expect(answer).toMatchObject({ status: 201, wasReplayed: true, attempts: 2, body: { amount: '10.00' } })
  expect(keys()).toEqual([answer.idempotencyKey, answer.idempotencyKey])
  expect(Number(await balance())).toBe(before + 10)
})

test('a call that may be sent once is not sent again, and the same key asks again', async () => {
  liar.requests = []
  liar.fates = ['lose answer']
  const given = { ...deposit('2.00'), idempotencyKey: 'once', attemptsMax: 1 }
  expect(await failure(ada.post('/api/transactions', given))).toMatchObject({
    ...{ attempts: 1, isOutcomeUnknown: true },
  })
  expect(keys()).toEqual(['once'])
  const again = await ada.request('POST /api/transactions', given)
  expect([again.wasReplayed, again.attempts]).toEqual([true, 1])
})

test('a key outlives a lost answer and a new token', async () => {
  liar.fates = ['lose answer', problemOf(401, 'unauthenticated')]
  const answer = await ada.request('POST /api/transactions', deposit('2.00'))
  expect([answer.wasReplayed, answer.attempts]).toEqual([true, 3])
  const key = answer.idempotencyKey
  // The third request is the refresh.
  expect(keys()).toEqual([key, key, undefined, key])
})

test('each call has a key of its own, and a given key makes two calls one', async () => {
  const first = await ada.request('POST /api/transactions', deposit('1.00'))
  const second = await ada.request('POST /api/transactions', deposit('1.00'))
  expect(first.idempotencyKey).not.toBe(second.idempotencyKey)
  expect([first.wasReplayed, first.attempts, second.body.id === first.body.id]).toEqual([false, 1, false])
  const { idempotencyKey } = first
  const again = await createClient({ url: bank.url, credentials: person }).request('POST /api/transactions', {
    ...deposit('1.00'),
    idempotencyKey: idempotencyKey!,
  })
  expect([again.wasReplayed, again.body.id]).toEqual([true, first.body.id])
})

test.each([
  ['lost requests', ['lose request', 'lose request']],
  ['half an answer', ['cut answer']],
  ['502 of a proxy', [answerOf(502, '<h1>Bad gateway</h1>')]],
  ['503 of a proxy', [answerOf(503, '<h1>Down</h1>', { 'retry-after': 'soon' })]],
  [
    '503 and 504',
    [problemOf(503, 'unavailable', { 'retry-after': '0' }), problemOf(504, 'upstream-timeout')],
  ],
  ['a key in use', [problemOf(409, 'idempotency-key-in-use')]],
  ['429', [problemOf(429, 'too-many-requests')]],
  ['JSON that is none', [answerOf(200, '{"id":', { 'content-type': 'application/json' })]],
  ['a page of HTML', [answerOf(200, '<h1>Log in to this hotel</h1>')]],
])('after %s a call is sent again, and its effect happens once', async (_what, fates) => {
  const before = Number(await balance())
  liar.requests = []
  liar.fates = [...fates]
  await ada.post('/api/transactions', deposit('2.00'))
  expect(liar.requests).toHaveLength(fates.length + 1)
  expect(new Set(keys()).size).toBe(1)
  expect(Number(await balance())).toBe(before + 2)
})

test('a GET is sent again, and what takes no key is sent once', async () => {
  liar.fates = ['lose request', 'cut answer']
  expect(await balance()).toMatch(/^\d+\.00$/)
  expect(liar.requests).toHaveLength(3)
  liar.fates = ['lose answer']
  const error = await failure(createClient({ url: liar.url }).post('/api/auth/login', { body: person }))
  expect(error).toBeInstanceOf(NoAnswerError)
  expect(error).toMatchObject({ attempts: 1, idempotencyKey: undefined })
  expect(liar.requests).toHaveLength(4)
})

test('a refusal is a typed problem, and is not asked for again', async () => {
  const other = (await ada.post('/api/accounts', { body: { account_type: 'savings' } })).id
  const body = { type: 'transfer', account_id: account, to_account_id: other, amount: '1000000.00' } as const
  liar.requests = []
  const refused = await problem(ada.post('/api/transactions', { body }))
  expect(refused).toBeInstanceOf(BankProblem)
  expect(refused).toMatchObject({
    ...{ status: 409, code: 'insufficient-funds', attempts: 1 },
    type: 'https://microbank.dev/problems/insufficient-funds',
    message: expect.stringMatching(/^the bank answered 409 insufficient-funds: .+/),
  })
  expect([refused.is('insufficient-funds'), refused.is('account-frozen', 'account-closed')]).toEqual([
    true,
    false,
  ])
  liar.fates = [problemOf(503, 'ledger-stopped', { 'retry-after': '60' })]
  expect((await problem(ada.post('/api/transactions', deposit('1.00')))).code).toBe('ledger-stopped')
  expect(liar.requests).toHaveLength(2)
})

test('a refusal that follows a lost answer does not hide that money may have moved', async () => {
  const before = Number(await balance())
  const tooMany = problemOf(429, 'too-many-requests', { 'retry-after': '600' })
  liar.fates = [tooMany]
  expect(await problem(ada.post('/api/transactions', deposit('4.00')))).toMatchObject({
    ...{ status: 429, attempts: 1, isOutcomeUnknown: false },
  })
  liar.fates = ['lose answer', tooMany]
  const refused = await problem(ada.post('/api/transactions', deposit('4.00')))
  expect(refused).toMatchObject({ status: 429, attempts: 2, isOutcomeUnknown: true })
  const { idempotencyKey } = refused
  const again = await ada.request('POST /api/transactions', {
    ...deposit('4.00'),
    idempotencyKey: idempotencyKey!,
  })
  expect([again.wasReplayed, Number(await balance())]).toEqual([true, before + 4])
  liar.fates = [problemOf(409, 'idempotency-key-in-use', { 'retry-after': '600' })]
  expect((await problem(ada.post('/api/transactions', deposit('4.00')))).isOutcomeUnknown).toBe(true)
})

test('if there is no token for a repeat, the error says that money may have moved', async () => {
  const { access_token } = await ada.post('/api/auth/login', { body: person })
  const cause = new Error('the session has ended')
  const tokens = [async () => access_token, () => Promise.reject(cause)]
  const client = createClient({ url: liar.url, token: () => tokens.shift()!() })
  liar.fates = ['lose answer']
  const error = await failure(client.post('/api/transactions', deposit('5.00')))
  expect(error).toBeInstanceOf(NoAnswerError)
  expect(error).toMatchObject({ cause, attempts: 1, isOutcomeUnknown: true, idempotencyKey: keys().at(-1) })
})

test('bad input says which field is wrong', async () => {
  const wrong = await problem(ada.post('/api/transactions', deposit('0.001')))
  expect(wrong).toMatchObject({ status: 400, errors: [{ path: '/amount', message: expect.any(String) }] })
})

test('a redirect is not followed, and an error that is no problem is told as it is', async () => {
  liar.fates = [answerOf(307, '', { location: 'http://127.0.0.1:1/' })]
  expect(await problem(ada.post('/api/transactions', deposit('1.00')))).toMatchObject({
    status: 307,
    code: '',
  })
  liar.fates = [answerOf(500, 'Oh.', { 'content-type': 'text/plain' })]
  const { message } = await problem(ada.post('/api/transactions', deposit('1.00')))
  expect(message).toBe('the bank answered 500: Oh.')
})

test('Retry-After is waited for, and a call that would wait for too long fails at once', async () => {
  liar.fates = [problemOf(429, 'too-many-requests', { 'retry-after': '1' })]
  const startedAt = performance.now()
  await ada.post('/api/transactions', deposit('1.00'))
  expect(performance.now() - startedAt).toBeGreaterThan(990)
  liar.fates = [problemOf(429, 'too-many-requests', { 'retry-after': '600' })]
  const refused = await problem(ada.post('/api/transactions', deposit('1.00')))
  expect(refused).toMatchObject({
    code: 'too-many-requests',
    attempts: 1,
    idempotencyKey: expect.any(String),
  })
})

test('nobody answers: each attempt has its time, and the call has its time, and the error has the key', async () => {
  liar.fates = ['hang']
  const answer = await ada.request('POST /api/transactions', { ...deposit('1.00'), timeoutMs: 1_000 })
  expect(answer.body.amount).toBe('1.00')
  expect(answer.attempts).toBeGreaterThan(1)

  liar.fates = Array.from({ length: 1000 }, () => 'hang')
  liar.requests = []
  let error: unknown
  await whileClockStops(async (pass) => {
    const given = { ...deposit('1.00'), timeoutMs: 50, totalMs: 600 }
    void failure(ada.post('/api/transactions', given)).then((failed) => (error = failed))
    await until(() => liar.requests.length > 0)
    await until(async () => (await pass(50), error !== undefined))
  })
  expect(error).toBeInstanceOf(NoAnswerError)
  expect(error).toMatchObject({
    idempotencyKey: keys().at(-1),
    message: expect.stringMatching(/^no answer from POST http.*\/api\/transactions after \d+ attempts: /),
  })
  expect((error as NoAnswerError).attempts).toBeGreaterThan(1)
})

test('a call ends at once when it is aborted: before it, in an attempt, in a pause', async () => {
  const reason = new Error('the user has left')
  expect(await failure(ada.get('/api/accounts', { signal: AbortSignal.abort(reason) }))).toBe(reason)
  expect(liar.requests).toEqual([])

  const abortAfter = async (fate: string) => {
    const controller = new AbortController()
    liar.fates = [fate]
    liar.requests = []
    const call = failure(ada.get('/api/accounts', { signal: controller.signal, totalMs: 300_000 }))
    while (liar.requests.length === 0) await new Promise(setImmediate)
    setTimeout(() => controller.abort(reason), 20)
    return call
  }
  expect(await abortAfter('hang')).toBe(reason)
  expect(await abortAfter(problemOf(503, 'unavailable', { 'retry-after': '120' }))).toBe(reason)
  expect(liar.requests).toHaveLength(1)
})

test('an order that is answered before it is posted says where to look', async () => {
  const accepted = await ada.request('POST /api/transactions', {
    ...deposit('3.00'),
    prefer: 'respond-async',
  })
  if (accepted.status !== 202) throw new Error('expected 202')
  expect([accepted.body.status, accepted.location]).toEqual([
    'pending',
    `/api/transactions/${accepted.body.id}`,
  ])
  // Its key repeats it, as any other.
  const posted = await ada.request('POST /api/transactions', {
    ...deposit('3.00'),
    idempotencyKey: accepted.idempotencyKey!,
  })
  expect(posted.body.id).toBe(accepted.body.id)
})

test('a list yields all that was there when it began, once, while new items come and pages change', async () => {
  const bob = createClient({ url: bank.url, credentials: { ...person, email: 'bob@example.com' } })
  await bob.post('/api/auth/register', { body: { name: 'Bob', ...person, email: 'bob@example.com' } })
  const open = async () => (await bob.post('/api/accounts', { body: { account_type: 'savings' } })).id
  const opened = []
  for (let n = 0; n < 7; n++) opened.push(await open())
  const listed: string[] = []
  for await (const { id } of bob.list('/api/accounts', { query: { limit: 2 } })) {
    listed.push(id)
    if (listed.length % 2 === 1) await open()
  }
  expect(listed).toEqual(opened.reverse())

  const some = []
  for await (const { id } of bob.list('/api/accounts', { query: { limit: 3 } })) {
    some.push(id)
    if (some.length === 4) break
  }
  expect(some).toHaveLength(4)
})

test('a page that names itself as the next one ends in an error, not in a circle', async () => {
  const page = answerOf(200, { items: [], next_cursor: 'x' })
  liar.fates = [page, page]
  const drain = async () => {
    for await (const _ of ada.list('/api/accounts'));
  }
  await expect(drain()).rejects.toThrow('answered its own cursor')
})

test('what can’t be sent is a TypeError at once, and nothing is sent', async () => {
  for (const url of ['localhost:8080', 'bank.example', '//bank.example', 'http://', 'ftp://bank.example'])
    expect(() => createClient({ url })).toThrow(`'${url}' is no address of a bank`)
  for (const idempotencyKey of ['für 5 €', 'a\nb']) {
    const given = { ...deposit('1.00'), idempotencyKey }
    expect(await failure(ada.post('/api/transactions', given))).toMatchObject({ name: 'TypeError' })
  }
  expect(liar.requests).toEqual([])
})

test('a parameter can’t lead to another route', async () => {
  for (const id of ['', '.', '..'])
    expect(await failure(ada.get('/api/accounts/{id}', { params: { id } }))).toBeInstanceOf(TypeError)
  await failure(ada.get('/api/accounts/{id}', { params: { id: '../users?x#y' } }))
  expect(liar.requests.map((request) => request.split(' ')[1])).toEqual(['/api/accounts/..%2Fusers%3Fx%23y'])
})

test('a path can’t lead to another host, which would get the token', async () => {
  const paths = [
    '@other.example/',
    '.other.example/',
    '//other.example/',
    '/\\other.example/',
    '/\t/other.example',
  ]
  for (const path of [...paths, 'https://other.example/', ''])
    expect([path, await failure(ada.get(path as '/api/accounts'))]).toEqual([path, expect.any(TypeError)])
  expect(liar.requests).toEqual([])
})

test('fetch() is called as a function, because browsers refuse it as a method', async () => {
  function strict(this: unknown, ...given: Parameters<typeof fetch>): Promise<Response> {
    if (this !== undefined) throw new TypeError('Illegal invocation')
    return fetch(...given)
  }
  const client = createClient({ url: liar.url, credentials: person, fetch: strict })
  expect((await client.get('/api/accounts')).items).not.toEqual([])
})

test('a signal that outlives a call gets rid of its listeners, and an endless time is endless', async () => {
  const { signal } = new AbortController()
  const given = { signal, timeoutMs: Infinity, totalMs: Infinity }
  await ada.get('/api/accounts', given)
  await (await ada.raw('GET /api/accounts', given)).text()
  await (await ada.raw('GET /api/accounts', given)).body!.cancel()
  await failure(ada.raw('GET /api/accounts/{id}', { ...given, params: { id: 'none' } }))
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('the books are right after all that', async () => {
  expect(await db.query({ text: 'select * from verify_ledger()' })).toEqual([])
})
