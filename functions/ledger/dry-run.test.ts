import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import dryRun from './dry-run.ts'
import postBatch from './post-batch.ts'
import { limitTo, setFee } from './testing/policies-fixture.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { alice, deposit, placing, testLedger, transfer, type TestLedger } from './testing/ledger-fixture.ts'

const [bob, operator] = [randomUUID(), randomUUID()]
let ledger: TestLedger
let gateway: TestGateway
let running: TestFunction
let batches: TestFunction
let tokens: Record<'alice' | 'bob' | 'operator', string>

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  running = await startFunction(dryRun, env)
  batches = await startFunction(postBatch, env)
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: operator, role: 'operator' }),
  }
  await setFee(ledger, 'transfer', { fixed: 50 })
  await setFee(ledger, 'deposit', { fixed: 100 })
})

afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  await running.stop()
  await batches.stop()
  await gateway.close()
  await ledger.close()
})

const tryOut = (body: object, bearer = tokens.alice): Promise<Answer> =>
  running.request('POST', '/transactions/dry-run', { token: bearer, body })

const funded = async (amount: number, options = {}): Promise<string> => {
  const id = await ledger.open(options)
  await ledger.post(deposit(id, amount + 100, { caller_role: 'operator' }))
  return id
}

/** All that a posting could leave behind. */
const everything = async (): Promise<unknown> => {
  const tables = [
    'accounts',
    'transactions',
    'entries',
    'outflows',
    'outbox',
    'outbox_pending',
    'idempotency_keys',
  ]
  const counts = tables.map(
    (table) => `(select count(*) || md5(string_agg(t::text, '' order by t::text)) from ${table} t)`,
  )
  return ledger.owner.query({ text: `select ${counts.map((count, i) => `${count} as c${i}`).join()}` })
}

test('tells fee, balance, what is available and what the limits leave, and changes nothing', async () => {
  const [from, to] = [await funded(10_000, { overdraftLimit: 500n }), await ledger.open({ userId: bob })]
  await limitTo(ledger, from, { transaction: 5_000n, day: 6_000n })
  await ledger.post(placing(from, 1_000))
  const before = await everything()
  const answer = await tryOut({ type: 'transfer', account_id: from, to_account_id: to, amount: '20.00' })
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      allowed: true,
      refusal: null,
      fee: '0.50',
      balance_after: '79.50',
      available_after: '74.50',
      limits: {
        transaction_max: '50.00',
        day_max: '60.00',
        day_used: '30.00',
        day_remaining: '30.00',
        month_max: null,
        month_used: null,
        month_remaining: null,
      },
    },
  ])
  expect(await everything()).toEqual(before)
})

test('holds no lock when it has answered', async () => {
  const account = await funded(100)
  await tryOut({ type: 'withdrawal', account_id: account, amount: 1 })
  const rows = await ledger.owner.query({
    text: 'select from accounts where id = $1 for update nowait',
    values: [account],
  })
  expect(rows).toHaveLength(1)
})

test('of a currency whose postings are stopped is refused as they are', async () => {
  const account = await ledger.open({ currency: 'NOK' })
  await ledger.owner.query({
    text: `insert into ledger_stops (currency, reason) values ('NOK', 'A test')`,
  })
  const answer = await tryOut({ type: 'deposit', account_id: account, amount: 1, currency: 'NOK' })
  expect([answer.status, answer.body.type]).toEqual([503, expect.stringMatching(/ledger-stopped$/)])
})

test('tells why a transaction would be refused, and its fee', async () => {
  const [from, to] = [await funded(1_000), await ledger.open()]
  const answer = await tryOut({ type: 'transfer', account_id: from, to_account_id: to, amount: '9.51' })
  expect(answer.body).toEqual({
    allowed: false,
    refusal: 'insufficient-funds',
    fee: '0.50',
    balance_after: null,
    available_after: null,
    limits: null,
  })
})

test('tells the same as posting, for whatever is asked', async () => {
  const [from, to] = [await funded(5_000), await ledger.open()]
  await limitTo(ledger, from, { transaction: 3_000n, day: 4_000n, month: 4_500n })
  const asked = [
    { type: 'transfer', account_id: from, to_account_id: to, amount: '20.00' },
    { type: 'transfer', account_id: from, to_account_id: to, amount: '30.01' },
    { type: 'transfer', account_id: from, to_account_id: to, amount: '20.01' },
    { type: 'transfer', account_id: from, to_account_id: from, amount: 1 },
    { type: 'transfer', account_id: from, to_account_id: randomUUID(), amount: 1 },
    { type: 'withdrawal', account_id: from, amount: '19.00' },
    { type: 'withdrawal', account_id: from, amount: '2.00' },
    { type: 'withdrawal', account_id: from, amount: '2.00', currency: 'EUR' },
    { type: 'deposit', account_id: from, amount: '0.99' },
    { type: 'deposit', account_id: from, amount: '1.00' },
    { type: 'deposit', account_id: from, amount: '10000000000.01' },
  ]
  for (const body of asked) {
    const tried = await tryOut(body)
    const posted = await batches.request('POST', '/transactions/batch', {
      token: tokens.alice,
      body: { transactions: [body] },
    })
    const [{ transaction, problem }] = posted.body.results
    expect([body, tried.body.refusal]).toEqual([body, problem ? problem.type.split('/').at(-1) : null])
    if (transaction) {
      expect([tried.body.fee, tried.body.balance_after]).toEqual([transaction.fee, transaction.balance_after])
    }
  }
})

describe('nobody learns more than by posting', () => {
  test('another customer’s account is as if it were not there', async () => {
    const account = await funded(1_000, { userId: bob })
    await limitTo(ledger, account, { day: 100n })
    const unknown = {
      allowed: false,
      refusal: 'account-not-found',
      fee: null,
      balance_after: null,
      available_after: null,
      limits: null,
    }
    for (const id of [account, randomUUID()]) {
      expect((await tryOut({ type: 'deposit', account_id: id, amount: 5 })).body).toEqual(unknown)
    }
    const transferring = {
      type: 'transfer',
      account_id: account,
      to_account_id: await ledger.open(),
      amount: 1,
    }
    expect((await tryOut(transferring)).body.refusal).toBe('account-not-found')
    // An operator may deposit, but not send a customer's money.
    expect(
      (await tryOut({ type: 'deposit', account_id: account, amount: 5 }, tokens.operator)).body,
    ).toMatchObject({
      allowed: true,
      balance_after: '14.00',
    })
    expect((await tryOut(transferring, tokens.operator)).body.refusal).toBe('account-not-found')
  })

  test('a payee’s balance can’t be found by looking for the amount that is too much for it', async () => {
    const [from, own] = [await funded(1_000), await ledger.open({ balanceLimit: 200n })]
    const strangers = await ledger.open({ userId: bob, balanceLimit: 200n })
    const to = (id: string) =>
      tryOut({ type: 'transfer', account_id: from, to_account_id: id, amount: '3.00' })
    expect((await to(own)).body).toMatchObject({ allowed: false, refusal: 'limit-exceeded' })
    expect((await to(strangers)).body).toEqual({
      allowed: true,
      refusal: null,
      fee: '0.50',
      balance_after: '6.50',
      available_after: '6.50',
      limits: null,
    })
    const [outcome] = await ledger.post(transfer(from, strangers, 300))
    expect(outcome!.outcome).toBe('limit-exceeded')
  })
})

test('an operator who tries out a customer’s transaction has read their balance, and the audit says so', async () => {
  const account = await funded(1_000, { userId: bob })
  await tryOut({ type: 'deposit', account_id: account, amount: 5 }, tokens.bob)
  await tryOut({ type: 'deposit', account_id: account, amount: 5 }, tokens.operator)
  const rows = await ledger.owner.query({
    text: 'select caller_id, owner_id, outcome from audit where subject = $1',
    values: [account],
  })
  expect(rows).toEqual([{ caller_id: operator, owner_id: bob, outcome: 'read' }])
})

test('what a payee would be told stays out of the audit', async () => {
  const account = await funded(1_000, { userId: bob })
  const body = { type: 'withdrawal', account_id: account, amount: 5, description: 'for the doctor' }
  await tryOut(body, tokens.operator)
  const rows = await ledger.owner.query<{ details: unknown }>({
    text: 'select details from audit where subject = $1',
    values: [account],
  })
  expect(rows).toMatchObject([{ details: { type: 'withdrawal', description: '(given)' } }])
})

test('operators can try out value dates, and nobody else', async () => {
  // In a currency of its own, in which no test has set the time.
  const account = await ledger.open({ currency: 'SEK' })
  const deposited = { type: 'deposit', account_id: account, amount: 5, currency: 'SEK' }
  const dated = (date: string) => ({ ...deposited, value_date: date })
  const today = new Date().toISOString().slice(0, 10)
  expect((await tryOut(dated(today), tokens.operator)).body).toMatchObject({ allowed: true })
  expect((await tryOut(dated('2020-01-01'), tokens.operator)).body).toMatchObject({
    refusal: 'value-date-out-of-range',
  })
  expect((await tryOut(dated(today))).status).toBe(403)
})

test('nobody who is not signed in gets an answer', async () => {
  expect((await running.request('POST', '/transactions/dry-run', { body: {} })).status).toBe(401)
})

const sending = { type: 'transfer', to_account_id: alice }

test.each([
  ['no type', {}, '/type'],
  ['a reversal', { type: 'reversal' }, '/type'],
  ['a transfer without a payee', { type: 'transfer' }, '/to_account_id'],
  ['a withdrawal with a payee', { type: 'withdrawal', to_account_id: alice }, '/to_account_id'],
  ['a transfer with a value date', { ...sending, value_date: '2026-01-01' }, '/value_date'],
  ['an amount that is none', { type: 'deposit', amount: '-1' }, '/amount'],
  ['an unknown currency', { type: 'deposit', currency: 'QQQ' }, '/currency'],
  ['an id that is none', { type: 'deposit', account_id: 'mine' }, '/account_id'],
])('a bad body is refused: %s', async (_what, body, path) => {
  const answer = await tryOut({ account_id: alice, amount: 1, ...body })
  expect([answer.status, answer.body.errors[0].path]).toEqual([400, path])
})
