import { randomUUID } from 'node:crypto'
import { startFunction, token, type TestFunction } from '../../../tests/support/host.ts'
import { summary } from '../testing/batch-fixture.ts'
import { testGateway, type TestGateway } from '../testing/gateway-fixture.ts'
import {
  alice,
  deposit as depositOf,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import deposit from '../deposit.ts'
import { postTransactions } from './post.ts'
import type { PostingRequest } from './posting-request.ts'
import { toSubjectEvents } from './subjects.ts'
import postBatch from '../post-batch.ts'

/** No customer may be able to keep another from using the bank. */
const bob = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'deposit' | 'postBatch', TestFunction>
let tokens: Record<'alice' | 'bob', string>

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  functions = {
    deposit: await startFunction(deposit, env),
    postBatch: await startFunction(postBatch, env),
  }
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
  }
})

afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  for (const running of Object.values(functions)) await running.stop()
  await gateway.close()
  await ledger.close()
})

test('a customer who deposits the largest amount 1001 times stops nobody else’s deposits', async () => {
  const own = await Promise.all(Array.from({ length: 20 }, () => ledger.open()))
  const others = await ledger.open({ userId: bob })
  const most = Array.from({ length: 1001 }, (_, i) => ({
    type: 'deposit',
    account_id: own[i % own.length],
    amount: '10000000000000.00',
  }))
  for (const transactions of [most.slice(0, 1000), most.slice(1000)]) {
    const answer = await functions.postBatch.request('POST', '/transactions/batch', {
      token: tokens.alice,
      body: { transactions },
    })
    expect([answer.status, summary(answer)]).toEqual([200, transactions.map(() => 'limit-exceeded')])
  }
  const answer = await functions.deposit.request('POST', '/transactions', {
    token: tokens.bob,
    body: { account_id: others, amount: '5.00' },
  })
  expect([answer.status, answer.body.balance_after]).toEqual([201, '5.00'])
})

describe('metadata so large that it would make others wait', () => {
  const large = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`note ${n}`, 'ä'.repeat(200)]))
  const depositWith = (account: string, metadata: object) => ({
    type: 'deposit',
    account_id: account,
    amount: 1,
    metadata,
  })

  test('is refused, alone and in a batch', async () => {
    const account = await ledger.open()
    const alone = await functions.deposit.request('POST', '/', {
      token: tokens.alice,
      body: depositWith(account, large),
    })
    expect([alone.status, alone.body.errors]).toEqual([
      400,
      [{ path: '/metadata', message: 'must take at most 4096 bytes as JSON' }],
    ])
    const batch = await functions.postBatch.request('POST', '/', {
      token: tokens.alice,
      body: { transactions: [depositWith(account, {}), depositWith(account, large)] },
    })
    expect([batch.status, batch.body.errors[0].path]).toEqual([400, '/transactions/1/metadata'])
    expect(await ledger.balances(account)).toEqual([0n])
  })

  test('is accepted up to its limit', async () => {
    const account = await ledger.open()
    const { 'note 0': _left, ...rest } = large
    const answer = await functions.deposit.request('POST', '/', {
      token: tokens.alice,
      body: depositWith(account, rest),
    })
    expect([answer.status, answer.body.metadata]).toEqual([201, rest])
  })
})

describe('more money than a bigint can count, deposited by thousands of rich customers', () => {
  const most = 10n ** 15n
  const dirham = { currency: 'MAD' }
  let accounts: { id: string; userId: string }[]

  const own = async () =>
    ledger.db.query<{ id: string; account_type: string; balance: bigint }>({
      text: `select id, account_type, balance from accounts where kind = 'system' and currency = 'MAD' order by id`,
    })
  const inBatches = async (requestOf: (account: { id: string; userId: string }) => PostingRequest) => {
    const batches = Array.from({ length: accounts.length / 500 }, (_, n) =>
      accounts.slice(n * 500, n * 500 + 500),
    )
    // At once, so that they wait for the till and then find it full. As the owner, who may wait for as
    // long as a slow machine needs.
    const posted = await Promise.all(
      batches.map((batch) => postTransactions(ledger.owner, batch.map(requestOf), toSubjectEvents)),
    )
    const outcomes = posted.flatMap((one) => one.outcomes)
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['posted']))
  }
  const sum = (rows: { balance: bigint }[]): bigint =>
    rows.reduce((total, { balance }) => total + balance, 0n)

  beforeAll(async () => {
    // As the owner: the functions' role may not work on one statement for as long as a slow machine needs.
    const rows = await ledger.owner.query<{ id: string; user_id: string }>({
      text: `select ((opened).account).id, ((opened).account).user_id from (
          select open_account(gen_random_uuid(), 'savings', 'MAD', 0, $1, $1, 1) as opened from generate_series(1, 12000)
        ) _`,
      values: [most],
    })
    accounts = rows.map(({ id, user_id: userId }) => ({ id, userId }))
  })

  test('is carried to vaults, so the till is never full', async () => {
    await inBatches(({ id, userId }) => depositOf(id, most, { ...dirham, caller_id: userId }))
    const [till, ...vaults] = await own()
    expect(till!.account_type).toBe('cash')
    expect(vaults.length).toBeGreaterThan(5)
    expect(new Set(vaults.map(({ account_type: type }) => type))).toEqual(new Set(['vault']))
    expect(sum([till!, ...vaults])).toBe(-12_000n * most)
    expect(await ledger.faults()).toEqual([])
  })

  test('can all be paid out again', async () => {
    await inBatches(({ id, userId }) => withdrawal(id, most, { ...dirham, caller_id: userId }))
    expect(sum(await own())).toBe(0n)
    expect(await ledger.faults()).toEqual([])
  })

  test('nobody can pay to a vault, and a vault is never carried to another', async () => {
    const { id, userId } = accounts[0]!
    await ledger.post(depositOf(id, 1, { ...dirham, caller_id: userId }))
    const before = await own()
    const outcomes = await ledger.post(
      transfer(id, before.at(-1)!.id, 1, { ...dirham, caller_id: userId }),
      depositOf(before.at(-1)!.id, 1, { ...dirham, caller_role: 'operator' }),
    )
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['account-not-found', 'account-not-found'])
    expect(await own()).toHaveLength(before.length)
  })
})
