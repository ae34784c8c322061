import { randomUUID } from 'node:crypto'
import { callToken, startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import watchPostings from './watch-postings.ts'

let ledger: TestLedger
let running: TestFunction

beforeAll(async () => {
  ledger = await testLedger()
  running = await startFunction(watchPostings, { LEDGER_DATABASE_URL: ledger.database.url })
})
afterAll(async () => {
  await running.stop()
  await ledger.close()
})

/** Calls as payments does, on behalf of a user; or with another token. */
async function call(path: string, userId: string, body: object, bearer?: string): Promise<Answer> {
  const key = randomUUID()
  return running.request('POST', path, {
    token: bearer ?? (await callToken(userId, 'watch-postings', `POST ${path}`, { id: key, body })),
    body,
    headers: { 'idempotency-key': key },
  })
}

const watch = (userId: string, version: number, seesAll = false) =>
  call('/posting-watches', userId, { version, sees_all: seesAll })
const end = (userId: string, version: number) => call('/posting-watches/end', userId, { version })

const watchOf = async (userId: string) => {
  const text = 'select version, sees_all from posting_watches where user_id = $1'
  return (await ledger.db.query({ text, values: [userId] }))[0]
}

test('a user is watched until the last watch is ended, however late or often calls arrive', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  expect((await watch(bob, 1)).body).toEqual({ version: 1 })
  for (const [version, known] of [
    [2, 2],
    [2, 2],
    [1, 2],
    [3, 3],
  ]) {
    const { status, body } = await watch(ada, version!)
    expect([status, body]).toEqual([200, { version: known }])
  }
  // This one comes after a newer watch has begun.
  expect((await end(ada, 2)).body).toEqual({ version: 3 })
  expect(await watchOf(ada)).toEqual({ version: 3n, sees_all: false })
  for (let again = 0; again < 2; again++) {
    const { status, body } = await end(ada, 3)
    expect([status, body]).toEqual([200, { version: null }])
  }
  expect([await watchOf(ada), await watchOf(bob)]).toEqual([undefined, { version: 1n, sees_all: false }])
})

test('whoever sees all does so until the watch ends', async () => {
  const ada = randomUUID()
  await watch(ada, 1, true)
  await watch(ada, 2)
  expect(await watchOf(ada)).toEqual({ version: 2n, sees_all: true })
  await end(ada, 2)
  await watch(ada, 3)
  expect(await watchOf(ada)).toEqual({ version: 3n, sees_all: false })
})

test('only payments may watch, and bad input changes nothing', async () => {
  const ada = randomUUID()
  const bodies = {
    '/posting-watches': { version: 1, sees_all: false },
    '/posting-watches/end': { version: 1 },
  }
  for (const [path, body] of Object.entries(bodies)) {
    for (const role of ['customer', 'operator'] as const) {
      const bearer = await token({ userId: ada, role })
      expect([path, role, (await call(path, ada, body, bearer)).status]).toEqual([path, role, 403])
    }
    for (const version of [0, -1, 1.5, 2 ** 53, '1', null])
      expect([path, version, (await call(path, ada, { ...body, version })).status]).toEqual([
        path,
        version,
        400,
      ])
    expect((await call(path, ada, {})).status).toBe(400)
    expect((await call(path, ada, { ...body, user_id: randomUUID() })).status).toBe(400)
  }
  expect((await call('/posting-watches', ada, { version: 1 })).status).toBe(400)
  expect(await watchOf(ada)).toBeUndefined()
})
