import { openDatabase, type Database } from '../../knative/host/database.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { beginAttempt, clientOf, limits, waitSeconds, type Attempt } from './throttle.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await testDatabase('identity')
  db = openDatabase({ url: database.url, poolMax: 20, name: 'test', log: createLog({}, 'error') })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})
beforeEach(() => db.query({ text: 'delete from login_failures' }))

const ada = { email: 'ada@example.com', address: '192.0.2.1' }
const { free } = limits.accountFromClient

/** Fails so often that the next attempt has to wait. */
async function useUp(who = ada): Promise<void> {
  for (let failures = 0; failures <= free; failures++) await expectAllowed(who)
}

async function expectAllowed(who = ada): Promise<Attempt> {
  const attempt = await beginAttempt(db, who)
  if ('waitSeconds' in attempt) throw new Error(`expected no wait, got ${attempt.waitSeconds} s`)
  return attempt
}

async function waitOf(who = ada): Promise<number> {
  const attempt = await beginAttempt(db, who)
  return 'waitSeconds' in attempt ? attempt.waitSeconds : 0
}

const putClockBack = (seconds: number) =>
  db.query({
    text: 'update login_failures set last_attempt_at = last_attempt_at - make_interval(secs => $1)',
    values: [seconds],
  })

describe('the wait for one subject', () => {
  const limit = { free: 3, firstWait: 10, longestWait: 60 }

  test('is none for the free failures, then doubles up to the longest', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 5000].map((failures) => waitSeconds(limit, failures, 0))
    expect(waits).toEqual([0, 0, 0, 0, 10, 20, 40, 60, 60, 60])
  })

  test('shortens as time passes and is forgotten after an hour', () => {
    expect([0, 4.2, 9.5, 10, 11].map((quiet) => waitSeconds(limit, 4, quiet))).toEqual([10, 6, 1, 0, 0])
    expect(waitSeconds({ ...limit, longestWait: 9_999 }, 5000, 3600)).toBe(0)
  })
})

test('an account has to wait after repeated failures from one client, and longer each time', async () => {
  await useUp()
  expect(await waitOf()).toBe(30)
  await putClockBack(30)
  await expectAllowed()
  expect(await waitOf()).toBe(60)
})

test('an attempt that had to wait is not counted, so the wait ends', async () => {
  await useUp()
  for (let repeated = 0; repeated < 10; repeated++) expect(await waitOf()).toBe(30)
  await putClockBack(31)
  await expectAllowed()
})

test('the owner of an account who comes from elsewhere is not locked out', async () => {
  await useUp()
  await expectAllowed({ ...ada, address: '198.51.100.9' })
})

test('many clients that guess at one account are slowed together', async () => {
  for (let client = 0; client <= limits.account.free; client++) {
    await expectAllowed({ ...ada, address: `203.0.113.${client}` })
  }
  expect(await waitOf({ ...ada, address: '198.51.100.9' })).toBe(1)
  await expectAllowed({ email: 'grace@example.com', address: '198.51.100.9' })
})

test('one client that guesses at many accounts is slowed', async () => {
  for (let account = 0; account <= limits.client.free; account++) {
    await expectAllowed({ ...ada, email: `user${account}@example.com` })
  }
  expect(await waitOf({ ...ada, email: 'other@example.com' })).toBe(1)
  await expectAllowed({ email: 'other@example.com', address: '198.51.100.9' })
})

test('guesses sent all at once are counted one by one', async () => {
  const waits = await Promise.all(Array.from({ length: 40 }, () => waitOf()))
  expect(waits.filter((wait) => wait === 0)).toHaveLength(free + 1)
})

test('success forgives what was mistyped from here, and of the rest only itself', async () => {
  for (let failures = 0; failures < free; failures++) await expectAllowed()
  const attempt = await expectAllowed()
  await db.transaction(attempt.succeeded)
  const rows = await db.query<{ failures: number }>({
    text: 'select failures from login_failures order by failures',
  })
  expect(rows.map(({ failures }) => failures)).toEqual([0, free, free])
})

test('logging in often is no failure', async () => {
  for (let times = 0; times < 20; times++) {
    const attempt = await expectAllowed()
    await db.transaction(attempt.succeeded)
  }
})

test('attempts and successes at once on the same subjects do not block each other', async () => {
  await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const attempt = await expectAllowed({ email: `user${i % 3}@example.com`, address: `192.0.2.${i}` })
      await db.transaction(attempt.succeeded)
    }),
  )
  const [{ sum } = { sum: undefined }] = await db.query({ text: 'select sum(failures) from login_failures' })
  expect(sum).toBe(0n)
})

test('what is forgotten is cleared away', async () => {
  await useUp()
  await putClockBack(3_601)
  await expectAllowed({ email: 'grace@example.com', address: '198.51.100.9' })
  const rows = await db.query({ text: 'select from login_failures' })
  expect(rows).toHaveLength(3)
})

test('an account that was quiet for an hour begins anew', async () => {
  await useUp()
  await putClockBack(3_601)
  for (let failures = 0; failures <= free; failures++) await expectAllowed()
  expect(await waitOf()).toBe(30)
})

test('nothing of what was typed is kept', async () => {
  await expectAllowed({ email: 'my password by mistake', address: '192.0.2.1' })
  const rows = await db.query({ text: 'select login_failures::text as row from login_failures' })
  expect(JSON.stringify(rows)).not.toMatch(/password|192\.0/)
  expect(rows).toHaveLength(3)
})

test('a client is its address, of IPv6 the subscriber’s part', () => {
  expect(clientOf('192.0.2.1')).toBe('192.0.2.1')
  expect(clientOf('2001:db8:0:7::1')).toBe('2001:db8:0:7')
  expect(clientOf('2001:DB8:0:7:ffff:0:0:2')).toBe('2001:db8:0:7')
  expect(clientOf('2001:db8:0:8::1')).not.toBe(clientOf('2001:db8:0:7::1'))
  expect(clientOf('::1')).toBe('0:0:0:0')
  expect(clientOf('fe80::1%eth0')).toBe('fe80:0:0:0')
  expect(clientOf('::ffff:192.0.2.1')).not.toBe(clientOf('::ffff:192.0.2.2'))
  expect(clientOf('')).toBe('')
})
