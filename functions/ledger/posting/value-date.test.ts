import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import deposit from '../deposit.ts'
import { testGateway, type TestGateway } from '../testing/gateway-fixture.ts'
import { alice, deposit as depositRequest, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import withdraw from '../withdraw.ts'

/** Operators can say from which day a deposit or withdrawal counts. */

let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'deposit' | 'withdrawal', TestFunction>
let operator: string
let account: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  functions = { deposit: await startFunction(deposit, env), withdrawal: await startFunction(withdraw, env) }
  operator = await token({ userId: randomUUID(), role: 'operator' })
})

beforeEach(async () => {
  account = await ledger.open()
  await ledger.post(depositRequest(account, 100_00))
})

afterAll(async () => {
  for (const running of Object.values(functions)) await running.stop()
  await gateway.close()
  await ledger.close()
})

/** A day so many days from today, in UTC. */
const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

const kinds = ['deposit', 'withdrawal'] as const

const post = (
  type: (typeof kinds)[number],
  body: object,
  { as = operator, headers = {} }: { as?: string; headers?: Record<string, string> } = {},
): Promise<Answer> =>
  functions[type].request('POST', '/transactions', {
    token: as,
    headers,
    body: { type, account_id: account, amount: '1.00', ...body },
  })

const entries = (): Promise<{ value_date: string | null }[]> =>
  ledger.db.query({
    text: 'select value_date::text from entries where account_id = $1 and version > 1 order by version',
    values: [account],
  })

describe.each(kinds)('a %s', (type) => {
  test.each([0, -29, 29])('counts from the given day, %d days from today', async (days) => {
    const wanted = day(days)
    const { status, body } = await post(type, { value_date: wanted })
    expect([status, body.value_date]).toEqual([201, wanted])
    expect(await entries()).toEqual([{ value_date: wanted }])
    expect(await ledger.faults()).toEqual([])
  })

  test.each([-32, 32, -4_000])(
    'is refused if that is %d days from today, and moves nothing',
    async (days) => {
      const { status, body } = await post(type, { value_date: day(days) })
      expect([status, body.type]).toEqual([422, 'https://microbank.dev/problems/value-date-out-of-range'])
      expect(await entries()).toEqual([])
    },
  )

  test.each(['2026-02-30', 'today', '0000-01-01', '2026-01-01T00:00:00Z', 5])(
    'is invalid with the day %j',
    async (value_date) => {
      const { status, body } = await post(type, { value_date })
      expect([status, body.errors?.[0]?.path]).toEqual([400, '/value_date'])
    },
  )

  test('can’t be dated by a customer', async () => {
    const { status } = await post(type, { value_date: day(0) }, { as: await token({ userId: alice }) })
    expect(status).toBe(403)
    expect(await entries()).toEqual([])
  })

  test('has the same answer for the same key, and another day is another request', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const [wanted, another] = [day(-3), day(-5)]
    const first = await post(type, { value_date: wanted }, { headers })
    const again = await post(type, { value_date: wanted }, { headers })
    expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([
      201,
      first.body,
      'true',
    ])
    expect((await post(type, { value_date: another }, { headers })).status).toBe(422)
    expect(await entries()).toHaveLength(1)
  })
})

test('without a day, it counts from the day of the posting', async () => {
  const { body } = await post('deposit', {})
  expect(body.value_date).toBe(body.timestamp.slice(0, 10))
  expect(await entries()).toEqual([{ value_date: null }])
})
