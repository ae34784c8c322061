import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import openAccount from '../open-account.ts'
import postBatch from '../post-batch.ts'
import reverseTransaction from '../reverse-transaction.ts'
import { testGateway, type TestGateway } from '../testing/gateway-fixture.ts'
import { alice, deposit, testLedger, transfer, type TestLedger } from '../testing/ledger-fixture.ts'
import { setFee } from '../testing/policies-fixture.ts'
import transactions from '../transactions.ts'
import transferring from '../transfer.ts'

/** How a fee is shown, to whom. */

const [bob, operator] = [randomUUID(), randomUUID()]
let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'open' | 'batch' | 'reverse' | 'list' | 'transfer', TestFunction>
let tokens: Record<'alice' | 'bob' | 'operator', string>

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  gateway.users.add(alice)
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  functions = {
    open: await startFunction(openAccount, env),
    batch: await startFunction(postBatch, env),
    reverse: await startFunction(reverseTransaction, env),
    list: await startFunction(transactions, env),
    transfer: await startFunction(transferring, env),
  }
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: operator, role: 'operator' }),
  }
  await setFee(ledger, 'transfer', { fixed: 150 })
  await setFee(ledger, 'deposit', { fixed: 100 })
})

afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  for (const running of Object.values(functions)) await running.stop()
  await gateway.close()
  await ledger.close()
})

/** Two accounts, alice's with 100.00, bob's empty. */
const two = async (): Promise<[string, string]> => {
  const ids: [string, string] = [await ledger.open(), await ledger.open({ userId: bob })]
  await ledger.post(deposit(ids[0], 10_100))
  return ids
}

const send = (from: string, to: string, headers: Record<string, string> = {}): Promise<Answer> =>
  functions.transfer.request('POST', '/transactions', {
    token: tokens.alice,
    body: { account_id: from, to_account_id: to, amount: '10.00' },
    headers,
  })

const listed = async (account: string, bearer: string): Promise<Answer['body'][]> =>
  (await functions.list.request('GET', `/transactions?account_id=${account}`, { token: bearer })).body.items

test('the answer has the fee, apart from the amount, and so has a repeated one', async () => {
  const [from, to] = await two()
  const key = { 'idempotency-key': randomUUID() }
  const { body } = await send(from, to, key)
  expect(body).toMatchObject({ amount: '10.00', fee: '1.50', balance_after: '88.50' })
  expect((await send(from, to, key)).body).toEqual(body)
  const asOrder = await send(from, to, { ...key, prefer: 'respond-async' })
  expect([asOrder.status, asOrder.body]).toEqual([201, body])
})

test('of a batch too', async () => {
  const key = randomUUID()
  const [from, to] = await two()
  const one = { type: 'transfer', account_id: from, to_account_id: to, amount: '10.00' }
  const free = { type: 'withdrawal', account_id: from, amount: '1.00' }
  const post = () =>
    functions.batch.request('POST', '/transactions/batch', {
      token: tokens.alice,
      body: { transactions: [one, free] },
      headers: { 'idempotency-key': key },
    })
  const first = await post()
  expect(first.body.results.map(({ transaction }: Answer['body']) => transaction.fee)).toEqual(['1.50', null])
  expect((await post()).body).toEqual(first.body)
})

test('a transaction with a fee is listed once, and only the one who paid sees the fee', async () => {
  const [from, to] = await two()
  const { body } = await send(from, to)
  const mine = await listed(from, tokens.alice)
  expect(mine.map(({ type, fee, balance_after: after }) => [type, fee, after])).toEqual([
    ['transfer', '1.50', '88.50'],
    ['deposit', '1.00', '100.00'],
  ])
  expect(await listed(to, tokens.bob)).toMatchObject([{ id: body.id, fee: null, balance_after: null }])
  const one = await functions.list.request('GET', `/transactions/${body.id}`, { token: tokens.alice })
  expect(one.body).toMatchObject(body)
})

test('so are a reversal, which gives it back, and pages of one', async () => {
  const [from, to] = await two()
  const { body } = await send(from, to)
  const reversed = await functions.reverse.request('POST', `/transactions/${body.id}/reverse`, {
    token: tokens.operator,
    body: { reason: 'A mistake' },
  })
  expect(reversed.body).toMatchObject({ amount: '10.00', fee: '-1.50', balance_after: '100.00' })
  const seen: string[] = []
  for (let cursor = ''; ;) {
    const path = `/transactions?account_id=${from}&limit=1${cursor}`
    const { body: page } = await functions.list.request('GET', path, { token: tokens.alice })
    seen.push(...page.items.map(({ type }: Answer['body']) => type))
    if (page.next_cursor === null) break
    cursor = `&cursor=${page.next_cursor}`
  }
  expect(seen).toEqual(['reversal', 'transfer', 'deposit'])
})

describe('an opening deposit', () => {
  const open = (balance: string) =>
    functions.open.request('POST', '/accounts', {
      token: tokens.operator,
      body: { account_type: 'checking', user_id: alice, balance },
    })

  test('bears the fee of a deposit', async () => {
    const answer = await open('50.00')
    expect([answer.status, answer.body.balance]).toEqual([201, '49.00'])
  })

  test('that is less than its fee opens no account', async () => {
    const count = async () => (await ledger.db.query({ text: 'select from accounts' })).length
    const before = await count()
    const answer = await open('0.99')
    expect([answer.status, answer.body.type]).toEqual([409, expect.stringMatching(/fee-exceeds-amount$/)])
    expect(await count()).toBe(before)
  })
})

test('a transfer between two accounts of one customer is listed once', async () => {
  const [from] = await two()
  const to = await ledger.open()
  await ledger.post(transfer(from, to, 500))
  const { body } = await functions.list.request('GET', '/transactions?limit=2', { token: tokens.alice })
  expect(body.items.map(({ type }: Answer['body']) => type)).toEqual(['transfer', 'deposit'])
})
