import pg from 'pg'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, type TestFunction } from '../../tests/support/host.ts'
import { startSilentProxy } from '../../tests/support/silent-proxy.ts'
import login from './login.ts'
import register from './register.ts'

/** Log-ins while their database, which also counts them, is away, full, silent or slow. */

const person = { email: 'ada@example.com', password: 'grey herons wade slowly' }

let database: TestDatabase
let owner: pg.Client
beforeAll(async () => {
  database = await testDatabase('identity')
  owner = new pg.Client({ connectionString: database.superuserUrl })
  await owner.connect()
  const registering = await startFunction(register, settings(database.url))
  const { status } = await registering.request('POST', '/auth/register', {
    body: { name: 'Ada', ...person },
  })
  expect(status).toBe(201)
  await registering.stop()
})
afterAll(async () => {
  await owner.end()
  await database.drop()
})

const settings = (url: string, more: Record<string, string> = {}) => ({
  IDENTITY_DATABASE_URL: url,
  OPERATOR_EMAIL: 'root@bank.example',
  OPERATOR_PASSWORD: 'the first operator',
  // Nobody listens there, so events stay in the outbox.
  BROKER_URL: 'http://127.0.0.1:1/',
  TRUSTED_HOPS: '1',
  ...more,
})

/** Logs in from an address that is counted. */
const logIn = ({ request }: TestFunction) =>
  request('POST', '/auth/login', { body: person, headers: { 'x-forwarded-for': '198.51.100.7' } })

async function whileRunning(
  env: Record<string, string>,
  work: (process: TestFunction) => Promise<void>,
): Promise<void> {
  const running = await startFunction(login, env)
  try {
    await work(running)
  } finally {
    await running.stop()
  }
}

/** Each is counted, by the process, and refused so that the client comes back. */
async function expectUnavailable(process: TestFunction): Promise<void> {
  for (let n = 1; n <= 3; n++) {
    const { status, headers, body } = await logIn(process)
    expect([status, body.type]).toEqual([503, 'https://microbank.dev/problems/unavailable'])
    expect(headers.get('retry-after')).toBe('1')
    expect(headers.get('ratelimit')).toMatch(new RegExp(`^"sign-in";r=${120 - n};`))
  }
}

test('while it is away, the answer is 503, and to try again', () =>
  whileRunning(settings('postgres://x:y@127.0.0.1:9/x'), expectUnavailable))

test('while it has no connection left, too', async () => {
  await owner.query(`alter database ${database.name} connection limit 0`)
  await whileRunning(settings(database.url), expectUnavailable)
  await owner.query(`alter database ${database.name} connection limit -1`)
})

test('while it is silent, too, after the time that a statement has', async () => {
  const proxy = await startSilentProxy(database.url)
  proxy.silence()
  const env = settings(proxy.through(database.url), { DATABASE_TIMEOUT_MS: '300' })
  try {
    await whileRunning(env, expectUnavailable)
  } finally {
    await proxy.stop()
  }
})

test('while only the counts hang, a log-in succeeds', () =>
  whileRunning(settings(database.url), async (process) => {
    await owner.query('begin; lock table rate_limits in access exclusive mode')
    const { status, headers } = await logIn(process)
    await owner.query('rollback')
    expect([status, headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/^"sign-in";r=119;/)])
  }))
