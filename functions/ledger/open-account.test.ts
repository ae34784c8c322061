import { randomUUID } from 'node:crypto'
import { readConfig } from '../host/config.ts'
import { settings } from '../host/settings/ledger.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import openAccount from './open-account.ts'

const MAX = 5

let ledger: TestLedger
let gateway: TestGateway
/** Two processes that know nothing of each other. */
let functions: TestFunction[]

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = {
    LEDGER_DATABASE_URL: ledger.database.url,
    LOCAL_GATEWAY: gateway.address,
    ACCOUNTS_PER_CUSTOMER_MAX: String(MAX),
    ACCOUNT_BALANCE_MAX: '50000',
    OWN_DEPOSIT_MAX: '20000',
  }
  functions = [await startFunction(openAccount, env), await startFunction(openAccount, env)]
})

afterAll(async () => {
  for (const running of functions) await running.stop()
  await gateway.close()
  await ledger.close()
})

const open = (bearer: string, n: number, more = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  functions[n % functions.length]!.request('POST', '/accounts', {
    token: bearer,
    body: { account_type: 'checking', ...more },
    headers,
  })

const outcome = ({ status, body }: Answer): unknown =>
  status === 201 ? status : [status, body.type.split('/').at(-1)]

test('however many accounts a customer opens at once, they never have more than the limit', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  const bearer = await token({ userId: ada })
  // In several currencies; these are the first accounts of each.
  const currencies = ['USD', 'EUR', 'SEK']
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => open(bearer, n, { currency: currencies[n % 3] })),
  )
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(MAX)
  const refused = answers.filter(({ status }) => status !== 201).map(outcome)
  expect(new Set(refused.map(String))).toEqual(new Set(['409,too-many-accounts']))
  const [row] = await ledger.db.query<{ count: bigint }>({
    text: 'select count(*) from accounts where user_id = $1',
    values: [ada],
  })
  expect(row!.count).toBe(BigInt(MAX))
  // An operator can't open more for them either, and other customers have their own limit.
  gateway.users.add(ada)
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  expect(outcome(await open(operator, 0, { user_id: ada }))).toEqual([409, 'too-many-accounts'])
  expect(outcome(await open(await token({ userId: bob }), 0))).toBe(201)
})

test('a closed account counts, and a refusal is stored with its key', async () => {
  const ada = randomUUID()
  const bearer = await token({ userId: ada })
  for (let n = 0; n < MAX; n++) await open(bearer, n)
  const headers = { 'idempotency-key': randomUUID() }
  const first = await open(bearer, 0, {}, headers)
  await ledger.owner.query({
    text: `update accounts set status = 'closed' where user_id = $1`,
    values: [ada],
  })
  expect(outcome(await open(bearer, 0))).toEqual([409, 'too-many-accounts'])
  const second = await open(bearer, 0, {}, headers)
  expect([second.body, second.headers.get('idempotency-replayed')]).toEqual([first.body, 'true'])
})

test('an account gets the limits from the settings', async () => {
  const ada = randomUUID()
  gateway.users.add(ada)
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  expect(outcome(await open(operator, 0, { user_id: ada, balance: '500.01' }))).toEqual([
    409,
    'limit-exceeded',
  ])
  const { body } = await open(operator, 0, { user_id: ada, balance: '500.00' })
  const rows = await ledger.db.query({
    text: 'select id, balance, balance_limit, deposit_limit from accounts where user_id = $1',
    values: [ada],
  })
  expect(rows).toEqual([{ id: body.id, balance: 500_00n, balance_limit: 500_00n, deposit_limit: 200_00n }])
})

test.each(['0', '-1', '1.5', '1e3', 'many', '1000000000000001'])('a limit of %s stops the start', (limit) => {
  expect(() => readConfig([], settings, { ACCOUNT_BALANCE_MAX: limit })).toThrow('must be a number from 1 to')
  expect(() => readConfig([], settings, { OWN_DEPOSIT_MAX: limit })).toThrow('must be a number from 1 to')
})
