import { createHash } from 'node:crypto'
import * as argon2 from '@node-rs/argon2'
import { createTokenVerifier } from '../host/http/tokens.ts'
import { signingKey } from '../../tests/support/host.ts'
import { startIdentity, PASSWORD, problemOf, type Identity } from './identity-fixture.ts'
import login from './login.ts'
import { nobodysHash } from './password.ts'
import register from './register.ts'

// The real library, with a record of its calls. Calls show that the same work is done; a clock would only
// suggest it.
jest.mock('@node-rs/argon2', () => {
  const real = jest.requireActual<typeof argon2>('@node-rs/argon2')
  return { ...real, verify: jest.fn(real.verify) }
})
const verify = jest.mocked(argon2.verify)

let identity: Identity
beforeAll(async () => {
  identity = await startIdentity([register, login], {
    OPERATOR_EMAIL: 'Root@bank.example',
    OPERATOR_PASSWORD: 'the first operator',
  })
})
afterAll(() => identity.stop())
beforeEach(() => verify.mockClear())

const from = (address: string) => ({ 'x-forwarded-for': address })

test('a log-in gives a pair of tokens and nothing else, not to be cached', async () => {
  const { id, email } = await identity.register('Ada')
  const { status, body, headers } = await identity.login(email)
  expect(status).toBe(200)
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 900,
    refresh_token: expect.stringMatching(/^[\w-]{43}$/),
  })
  expect(headers.get('cache-control')).toBe('no-store')
  const caller = await createTokenVerifier(JSON.parse(signingKey.jwks)).verify(body.access_token)
  expect(caller).toMatchObject({ userId: id, role: 'customer' })
})

test('the address may be written in any case', async () => {
  await identity.register('Bea')
  expect((await identity.login('BEA@Example.com')).status).toBe(200)
})

test('only the hash of a refresh token is stored', async () => {
  const { email } = await identity.register('Cyd')
  const { body } = await identity.login(email)
  const rows = await identity.owner.query({ text: 'select refresh_tokens::text as row from refresh_tokens' })
  expect(JSON.stringify(rows)).not.toContain(body.refresh_token)
  expect(JSON.stringify(rows)).not.toContain(Buffer.from(body.refresh_token, 'base64url').toString('hex'))
})

test('a log-in is emitted as an event', async () => {
  const { id, email } = await identity.register('Dan')
  await identity.login(email, PASSWORD, from('198.51.100.7'))
  const told = (await identity.events('session.started')).filter(({ user_id }) => user_id === id)
  expect(told).toEqual([
    {
      session_id: expect.any(String),
      user_id: id,
      client_address: '198.51.100.7',
      started_at: expect.any(String),
    },
  ])
})

test('an unknown address, a wrong password and a user without one get the same answer', async () => {
  const { email } = await identity.register('Eve')
  await identity.owner.query({
    text: `insert into users (name, email) values ('Counter', 'counter@example.com')`,
  })
  const answers = [
    await identity.login(email, 'not the password'),
    await identity.login('nobody@example.com', 'not the password'),
    await identity.login('counter@example.com', 'not the password'),
    await identity.login('not an address', 'x'),
  ]
  for (const answer of answers) {
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual(answers[0]!.body)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="microbank"')
  }
  expect(problemOf(answers[0]!)).toBe('invalid-credentials')

  // Even the password behind nobodysHash would let nobody in.
  verify.mockResolvedValueOnce(true)
  expect((await identity.login('counter@example.com', 'x')).status).toBe(401)
})

test('an unknown address costs the same work as a wrong password', async () => {
  const { email } = await identity.register('Fay')
  await identity.login(email, 'not the password')
  expect(verify.mock.calls).toEqual([[expect.stringMatching(/^\$argon2id/), 'not the password']])
  verify.mockClear()
  await identity.login('nobody@example.com', 'not the password')
  expect(verify.mock.calls).toEqual([[nobodysHash, 'not the password']])
})

test('a failed log-in is emitted as an event with the user, if there is one, and never with what was typed', async () => {
  const { id, email } = await identity.register('Gil')
  await identity.login(email, 'my dog is called Rex', from('198.51.100.8'))
  await identity.login('my dog is called Rex', 'gil', from('198.51.100.8'))
  const told = (await identity.events('login.failed')).filter(
    (data) => data['client_address'] === '198.51.100.8',
  )
  expect(told.map(({ user_id }) => user_id)).toEqual([id, null])
  for (const data of told) expect(Object.keys(data)).toEqual(['user_id', 'client_address', 'failed_at'])
  const rows = await identity.owner.query({ text: `select outbox::text as row from outbox` })
  expect(JSON.stringify(rows)).not.toContain('Rex')
})

test('after repeated failures an attempt must wait: the answer gives the time, and no password is checked', async () => {
  const { email } = await identity.register('Hal')
  const client = from('198.51.100.9')
  for (let failures = 0; failures < 6; failures++) {
    expect((await identity.login(email, 'not the password', client)).status).toBe(401)
  }
  verify.mockClear()
  const answer = await identity.login(email, PASSWORD, client)
  expect([answer.status, problemOf(answer)]).toEqual([429, 'too-many-requests'])
  // Some of the 30 s have passed.
  expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(30)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(verify).not.toHaveBeenCalled()

  expect((await identity.login(email, PASSWORD, from('198.51.100.10'))).status).toBe(200)
})

test('an unknown email address must wait in the same way', async () => {
  const statuses = []
  for (let failures = 0; failures < 8; failures++) {
    statuses.push((await identity.login('ghost@example.com', 'x', from('198.51.100.11'))).status)
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429, 429])
})

test('guesses sent all at once don’t get around the wait', async () => {
  const { email } = await identity.register('Ivy')
  const guesses = Array.from({ length: 30 }, () => identity.login(email, 'guess', from('198.51.100.12')))
  const statuses = (await Promise.all(guesses)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 401)).toHaveLength(6)
  expect(statuses.filter((status) => status === 429)).toHaveLength(24)
})

test('a deleted user can’t log in', async () => {
  const { id, email } = await identity.register('Joy')
  await identity.owner.query({
    text: 'update users set deleted_at = now(), password_hash = null where id = $1',
    values: [id],
  })
  expect((await identity.login(email)).status).toBe(401)
})

test('a log-in deletes the user’s expired sessions', async () => {
  const { id, email } = await identity.register('Kay')
  await identity.login(email)
  await identity.owner.query({
    text: `update sessions set expires_at = now() where user_id = $1`,
    values: [id],
  })
  await identity.login(email)
  const rows = await identity.owner.query({
    text: 'select from refresh_tokens join sessions on sessions.id = session_id where user_id = $1',
    values: [id],
  })
  expect(rows).toHaveLength(1)
})

test.each([
  ['no password', { email: 'ada@example.com' }],
  ['an unknown field', { email: 'ada@example.com', password: 'x', remember: true }],
  ['a null character', { email: 'ada\u0000@example.com', password: 'x' }],
  ['an object as the password', { email: 'ada@example.com', password: { $ne: '' } }],
  ['a password that is too long', { email: 'ada@example.com', password: 'x'.repeat(1001) }],
])('%s is invalid input', async (_, body) => {
  const answer = await identity.request('POST', '/auth/login', { body })
  expect([answer.status, problemOf(answer)]).toEqual([400, 'invalid-input'])
})

describe('the first operator', () => {
  const root = 'root@bank.example'
  const operators = () =>
    identity.owner.query<{ id: string; email: string }>({
      text: `select * from users where role = 'operator'`,
    })

  test('does not exist until somebody uses the right email address', async () => {
    await identity.login('nobody@example.com', 'the first operator')
    expect(await operators()).toEqual([])
  })

  test('is added once, by many first log-ins at once, and gets an operator’s token', async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => identity.login(root, 'the first operator')),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await operators()).toHaveLength(1)
    const { body } = await identity.login('ROOT@bank.example', 'the first operator')
    const caller = await createTokenVerifier(JSON.parse(signingKey.jwks)).verify(body.access_token)
    expect(caller.role).toBe('operator')
    const told = (await identity.events('user.registered')).filter(({ role }) => role === 'operator')
    expect(told).toMatchObject([{ email: root, name: 'Operator' }])
  })

  test('keeps a password that was changed, whatever the environment says', async () => {
    const changed = await argon2.hash('another password')
    await identity.owner.query({
      text: `update users set password_hash = $1 where role = 'operator'`,
      values: [changed],
    })
    expect((await identity.login(root, 'the first operator')).status).toBe(401)
    expect((await identity.login(root, 'another password')).status).toBe(200)
  })

  test('is never followed by another, even if the environment’s address changes or they are deleted', async () => {
    await identity.owner.query({
      text: `update users set deleted_at = now(), password_hash = null where role = 'operator'`,
    })
    expect((await identity.login(root, 'the first operator')).status).toBe(401)
    const another = await identity.db.query({
      text: `select from create_first_operator('Operator', 'other@bank.example', '$argon2id$')`,
    })
    expect(another).toEqual([])
    expect(await operators()).toHaveLength(1)
  })

  test('leaves the email address free for others when deleted', async () => {
    const body = { name: 'Root', email: root, password: PASSWORD }
    expect((await identity.request('POST', '/auth/register', { body })).status).toBe(201)
  })
})

describe('the code of the link that a start on a laptop printed', () => {
  const CODE = 'c'.repeat(43)
  const setting = (minutes: number) => {
    const hash = createHash('sha256').update(CODE).digest('base64url')
    return `${hash} ${new Date(Date.now() + minutes * 60_000).toISOString()}`
  }
  const OPERATOR = { OPERATOR_EMAIL: 'root@bank.example', OPERATOR_PASSWORD: 'the first operator' }
  const LAPTOP = { ...OPERATOR, LOCAL_GATEWAY: '127.0.0.1:1' }
  const use = (at: Identity, code: unknown = CODE) =>
    at.request('POST', '/auth/login/code', { body: { code } })

  const starting = async (env: Record<string, string>, work: (at: Identity) => Promise<void>) => {
    const at = await startIdentity([login], env)
    try {
      await work(at)
    } finally {
      await at.stop()
    }
  }

  test('signs the first operator in, once, however many use it at the same time', () =>
    starting({ ...LAPTOP, SIGN_IN_CODE: setting(10) }, async (at) => {
      const answers = await Promise.all(Array.from({ length: 6 }, () => use(at)))
      const good = answers.filter(({ status }) => status === 200)
      expect([good.length, answers.filter(({ status }) => status === 410).length]).toEqual([1, 5])
      const caller = await createTokenVerifier(JSON.parse(signingKey.jwks)).verify(good[0]!.body.access_token)
      expect(caller.role).toBe('operator')
      expect(await at.events('session.started')).toMatchObject([{ user_id: caller.userId }])
      expect(problemOf(await use(at))).toBe('link-not-valid')
      const kept = await at.owner.query({
        text: 'select sessions::text, refresh_tokens::text from sessions, refresh_tokens',
      })
      expect(JSON.stringify(kept)).not.toContain(CODE)
      // The operator that is there gets it the next time, whatever their address.
      await at.owner.query({ text: `update users set email = 'boss@bank.example'` })
      await at.owner.query({ text: 'delete from sessions' })
      expect((await use(at)).status).toBe(200)
      expect(await at.owner.query({ text: 'select from users' })).toHaveLength(1)
    }))

  test('is refused if it is another one', () =>
    starting({ ...LAPTOP, SIGN_IN_CODE: setting(10) }, async (at) => {
      expect(problemOf(await use(at, 'd'.repeat(43)))).toBe('link-not-valid')
      for (const code of ['', 'short', `${CODE}=`, null, 7, [CODE]])
        expect([code, (await use(at, code)).status]).toEqual([code, 400])
      expect(await at.owner.query({ text: 'select from users' })).toEqual([])
    }))

  test.each([
    ['after its time', { ...LAPTOP, SIGN_IN_CODE: setting(0) }],
    ['if none was printed', LAPTOP],
    ['on a cluster', { ...OPERATOR, SIGN_IN_CODE: setting(10) }],
  ])('is refused %s', (_when, env) =>
    starting(env, async (at) => {
      expect(problemOf(await use(at))).toBe('link-not-valid')
      expect(await at.owner.query({ text: 'select from users' })).toEqual([])
    }),
  )
})
