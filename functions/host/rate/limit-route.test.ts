import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { clientAt, startFunction, token, type TestFunction } from '../../../tests/support/host.ts'
import { testDatabase, type TestDatabase } from '../../../tests/support/databases.ts'
import { until } from '../../../tests/support/until.ts'
import type { Statement } from '../database/database.ts'
import { forgetOldCounts } from '../database/forget-counts.ts'
import { operation, route } from '../operation.ts'

/** What is dear is counted for all processes together, in the database of its context. */

const dear = operation({
  name: 'dear',
  context: 'ledger',
  summary: 'Does nothing, but not often',
  needs: ['FRONT_DOOR_KEY'],
  routes: [
    route({
      method: 'GET',
      path: '/dear/callers',
      who: 'signed-in',
      summary: 'Counted by caller',
      answers: { 200: undefined },
      rate: { policy: 'dear', per: 'caller', quota: 'STATEMENT_RATE' },
      handle: () => Promise.resolve({ status: 200 }),
    }),
    route({
      method: 'GET',
      path: '/dear/addresses',
      who: 'anyone',
      summary: 'Counted by address',
      answers: { 200: undefined },
      rate: { policy: 'dear-to-anyone', per: 'address', quota: 'STATEMENT_RATE' },
      handle: () => Promise.resolve({ status: 200 }),
    }),
  ],
})

const QUOTAS = { STATEMENT_RATE: '3/600' }

let database: TestDatabase
let processes: TestFunction[]

beforeAll(async () => {
  database = await testDatabase('ledger')
  const env = { LEDGER_DATABASE_URL: database.url, ...QUOTAS }
  processes = await Promise.all([startFunction(dear, env), startFunction(dear, env)])
})

afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()))
  await database.drop()
})

const asCaller = async (n = 0, bearer?: string) =>
  processes[n]!.request('GET', '/dear/callers', { token: bearer ?? (await token({ userId: randomUUID() })) })

const fromAddress = (address: string, n = 0) =>
  processes[n]!.request('GET', '/dear/addresses', { headers: clientAt(address) })

/** How often the database was asked to count. A process asks for other things by itself, now and then. */
const countsIn = ({ mock }: jest.SpyInstance<unknown, [Statement]>): number =>
  mock.calls.filter(([{ name }]) => name?.startsWith('rate_limits')).length

test('a caller has one quota at all processes, and the answers say what is left of it', async () => {
  const ada = await token({ userId: randomUUID() })
  for (const [left, n] of [
    [2, 0],
    [1, 1],
    [0, 0],
  ] as const) {
    const { status, headers } = await asCaller(n, ada)
    expect([status, headers.get('ratelimit-policy')]).toEqual([200, '"dear";q=3;w=600'])
    expect(headers.get('ratelimit')).toMatch(new RegExp(`^"dear";r=${left};t=(600|5\\d\\d)$`))
  }
  const { status, headers, body } = await asCaller(1, ada)
  expect([status, body.type]).toEqual([429, 'https://microbank.dev/problems/too-many-requests'])
  expect(headers.get('ratelimit')).toMatch(/^"dear";r=0;t=\d+$/)
  const wait = Number(headers.get('retry-after'))
  expect(wait).toBeGreaterThan(500)
  expect(wait).toBeLessThanOrEqual(600)
  expect((await asCaller(1)).status).toBe(200)
})

test('of many requests at once no more than the quota pass', async () => {
  const ada = await token({ userId: randomUUID() })
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => asCaller(n % 2, ada)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(17)
})

test('a request costs one statement, and none once the quota is used up', async () => {
  const ada = await token({ userId: randomUUID() })
  const query = jest.spyOn(processes[0]!.tools.db, 'query')
  const statements: number[] = []
  for (let n = 0; n < 6; n++) {
    query.mockClear()
    await asCaller(0, ada)
    statements.push(countsIn(query))
  }
  query.mockRestore()
  expect(statements).toEqual([1, 1, 1, 1, 0, 0])
})

test('an address is counted, an IPv6 network as one; an address that many may share is not', async () => {
  const statuses = async (...addresses: string[]) => {
    const all: number[] = []
    for (const [n, address] of addresses.entries()) all.push((await fromAddress(address, n % 2)).status)
    return all
  }
  expect(await statuses(...Array<string>(4).fill('203.0.113.1'), '203.0.113.2')).toEqual([
    200, 200, 200, 429, 200,
  ])
  expect(await statuses(...[1, 2, 3, 4].map((n) => `2001:db8::${n}`))).toEqual([200, 200, 200, 429])
  expect(await statuses(...Array<string>(4).fill('10.0.0.1'))).toEqual([200, 200, 200, 200])
  expect((await fromAddress('10.0.0.1')).headers.get('ratelimit')).toBeNull()
})

test('without its database each process counts by itself: nobody is locked out, nor let in without end', async () => {
  const alone = await startFunction(dear, {
    LEDGER_DATABASE_URL: 'postgres://x:y@127.0.0.1:9/x',
    ...QUOTAS,
  })
  const ada = await token({ userId: randomUUID() })
  const statuses: number[] = []
  for (let n = 0; n < 4; n++)
    statuses.push((await alone.request('GET', '/dear/callers', { token: ada })).status)
  await alone.stop()
  expect(statuses).toEqual([200, 200, 200, 429])
})

/** Sends requests of one caller to a process. Returns their statuses, and how many counts the database was
 * asked for. */
async function sendTo({ request, tools }: TestFunction, times: number) {
  const ada = await token({ userId: randomUUID() })
  const query = jest.spyOn(tools.db, 'query')
  const statuses: number[] = []
  for (let n = 0; n < times; n++)
    statuses.push((await request('GET', '/dear/callers', { token: ada })).status)
  const asked = countsIn(query)
  query.mockRestore()
  return { statuses, asked }
}

/** Nobody else's database: what is done to it hurts no other test. */
async function withOwnDatabase(
  work: (own: TestDatabase, start: () => Promise<TestFunction>, owner: pg.Client) => Promise<void>,
): Promise<void> {
  const own = await testDatabase('ledger')
  const owner = new pg.Client({ connectionString: own.superuserUrl })
  await owner.connect()
  const started: TestFunction[] = []
  const start = async (): Promise<TestFunction> => {
    const one = await startFunction(dear, { LEDGER_DATABASE_URL: own.url, ...QUOTAS })
    started.push(one)
    return one
  }
  try {
    await work(own, start, owner)
  } finally {
    await Promise.all(started.map((each) => each.stop()))
    await owner.end()
    await own.drop()
  }
}

test('a database that is slow delays one request, and the next ones are counted without it for a while', () =>
  withOwnDatabase(async (_own, start, owner) => {
    const slow = await start()
    await owner.query('begin; lock table rate_limits in access exclusive mode')
    const { statuses, asked } = await sendTo(slow, 4)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect(asked).toBeLessThan(4)
    await owner.query('rollback')
    await until(async () => (await sendTo(slow, 1)).asked === 1, { what: 'the database to count again' })
    expect(await sendTo(slow, 4)).toEqual({ statuses: [200, 200, 200, 429], asked: 4 })
  }))

test('a database that has no connection left locks nobody out, and whoever has one is counted there', () =>
  withOwnDatabase(async ({ name }, start, owner) => {
    const early = await start()
    expect(await sendTo(early, 1)).toEqual({ statuses: [200], asked: 1 })
    await owner.query(`alter database ${name} connection limit 0`)
    const { statuses, asked } = await sendTo(await start(), 4)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect(asked).toBeLessThan(4)
    expect(await sendTo(early, 1)).toEqual({ statuses: [200], asked: 1 })
  }))

test('nobody is locked out for a day because the clock of some process was a day ahead', async () => {
  const userId = randomUUID()
  await processes[0]!.tools.db.query({
    text: 'insert into rate_limits values ($1, 99, $2)',
    values: [`dear:${userId}`, Date.now() + 86_400_000],
  })
  const ada = await token({ userId })
  for (const left of [2, 1, 0]) {
    const { status, headers } = await asCaller(0, ada)
    expect([status, headers.get('ratelimit')]).toEqual([
      200,
      expect.stringMatching(new RegExp(`^"dear";r=${left};t=(600|5\\d\\d)$`)),
    ])
  }
  expect((await asCaller(1, ada)).status).toBe(429)
})

test('a quota that is off costs and says nothing', async () => {
  const off = await startFunction(dear, { LEDGER_DATABASE_URL: database.url, STATEMENT_RATE: 'off' })
  const query = jest.spyOn(off.tools.db, 'query')
  const { headers } = await off.request('GET', '/dear/callers', {
    token: await token({ userId: randomUUID() }),
  })
  expect([headers.get('ratelimit'), countsIn(query)]).toEqual([null, 0])
  await off.stop()
})

test('a sweep forgets counts whose time is over, and no other', async () => {
  const { db } = processes[0]!.tools
  await db.query({
    text: `insert into rate_limits values ('old', 1, $1), ('new', 1, $2)`,
    values: [Date.now() - 1, Date.now() + 600_000],
  })
  // A flood from many addresses leaves this many.
  await db.query({
    text: 'insert into rate_limits select n, 1, 0 from generate_series(1, 20001) n',
  })
  await forgetOldCounts(db, Infinity)
  expect(
    await db.query({
      text: `select key from rate_limits where expire < $1 or key = 'new'`,
      values: [Date.now()],
    }),
  ).toEqual([{ key: 'new' }])
})
