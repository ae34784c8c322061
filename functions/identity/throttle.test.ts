import { openDatabase, type Database } from '../host/database/database.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { sweepIdentity } from './sweep.ts'
import { beginAttempt, beginRegistration, limits, waitSeconds, type Attempt } from './throttle.ts'

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
let testBegan: number
beforeEach(async () => {
  await db.query({ text: 'delete from login_failures' })
  testBegan = performance.now()
})

const ada = { email: 'ada@example.com', address: '192.0.2.1' }
const { free } = limits.accountFromClient
const config = { LOGINS_FREE: 30, REGISTRATIONS_FREE: 5 }

/** Fails so often that the next attempt must wait. */
async function useUp(who = ada): Promise<void> {
  for (let failures = 0; failures <= free; failures++) await expectAllowed(who)
}

async function expectAllowed(who = ada): Promise<Attempt> {
  const attempt = await beginAttempt(db, who, config)
  if ('waitSeconds' in attempt) throw new Error(`expected no wait, got ${attempt.waitSeconds} s`)
  return attempt
}

async function waitOf(who = ada): Promise<number> {
  const attempt = await beginAttempt(db, who, config)
  return 'waitSeconds' in attempt ? attempt.waitSeconds : 0
}

/** Checks how long the next attempt must wait. On a slow machine some of it has passed by now. */
async function expectWait(seconds: number, who = ada): Promise<void> {
  const wait = await waitOf(who)
  expect(wait).toBeLessThanOrEqual(seconds)
  expect(wait).toBeGreaterThan(seconds - 1 - (performance.now() - testBegan) / 1000)
}

/** Doubles each wait this many times, so that it does not end while the test runs. */
const doubleWaits = (times: number) =>
  db.query({ text: 'update login_failures set failures = failures + $1', values: [times] })

const putClockBack = (seconds: number) =>
  db.query({
    text: 'update login_failures set last_attempt_at = last_attempt_at - make_interval(secs => $1)',
    values: [seconds],
  })

describe('the wait for one subject', () => {
  const limit = { free: 3, firstWait: 10, longestWait: 60 }

  test('is zero for the free failures, then doubles up to the longest', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 5000].map((failures) => waitSeconds(limit, failures, 0))
    expect(waits).toEqual([0, 0, 0, 0, 10, 20, 40, 60, 60, 60])
  })

  test('gets shorter as time passes and ends after an hour at the latest', () => {
    expect([0, 4.2, 9.5, 10, 11].map((quiet) => waitSeconds(limit, 4, quiet))).toEqual([10, 6, 1, 0, 0])
    expect(waitSeconds({ ...limit, longestWait: 9_999 }, 5000, 3600)).toBe(0)
  })

  test('is never longer than the longest, even if the clock was set back', () => {
    expect([-1, -7_200, -1e9].map((quiet) => waitSeconds(limit, 4, quiet))).toEqual([10, 10, 10])
    expect(waitSeconds(limit, 5000, -7_200)).toBe(60)
  })
})

test('an account must wait after repeated failures from one client, and longer each time', async () => {
  await useUp()
  await expectWait(30)
  await putClockBack(30)
  await expectAllowed()
  await expectWait(60)
})

test('an attempt that must wait is not counted, so the wait ends', async () => {
  await useUp()
  for (let repeated = 0; repeated < 10; repeated++) await expectWait(30)
  await putClockBack(31)
  await expectAllowed()
})

test('the owner of an account is not locked out if they come from another address', async () => {
  await useUp()
  await expectAllowed({ ...ada, address: '198.51.100.9' })
})

test('many clients that guess at one account are slowed together', async () => {
  for (let client = 0; client <= limits.account.free; client++) {
    await expectAllowed({ ...ada, address: `203.0.113.${client}` })
  }
  await doubleWaits(5)
  await expectWait(32, { ...ada, address: '198.51.100.9' })
  await expectAllowed({ email: 'grace@example.com', address: '198.51.100.9' })
})

test('one client that guesses at many accounts is slowed', async () => {
  for (let account = 0; account <= limits.client.free; account++) {
    await expectAllowed({ ...ada, email: `user${account}@example.com` })
  }
  await doubleWaits(5)
  await expectWait(32, { ...ada, email: 'other@example.com' })
  await expectAllowed({ email: 'other@example.com', address: '198.51.100.9' })
})

test('guesses sent all at once are counted one by one', async () => {
  const waits = await Promise.all(Array.from({ length: 40 }, () => waitOf()))
  expect(waits.filter((wait) => wait === 0)).toHaveLength(free + 1)
})

test('success clears the failures from this client, and takes only itself off the other counts', async () => {
  for (let failures = 0; failures < free; failures++) await expectAllowed()
  const attempt = await expectAllowed()
  await db.transaction(attempt.succeeded)
  const rows = await db.query<{ failures: number }>({
    text: 'select failures from login_failures order by failures',
  })
  // The second is the log-in itself.
  expect(rows.map(({ failures }) => failures)).toEqual([0, 1, free, free])
})

test('logging in often does not count as failure', async () => {
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
  // No failures are left; each success is counted by itself.
  const [{ sum } = { sum: undefined }] = await db.query({ text: 'select sum(failures) from login_failures' })
  expect(sum).toBe(60n)
})

test('forgotten counts are deleted', async () => {
  await useUp()
  await putClockBack(3_601)
  await expectAllowed({ email: 'grace@example.com', address: '198.51.100.9' })
  const rows = await db.query({ text: 'select from login_failures' })
  expect(rows).toHaveLength(3)
})

test('an account without attempts for an hour starts again at zero', async () => {
  await useUp()
  await putClockBack(3_601)
  for (let failures = 0; failures <= free; failures++) await expectAllowed()
  await expectWait(30)
})

test('nothing that was typed is stored', async () => {
  await expectAllowed({ email: 'my password by mistake', address: '192.0.2.1' })
  const rows = await db.query({ text: 'select login_failures::text as row from login_failures' })
  expect(JSON.stringify(rows)).not.toMatch(/password|192\.0/)
  expect(rows).toHaveLength(3)
})

describe('a shared address', () => {
  const shared = ['', '10.244.1.7', '127.0.0.1', 'fd00::7']

  test.each(shared)('%j never makes an honest log-in wait by itself', async (address) => {
    for (let account = 0; account <= limits.client.free + 1; account++) {
      await expectAllowed({ email: `user${account}@example.com`, address })
    }
    await expectAllowed({ email: 'honest@example.com', address })
  })

  test.each(shared)('%j still slows guesses at one account', async (address) => {
    const guesser = { ...ada, address }
    await useUp(guesser)
    await expectWait(30, guesser)
  })
})

describe('if the clock is set', () => {
  test('back by two hours: the wait is as long as before, and passes', async () => {
    await useUp()
    await putClockBack(-7_200)
    await expectWait(30)
    await putClockBack(10)
    await expectWait(20)
    await putClockBack(20)
    await expectAllowed()
    await expectWait(60)
  })

  test('back by two hours while nobody guesses: the sweep moves the counts to now, and forgets them after an hour', async () => {
    await useUp()
    await putClockBack(-7_200)
    await sweepIdentity(db)
    await expectWait(30)
    await putClockBack(3_601)
    await sweepIdentity(db)
    expect(await rowCount()).toBe(0)
  })

  test('ahead by two hours: somebody who guesses only gets the free attempts again', async () => {
    await useUp()
    await putClockBack(7_200)
    const waits = await Promise.all(Array.from({ length: 20 }, () => waitOf()))
    expect(waits.filter((wait) => wait === 0)).toHaveLength(free + 1)
  })
})

describe('what succeeds', () => {
  // The hour must not end in the middle of a test.
  beforeEach(() => void jest.spyOn(Date, 'now').mockReturnValue(Date.now()))
  afterEach(() => jest.restoreAllMocks())

  test('may happen often, and then must wait: log-ins of one user from one address', async () => {
    const logIn = async (who = ada) => db.transaction((await expectAllowed(who)).succeeded)
    for (let times = 0; times <= config.LOGINS_FREE; times++) await logIn()
    await doubleWaits(4)
    await expectWait(16)
    await logIn({ ...ada, address: '198.51.100.9' })
    await logIn({ ...ada, email: 'grace@example.com' })
    await putClockBack(16)
    await logIn()
    await expectWait(32)
  })

  test('may happen often, and then must wait: registrations from one address', async () => {
    const register = async (address: string) => (await beginRegistration(db, address, config)).waitSeconds
    const waits = await Promise.all(Array.from({ length: 12 }, () => register('203.0.113.9')))
    expect(waits.filter((wait) => wait === 0)).toHaveLength(config.REGISTRATIONS_FREE + 1)
    await doubleWaits(3)
    expect(await register('203.0.113.9')).toBeGreaterThan(10)
    expect(await register('203.0.113.10')).toBe(0)
    for (const address of ['', '127.0.0.1', '10.244.1.7'])
      for (let times = 0; times < 12; times++) expect(await register(address)).toBe(0)
    await putClockBack(80)
    expect(await register('203.0.113.9')).toBe(0)
    expect(await register('203.0.113.9')).toBeGreaterThan(80)
  })
})

describe('the table stays small', () => {
  test('attempts that must wait leave no rows', async () => {
    for (let account = 0; account <= limits.client.free; account++) {
      await expectAllowed({ ...ada, email: `user${account}@example.com` })
    }
    await doubleWaits(5)
    const before = await rowCount()
    const flood = Array.from({ length: 200 }, (_, i) => waitOf({ ...ada, email: `flood${i}@example.com` }))
    for (const wait of await Promise.all(flood)) expect(wait).toBeGreaterThan(0)
    expect(await rowCount()).toBe(before)
  })

  test('of a flood from many addresses only the allowed number of counts stays, the highest first', async () => {
    await useUp()
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        expectAllowed({ email: `flood${i}@example.com`, address: `203.0.113.${i}` }),
      ),
    )
    await sweepIdentity(db, 10)
    expect(await rowCount()).toBe(10)
    await expectWait(30)
  })

  test('forgotten counts are swept, however many', async () => {
    await db.query({
      text: `insert into login_failures (subject, last_attempt_at)
        select sha256(n::text::bytea), now() - interval '3601 seconds' from generate_series(1, 12000) n`,
    })
    await useUp()
    await Promise.all([sweepIdentity(db), sweepIdentity(db)])
    expect(await rowCount()).toBe(3)
  })
})

async function rowCount(): Promise<number> {
  return (await db.query({ text: 'select from login_failures' })).length
}
