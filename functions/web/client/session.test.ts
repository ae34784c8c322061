import { token } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import { createClient } from './client.ts'
import { BankProblem, NoAnswerError, SignedOutError } from './problem.ts'
import { Session, type Tokens } from './session.ts'
import { problemOf, startLiar, type Liar } from './testing/liar-fixture.ts'
import { startSmallBank, type SmallBank } from './testing/small-bank-fixture.ts'

/** How the client keeps a session, against the real functions. */

let bank: SmallBank
let liar: Liar
let userId: string

const person = { email: 'ada@example.com', password: 'three blue herons' }

beforeAll(async () => {
  bank = await startSmallBank()
  liar = await startLiar(bank.url)
  const stranger = createClient({ url: bank.url })
  userId = (await stranger.post('/api/auth/register', { body: { name: 'Ada', ...person } })).id
})

beforeEach(() => {
  liar.fates = []
  liar.requests = []
})

afterAll(async () => {
  liar.stop()
  await bank.stop()
})

/** Tokens of a real session whose access token has expired. */
async function expired(): Promise<Tokens> {
  const tokens = await createClient({ url: bank.url }).post('/api/auth/login', { body: person })
  return { refresh_token: tokens.refresh_token, access_token: await token({ userId }, '-1s') }
}

const asked = (path: string) =>
  liar.requests.filter((request) => request.startsWith(`POST /api/auth/${path}`))
const outcomes = async (calls: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(calls)).map((one) => (one.status === 'rejected' ? one.reason : 'done'))

test('fifty calls that need a new token at once get it by one refresh, and all succeed', async () => {
  const given: (Tokens | undefined)[] = []
  const ada = createClient({
    url: liar.url,
    tokens: await expired(),
    onTokens: (tokens) => void given.push(tokens),
  })
  const calls = Array.from({ length: 50 }, () => ada.get('/api/accounts'))
  expect(new Set(await outcomes(calls))).toEqual(new Set(['done']))
  expect(asked('refresh')).toHaveLength(1)
  expect(given).toHaveLength(1)
  // The next refresh takes the new token.
  expect((await createClient({ url: bank.url, tokens: given[0]! }).get('/api/accounts')).items).toEqual([])
})

test('fifty calls whose token expires while they wait get a new one by one refresh, and all succeed', async () => {
  const ada = createClient({ url: liar.url, tokens: await expired() })
  const busy = { path: '/api/accounts', fate: problemOf(503, 'unavailable') }
  liar.fates = Array.from({ length: 50 }, () => busy)
  liar.requests = []
  const calls = Array.from({ length: 50 }, () => ada.get('/api/accounts'))
  expect(new Set(await outcomes(calls))).toEqual(new Set(['done']))
  expect(asked('refresh')).toHaveLength(1)
  expect(liar.requests.length).toBeGreaterThan(100)
})

test('a new pair is stored before it is used; if that fails, nothing is sent and it is stored at the next call', async () => {
  const stored: Tokens[] = []
  let isDiskFull = true
  const ada = createClient({
    url: liar.url,
    tokens: await expired(),
    onTokens: async (tokens) => {
      await new Promise(setImmediate)
      if (isDiskFull) throw new Error('the disk is full')
      stored.push(tokens!)
    },
  })
  const failed = await outcomes([ada.get('/api/accounts'), ada.get('/api/accounts')])
  expect(failed.map((error) => (error as Error).message)).toEqual(['the disk is full', 'the disk is full'])
  const sent = liar.requests.length
  isDiskFull = false
  await ada.get('/api/accounts')
  expect([asked('refresh').length, stored.length, liar.requests.length]).toEqual([1, 1, sent + 1])
  expect(liar.requests.at(-1)).toContain(stored[0]!.access_token)
})

test('a refused refresh ends all waiting calls with the same clear error, until somebody logs in', async () => {
  const given: unknown[] = []
  const tokens = { ...(await expired()), refresh_token: 'A'.repeat(43) }
  const ada = createClient({ url: liar.url, tokens, onTokens: (pair) => void given.push(pair) })
  const ended = await outcomes(Array.from({ length: 10 }, () => ada.get('/api/accounts')))
  expect(new Set(ended).size).toBe(1)
  expect(ended[0]).toBeInstanceOf(SignedOutError)
  expect((ended[0] as Error).message).toBe('the session has ended; log in again')
  expect(asked('refresh')).toHaveLength(1)
  expect(given).toEqual([undefined])
  expect(await outcomes([ada.get('/api/accounts')])).toEqual([ended[0]])
  await ada.login(person)
  expect((await ada.get('/api/accounts')).items).toEqual([])
})

test('a refresh whose answer was lost is repeated, and the session goes on', async () => {
  const tokens = await expired()
  liar.fates = [{ path: '/api/auth/refresh', fate: 'lose answer' }]
  liar.requests = []
  const ada = createClient({ url: liar.url, tokens })
  expect(new Set(await outcomes([1, 2, 3].map(() => ada.get('/api/accounts'))))).toEqual(new Set(['done']))
  expect(asked('refresh')).toHaveLength(2)
})

test('a session whose refresh is refused begins again if the client has the password', async () => {
  const tokens = { ...(await expired()), refresh_token: 'A'.repeat(43) }
  liar.requests = []
  const robot = createClient({ url: liar.url, tokens, credentials: person })
  expect(new Set(await outcomes([1, 2, 3].map(() => robot.get('/api/accounts'))))).toEqual(new Set(['done']))
  expect(asked('login')).toHaveLength(1)
})

test('if the bank can’t be asked for a new token, the session is kept, and goes on when it can', async () => {
  const ada = createClient({ url: liar.url, tokens: await expired(), totalMs: 3_000 })
  liar.fates = ['pass', ...Array.from({ length: 100 }, () => 'lose request')]
  expect((await outcomes([ada.get('/api/accounts')]))[0]).toBeInstanceOf(NoAnswerError)
  liar.fates = ['pass', problemOf(503, 'unavailable')]
  expect((await ada.get('/api/accounts', { totalMs: 60_000 })).items).toEqual([])
})

test('a token is renewed shortly before it expires, whatever this machine takes for the time', async () => {
  let n = 0
  const ask = async () => ({ access_token: `access-${++n}`, refresh_token: 'r', expires_in: 900 })
  const clock = jest.spyOn(performance, 'now').mockReturnValue(5_000)
  const date = jest.spyOn(Date, 'now').mockReturnValue(0)
  const session = new Session(ask, { credentials: person })
  const tokenAt = (ms: number) => {
    clock.mockReturnValue(5_000 + ms)
    return session.token()
  }
  const tokens = [await tokenAt(0), await tokenAt(869_000), await tokenAt(871_000), await tokenAt(872_000)]
  for (const spy of [clock, date]) spy.mockRestore()
  expect(tokens).toEqual(['access-1', 'access-1', 'access-2', 'access-2'])
})

test('whoever logs in last has the session, though a call of the one before needs a new token meanwhile', async () => {
  const answers: Record<string, (tokens: Tokens) => void> = {}
  const ask = (path: string) => new Promise<Tokens>((resolve) => (answers[path] = resolve))
  const pair = (name: string): Tokens => ({ access_token: name, refresh_token: name })
  const session = new Session(ask, { tokens: pair('ada') })
  const login = session.login({ ...person, email: 'bob@example.com' })
  const replaced = session.replace('ada')
  answers['/api/auth/login']!(pair('bob'))
  await login
  answers['/api/auth/refresh']?.(pair('ada-2'))
  await replaced
  expect(await session.token()).toBe('bob')

  const late = session.login(person)
  const forgotten = session.forget()
  answers['/api/auth/login']!(pair('ada-3'))
  await Promise.all([late, forgotten])
  expect(await session.token()).toBeUndefined()
})

test('a wrong password is a problem, and leaves an earlier session as it was', async () => {
  const ada = createClient({ url: liar.url })
  await ada.login(person)
  const [error] = await outcomes([ada.login({ ...person, password: 'three grey herons' })])
  expect(error).toBeInstanceOf(BankProblem)
  expect((error as BankProblem).is('invalid-credentials')).toBe(true)
  expect((await ada.get('/api/accounts')).items).toEqual([])
  // A token that the bank refuses though it is new is not renewed for ever.
  liar.requests = []
  liar.fates = [problemOf(401, 'unauthenticated'), 'pass', problemOf(401, 'unauthenticated')]
  expect((await outcomes([ada.get('/api/accounts')]))[0]).toMatchObject({
    status: 401,
    code: 'unauthenticated',
  })
  expect(liar.requests).toHaveLength(3)
})

test('after a log-out the refresh token is worth nothing, and calls go without a token', async () => {
  let last: Tokens | undefined
  const ada = createClient({ url: liar.url, onTokens: (tokens) => void (last = tokens ?? last) })
  await ada.login(person)
  await ada.logout()
  expect((await outcomes([ada.get('/api/accounts')]))[0]).toMatchObject({ code: 'unauthenticated' })
  const refreshed = createClient({ url: bank.url }).post('/api/auth/refresh', { body: last! })
  expect((await outcomes([refreshed]))[0]).toMatchObject({
    code: expect.any(String),
    status: expect.any(Number),
  })
})

test('a token that somebody else keeps is asked for before each attempt', async () => {
  let n = 0
  const tokens = [await token({ userId }, '-1s'), await token({ userId })]
  const ada = createClient({ url: liar.url, token: async () => tokens[n++] })
  liar.fates = ['lose request']
  expect((await ada.get('/api/accounts')).items).toEqual([])
  expect(n).toBe(2)
})

test('a call is not repeated as somebody else', async () => {
  const bob = { name: 'Bob', email: 'bob@example.com', password: 'three blue herons' }
  await createClient({ url: bank.url }).post('/api/auth/register', { body: bob })
  const client = createClient({ url: liar.url })
  await client.login(person)
  liar.fates = Array.from({ length: 20 }, () => ({ path: '/api/accounts', fate: 'lose answer' }))
  const opened = outcomes([client.post('/api/accounts', { body: { account_type: 'checking' } })])
  await until(() => liar.requests.some((request) => request.startsWith('POST /api/accounts')))
  await client.login(bob)
  const [error] = await opened
  expect(error).toBeInstanceOf(NoAnswerError)
  expect(error).toMatchObject({ isOutcomeUnknown: true, idempotencyKey: expect.any(String) })
  liar.fates = []
  expect((await client.get('/api/accounts')).items).toEqual([])
})
