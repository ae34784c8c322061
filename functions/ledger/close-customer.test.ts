import { randomUUID } from 'node:crypto'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { deliverExample } from '../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import closeCustomer from './close-customer.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { deposit, testLedger, withdrawal, type TestLedger } from './testing/ledger-fixture.ts'
import openAccount from './open-account.ts'

let ledger: TestLedger
let gateway: TestGateway
let closing: TestFunction
let opening: TestFunction

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  closing = await startFunction(closeCustomer, env)
  opening = await startFunction(openAccount, env)
})

afterAll(async () => {
  await closing.stop()
  await opening.stop()
  await gateway.close()
  await ledger.close()
})

/** Delivers the event as the Broker does. */
function deliver(
  userId: string,
  { id = randomUUID(), ...data }: { id?: string; bad?: 1 } = {},
  signedBy = 'identity',
): Promise<Answer> {
  return deliverExample(closing, userDeleted, { user_id: userId, ...data }, { id, signedBy })
}

const open = (bearer: string, body = {}): Promise<Answer> =>
  opening.request('POST', '/accounts', { token: bearer, body: { account_type: 'checking', ...body } })

const accountsOf = async (userId: string): Promise<string[]> => {
  const text = 'select id from accounts where user_id = $1'
  return (await ledger.db.query<{ id: string }>({ text, values: [userId] })).map(({ id }) => id)
}

test('an event that identity has not signed closes no customer', async () => {
  const ada = randomUUID()
  expect((await deliver(ada, {}, 'ledger')).status).toBe(500)
  expect((await open(await token({ userId: ada }))).status).toBe(201)
})

test('the token of a customer who was deleted opens no account', async () => {
  const ada = randomUUID()
  const bearer = await token({ userId: ada })
  expect((await deliver(ada)).status).toBe(204)
  expect(await open(bearer)).toMatchObject({
    status: 403,
    body: { type: 'https://microbank.dev/problems/customer-left' },
  })
  expect(await accountsOf(ada)).toEqual([])
  // Other customers' tokens do.
  expect((await open(await token({ userId: randomUUID() }))).status).toBe(201)
})

test('an operator opens no account for them either, even if `users` still shows them', async () => {
  const ada = randomUUID()
  gateway.users.add(ada)
  await deliver(ada)
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  expect(await open(operator, { user_id: ada, balance: 5 })).toMatchObject({
    status: 422,
    body: { type: 'https://microbank.dev/problems/user-unknown' },
  })
  expect(await accountsOf(ada)).toEqual([])
})

test('the event takes effect once, even if it comes many times at once and again later', async () => {
  const ada = randomUUID()
  const id = randomUUID()
  const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(ada, { id })))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
  expect((await deliver(ada, { id })).status).toBe(204)
  const received = await ledger.db.query({ text: 'select from inbox where event_id = $1', values: [id] })
  expect(received).toHaveLength(1)
})

test('an event that breaks its contract is answered 5xx and has no effect, then or later', async () => {
  const ada = randomUUID()
  const id = randomUUID()
  expect((await deliver(ada, { id, bad: 1 })).status).toBe(500)
  expect((await open(await token({ userId: ada }))).status).toBe(201)
  expect((await deliver(ada, { id })).status).toBe(204)
  expect((await open(await token({ userId: ada }))).status).toBe(403)
})

test('an opening at the same moment is either committed before, or refused', async () => {
  const ada = randomUUID()
  // The opening has locked the customer's row, and has not ended.
  let deleted: Promise<Answer> | undefined
  await ledger.db.transaction(async (tx) => {
    const [opened] = await tx.query<{ pid: number }>({
      text: `select pg_backend_pid() as pid, open_account($1, 'checking', 'USD', 0, 1000, 1000, 10)`,
      values: [ada],
    })
    deleted = deliver(ada)
    const blocked = {
      text: 'select from pg_locks where $1 = any(pg_blocking_pids(pid))',
      values: [opened!.pid],
    }
    await until(async () => (await ledger.owner.query(blocked)).length > 0, { what: 'the event to wait' })
  })
  expect((await deleted!).status).toBe(204)
  expect(await accountsOf(ada)).toHaveLength(1)
  expect((await open(await token({ userId: ada }))).status).toBe(403)
})

test('a customer who left can still move the money they have', async () => {
  const ada = randomUUID()
  const account = await ledger.open({ userId: ada })
  await ledger.post(deposit(account, 5_00, { caller_id: ada }))
  await deliver(ada)
  expect(await ledger.post(withdrawal(account, 5_00, { caller_id: ada }))).toMatchObject([
    { outcome: 'posted' },
  ])
})

test('what a customer who left called their accounts is forgotten', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  for (const userId of [ada, bob]) await open(await token({ userId }), { name: 'Alimony' })
  await deliver(ada)
  const text = 'select user_id, name from accounts where user_id = any($1) order by user_id = $2'
  expect(await ledger.db.query({ text, values: [[ada, bob], bob] })).toEqual([
    { user_id: ada, name: null },
    { user_id: bob, name: 'Alimony' },
  ])
})
