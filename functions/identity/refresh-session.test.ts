import { ACCESS_TOKEN_LIFE_SECONDS } from '../host/http/access-token.ts'
import { createTokenVerifier } from '../host/http/tokens.ts'
import { OPERATOR_IDLE_SECONDS } from '../host/values/idle.ts'
import { signingKey } from '../../tests/support/host.ts'
import { PASSWORD, startIdentity, problemOf, type Identity } from './identity-fixture.ts'
import login from './login.ts'
import logout from './logout.ts'
import refreshSession from './refresh-session.ts'
import register from './register.ts'

let identity: Identity
beforeAll(async () => {
  identity = await startIdentity([register, login, refreshSession, logout])
})
afterAll(() => identity.stop())

const refresh = (token: string) =>
  identity.request('POST', '/auth/refresh', { body: { refresh_token: token } })

async function startSession(name: string): Promise<{ id: string; token: string }> {
  const { id, email } = await identity.register(name)
  const { body } = await identity.login(email)
  return { id, token: body.refresh_token }
}

/** Lets the seconds pass in which a token may be exchanged again. */
const passTime = () =>
  identity.owner.query({ text: `update sessions set continued_at = continued_at - interval '10 seconds'` })

async function expectRefused(token: string): Promise<void> {
  const answer = await refresh(token)
  expect([answer.status, problemOf(answer)]).toEqual([401, 'invalid-refresh-token'])
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

test('a refresh token is exchanged for a new pair of tokens of the same session', async () => {
  const { id, email } = await identity.register('Ada')
  const first = (await identity.login(email)).body
  const { status, body, headers } = await refresh(first.refresh_token)
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual(['access_token', 'token_type', 'expires_in', 'refresh_token'])
  expect(headers.get('cache-control')).toBe('no-store')
  expect(body.refresh_token).not.toBe(first.refresh_token)
  expect(claimsOf(body.access_token)).toMatchObject({ sub: id, sid: claimsOf(first.access_token).sid })
  await createTokenVerifier(JSON.parse(signingKey.jwks)).verify(body.access_token)
  expect((await refresh(body.refresh_token)).status).toBe(200)
})

test('a token that is used twice ends its whole session', async () => {
  const { token } = await startSession('Bea')
  const { body } = await refresh(token)
  await passTime()
  await expectRefused(token)
  await expectRefused(body.refresh_token)
})

test('a session that is continued in a loop must wait, and its token stays valid', async () => {
  const { token } = await startSession('Loop')
  let last = token
  for (let times = 0; times < 60; times++) last = (await refresh(last)).body.refresh_token
  const refused = await refresh(last)
  expect([refused.status, problemOf(refused)]).toEqual([429, 'too-many-requests'])
  expect(refused.headers.get('retry-after')).toBe('60')
  await identity.owner.query({ text: `update refresh_tokens set issued_at = issued_at - interval '1 hour'` })
  expect((await refresh(last)).status).toBe(200)
})

test('a used token still ends a session that was continued in a loop', async () => {
  const { token } = await startSession('Reuse')
  let last = token
  for (let times = 0; times < 60; times++) last = (await refresh(last)).body.refresh_token
  await expectRefused(token)
  await expectRefused(last)
})

test('the user’s other sessions continue', async () => {
  const { token } = await startSession('Cyd')
  const other = (await identity.login('cyd@example.com')).body.refresh_token
  await refresh(token)
  await passTime()
  await expectRefused(token)
  expect((await refresh(other)).status).toBe(200)
})

test('a token that is repeated within seconds gets another pair, and the session goes on', async () => {
  const { token } = await startSession('Kim')
  const first = (await refresh(token)).body.refresh_token
  const second = (await refresh(token)).body.refresh_token
  expect(new Set([token, first, second]).size).toBe(3)
  const third = (await refresh(second)).body.refresh_token
  expect((await refresh(third)).status).toBe(200)
})

test('but not if what it was exchanged for has been used', async () => {
  const { token } = await startSession('Lea')
  const { body } = await refresh(token)
  const next = (await refresh(body.refresh_token)).body.refresh_token
  await expectRefused(token)
  await expectRefused(next)
})

test('of two who share the tokens of one exchange, the second ends the session', async () => {
  const { token } = await startSession('Max')
  const users = (await refresh(token)).body.refresh_token
  const thiefs = (await refresh(token)).body.refresh_token
  const next = (await refresh(thiefs)).body.refresh_token
  // At once: otherwise a thief who watches the session could follow its user for good.
  await expectRefused(users)
  await expectRefused(next)
})

test('the seconds begin with the first exchange, and no repeat makes them longer', async () => {
  const { token } = await startSession('Ned')
  await refresh(token)
  // Leaves most of the ten seconds to a slow machine.
  await identity.owner.query({
    text: `update sessions set continued_at = continued_at - interval '2 seconds'`,
  })
  expect((await refresh(token)).status).toBe(200)
  await identity.owner.query({
    text: `update sessions set continued_at = continued_at - interval '8 seconds'`,
  })
  await expectRefused(token)
})

test('the seconds are no hours if the clock is set back', async () => {
  const { token } = await startSession('Tom')
  await refresh(token)
  await identity.owner.query({ text: `update sessions set continued_at = continued_at + interval '2 hours'` })
  await expectRefused(token)
})

test('of many refreshes with one token at once, each gets a pair, and one of them carries on', async () => {
  const { id, token } = await startSession('Dan')
  const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(token)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
  const tokens = answers.map(({ body }) => body.refresh_token as string)
  expect(new Set(tokens).size).toBe(8)
  const [session] = await identity.owner.query({
    text: 'select generation, revoked_for from sessions where user_id = $1',
    values: [id],
  })
  expect(session).toEqual({ generation: 2, revoked_for: null })
  const { body } = await refresh(tokens[5]!)
  await passTime()
  expect((await refresh(body.refresh_token)).status).toBe(200)
  await passTime()
  await expectRefused(tokens[0]!)
})

test('of many repeats after those seconds, all are refused, and the session ends', async () => {
  const { id, token } = await startSession('Ola')
  const { body } = await refresh(token)
  await passTime()
  await Promise.all(Array.from({ length: 8 }, () => expectRefused(token)))
  await expectRefused(body.refresh_token)
  const sessions = await identity.owner.query({
    text: 'select revoked_for from sessions where user_id = $1',
    values: [id],
  })
  expect(sessions).toEqual([{ revoked_for: 'reuse' }])
})

test('repeats count among the refreshes of an hour', async () => {
  const { token } = await startSession('Pia')
  const answers = await Promise.all(Array.from({ length: 62 }, () => refresh(token)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(60)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(2)
})

test('a token that was never issued is refused and ends no session', async () => {
  const { token } = await startSession('Eve')
  await expectRefused('A'.repeat(43))
  expect((await refresh(token)).status).toBe(200)
})

test.each(['', 'short', `${'A'.repeat(43)}=`, 'A'.repeat(44), "' or 1=1 --", 7, null])(
  'text without the form of a token is invalid input: %p',
  async (token) => {
    const body = { refresh_token: token }
    expect((await identity.request('POST', '/auth/refresh', { body })).status).toBe(400)
    expect((await identity.request('POST', '/auth/logout', { body })).status).toBe(400)
  },
)

test('a session ends after 30 days, however often it was refreshed', async () => {
  const { id, token } = await startSession('Fay')
  const { body } = await refresh(token)
  const [session] = await identity.owner.query({
    text: `select expires_at = started_at + interval '30 days' as bounded from sessions where user_id = $1`,
    values: [id],
  })
  expect(session).toEqual({ bounded: true })
  await identity.owner.query({
    text: 'update sessions set expires_at = now() where user_id = $1',
    values: [id],
  })
  await expectRefused(body.refresh_token)
})

// The page reads off the age of its access token when its session was last continued.
test('an access token lives as long as an operator may be idle', () => {
  expect(ACCESS_TOKEN_LIFE_SECONDS).toBe(OPERATOR_IDLE_SECONDS)
})

describe('a session that ends idle', () => {
  /** Signs an operator in. */
  async function startOperator(name: string, body: object): Promise<{ id: string; token: string }> {
    const { id, email } = await identity.register(name)
    await identity.owner.query({ text: `update users set role = 'operator' where id = $1`, values: [id] })
    const login = { email, password: PASSWORD, ...body }
    const answer = await identity.request('POST', '/auth/login', { body: login })
    return { id, token: answer.body.refresh_token as string }
  }
  const secondsLeft = async (id: string): Promise<number> => {
    const [row] = await identity.owner.query<{ left: number }>({
      text: 'select extract(epoch from expires_at - continued_at)::float as left from sessions where user_id = $1',
      values: [id],
    })
    return row!.left
  }
  const age = (id: string, by: string) =>
    identity.owner.query({
      text: `update sessions set started_at = started_at - $2::interval, continued_at = continued_at - $2::interval,
        expires_at = expires_at - $2::interval where user_id = $1`,
      values: [id, by],
    })

  test('ends after 15 minutes without a refresh, and each refresh begins them anew', async () => {
    const { id, token } = await startOperator('Kay', { ends_idle: true })
    expect(await secondsLeft(id)).toBe(900)
    await age(id, '14 minutes')
    const next = (await refresh(token)).body.refresh_token as string
    expect(await secondsLeft(id)).toBe(900)
    await age(id, '15 minutes')
    await expectRefused(next)
  })

  test('ends after 30 days all the same', async () => {
    const { id, token } = await startOperator('Liv', { ends_idle: true })
    await identity.owner.query({
      text: `update sessions set started_at = now() - interval '30 days' + interval '1 minute',
        expires_at = now() + interval '1 minute' where user_id = $1`,
      values: [id],
    })
    expect((await refresh(token)).status).toBe(200)
    expect(await secondsLeft(id)).toBeLessThanOrEqual(60)
  })

  test('is only an operator’s, and only if that was asked for', async () => {
    const { id } = await startOperator('Mia', {})
    expect(await secondsLeft(id)).toBe(30 * 86_400)
    const customer = await identity.register('Noa')
    const body = { email: customer.email, password: PASSWORD, ends_idle: true }
    await identity.request('POST', '/auth/login', { body })
    expect(await secondsLeft(customer.id)).toBe(30 * 86_400)
  })
})

test('the role is read again, and a deleted user gets no tokens', async () => {
  const { id, token } = await startSession('Gil')
  await identity.owner.query({ text: `update users set role = 'operator' where id = $1`, values: [id] })
  const { body } = await refresh(token)
  expect(claimsOf(body.access_token).role).toBe('operator')
  await identity.owner.query({
    text: 'update users set deleted_at = now(), password_hash = null where id = $1',
    values: [id],
  })
  await expectRefused(body.refresh_token)
})

describe('logout', () => {
  const logOut = (token: string) =>
    identity.request('POST', '/auth/logout', { body: { refresh_token: token } })

  test('ends the session of its token, and no other', async () => {
    const { token } = await startSession('Hal')
    const other = (await identity.login('hal@example.com')).body.refresh_token
    const { status, body } = await logOut(token)
    expect([status, body]).toEqual([204, ''])
    await expectRefused(token)
    expect((await refresh(other)).status).toBe(200)
  })

  test('accepts any token of the session, also one that was exchanged', async () => {
    const { token } = await startSession('Ivy')
    const { body } = await refresh(token)
    expect((await logOut(token)).status).toBe(204)
    await expectRefused(body.refresh_token)
  })

  test('gives the same answer for a token that is unknown or no longer valid', async () => {
    const { token } = await startSession('Joy')
    for (const each of [token, token, 'A'.repeat(43)]) expect((await logOut(each)).status).toBe(204)
  })
})
