import { randomUUID } from 'node:crypto'
import {
  alice,
  deposit,
  placing,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import type { PostingRequest } from './posting-request.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const funded = async (amount: bigint | number, options = {}): Promise<string> => {
  const id = await ledger.open(options)
  await ledger.post(deposit(id, amount, { caller_role: 'operator' }))
  return id
}

const names = async (...requests: PostingRequest[]): Promise<string[]> =>
  (await ledger.post(...requests)).map(({ outcome }) => outcome)

describe('posting', () => {
  test('a transfer takes from one account exactly what it adds to the other', async () => {
    const [from, to] = [await funded(900_00), await ledger.open()]
    const [outcome] = await ledger.post(transfer(from, to, 200_00))
    expect(outcome).toMatchObject({ outcome: 'posted', replayed: false, balanceAfter: 700_00n })
    expect(await ledger.balances(from, to)).toEqual([700_00n, 200_00n])
    expect(await ledger.faults()).toEqual([])
  })

  test('deposits and withdrawals have their other side on the cash account of the currency', async () => {
    const account = await ledger.open({ currency: 'CHF' })
    await ledger.post(
      deposit(account, 500, { currency: 'CHF' }),
      withdrawal(account, 200, { currency: 'CHF' }),
    )
    const rows = await ledger.db.query({
      text: `select balance, version from accounts where kind = 'system' and currency = 'CHF'`,
    })
    expect(rows).toEqual([{ balance: -300n, version: 2n }])
  })

  test('the outcomes of a batch are in the order of its requests', async () => {
    const [rich, poor] = [await funded(100), await ledger.open()]
    const outcomes = await ledger.post(
      transfer(poor, rich, 1),
      transfer(rich, poor, 40),
      transfer(poor, rich, 40),
      transfer(poor, rich, 1),
    )
    expect(outcomes).toMatchObject([
      { outcome: 'insufficient-funds' },
      { outcome: 'posted', balanceAfter: 60n },
      { outcome: 'posted', balanceAfter: 0n },
      { outcome: 'insufficient-funds' },
    ])
  })

  test('no money is spent twice within one batch', async () => {
    const [from, to] = [await funded(250), await ledger.open()]
    const outcomes = await names(...Array.from({ length: 5 }, () => transfer(from, to, 100)))
    expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(2)
    expect(await ledger.balances(from, to)).toEqual([50n, 200n])
  })

  test('an overdraft limit can be used to the last cent, and held money can’t', async () => {
    const account = await ledger.open({ overdraftLimit: 100n })
    const to = await ledger.open()
    expect(await names(transfer(account, to, 101), transfer(account, to, 100))).toEqual([
      'insufficient-funds',
      'posted',
    ])
    const holding = await funded(100)
    await ledger.post(placing(holding, 30))
    expect(await names(transfer(holding, to, 71), transfer(holding, to, 70))).toEqual([
      'insufficient-funds',
      'posted',
    ])
    expect(await ledger.faults()).toEqual([])
  })

  test('its event can be read, and stays pending until it is published', async () => {
    const [from, to] = [await funded(900_00), await ledger.open({ userId: randomUUID() })]
    const request = transfer(from, to, 200_00, { description: 'rent “May”' })
    await ledger.post(request)
    const [event] = await ledger.db.query<{ data: Record<string, unknown> }>({
      text: `select e.*, p.attempts from events e join outbox_pending p on e.id = any (p.event_ids) where subject = $1`,
      values: [request.id],
    })
    expect(event).toMatchObject({ type: 'transaction.completed', partitionkey: from, attempts: 0 })
    expect(event!.data).toMatchObject({
      transaction_id: request.id,
      user_id: alice,
      amount: '200.00',
      new_balance: '700.00',
      to_new_balance: '200.00',
      description: 'rent “May”',
    })
  })

  test.each([
    '',
    ' ',
    'NULL',
    '{}"),(',
    'a, "b" (c) \\ {d} \\"e\\\\',
    "it's\u2028 \t two\nlines",
    '\\x00',
    'prêt 💶',
  ])('text is stored unchanged: %j', async (words) => {
    const [from, to] = [await funded(5), await ledger.open()]
    const request = transfer(from, to, 1, {
      description: words,
      metadata: { [words]: words },
      key: `k${words}`,
    })
    const [outcome] = await ledger.post(request)
    expect(outcome).toMatchObject({ outcome: 'posted', balanceAfter: 4n })
    const [row] = await ledger.db.query({
      text: `select description, metadata, data ->> 'description' as stated,
          exists (select from idempotency_keys where idempotency_keys.id = idempotency_id($2, $3)) as kept
        from transactions t join events on subject = t.id::text where t.id = $1`,
      values: [request.id, alice, `k${words}`],
    })
    expect(row).toEqual({ description: words, metadata: { [words]: words }, stated: words, kept: true })
  })

  test('no balance exceeds its account’s limit, to the last yen', async () => {
    const yen = { currency: 'JPY' }
    const limits = { ...yen, balanceLimit: 1_000n, depositLimit: 600n }
    const [full, other] = [await ledger.open(limits), await ledger.open(limits)]
    expect(await names(deposit(full, 600, yen), deposit(full, 401, yen), deposit(full, 400, yen))).toEqual([
      'posted',
      'limit-exceeded',
      'posted',
    ])
    await ledger.post(deposit(other, 5, yen))
    expect(await names(transfer(other, full, 1, yen))).toEqual(['limit-exceeded'])
    expect(await names(transfer(full, other, 1, yen), transfer(other, full, 1, yen))).toEqual([
      'posted',
      'posted',
    ])
    expect(await ledger.balances(full, other)).toEqual([1_000n, 5n])
    expect(await ledger.faults()).toEqual([])
  })

  test('an owner can deposit at once up to the account’s limit, an operator as much as the account can hold', async () => {
    const account = await ledger.open({ balanceLimit: 1_000n, depositLimit: 600n })
    const operator = { caller_role: 'operator', caller_id: randomUUID() } as const
    expect(await names(deposit(account, 601), deposit(account, 600))).toEqual(['limit-exceeded', 'posted'])
    expect(await names(withdrawal(account, 600), deposit(account, 1_000, operator))).toEqual([
      'posted',
      'posted',
    ])
  })
})

describe('refusals, in their order of precedence', () => {
  const unknown = randomUUID()
  let open: string, poor: string, closed: string, frozen: string, euro: string, foreign: string

  beforeAll(async () => {
    ;[open, poor] = [await funded(100), await ledger.open()]
    ;[closed, frozen] = [await funded(100), await funded(100)]
    euro = await funded(100, { currency: 'EUR' }).catch(() => ledger.open({ currency: 'EUR' }))
    foreign = await ledger.open({ userId: randomUUID() })
    const status = (id: string, status: string) =>
      ledger.owner.query({ text: 'update accounts set status = $2 where id = $1', values: [id, status] })
    await status(closed, 'closed')
    await status(frozen, 'frozen')
  })

  const cases: [string, () => PostingRequest, string][] = [
    ['from an unknown account', () => transfer(unknown, closed, 1), 'account-not-found'],
    ['from another customer’s account', () => transfer(foreign, open, 1), 'account-not-found'],
    [
      'from a customer’s account by an operator',
      () => transfer(foreign, open, 1, operator),
      'account-not-found',
    ],
    ['to an unknown account', () => transfer(closed, unknown, 1), 'account-not-found'],
    ['to the cash account', () => transfer(open, cash, 1), 'account-not-found'],
    ['deposit to the cash account by an operator', () => deposit(cash, 1, operator), 'account-not-found'],
    ['deposit to another customer’s account', () => deposit(foreign, 1), 'account-not-found'],
    ['from a closed account, which comes before frozen', () => transfer(closed, frozen, 1), 'account-closed'],
    ['to a closed account', () => transfer(frozen, closed, 1), 'account-closed'],
    ['from a frozen account, before its currency', () => transfer(frozen, euro, 1), 'account-frozen'],
    ['to a frozen account', () => transfer(open, frozen, 1), 'account-frozen'],
    ['between currencies', () => transfer(poor, euro, 1), 'currency-mismatch'],
    ['in another currency, before the same account', () => transfer(open, open, 1, yen), 'currency-mismatch'],
    ['in a currency without accounts', () => deposit(open, 1, { currency: 'XOF' }), 'currency-mismatch'],
    ['to the same account, before insufficient funds', () => transfer(poor, poor, 1), 'same-account'],
    ['of more than the available balance', () => transfer(poor, open, 1), 'insufficient-funds'],
    ['withdrawal of more than the available balance', () => withdrawal(open, 101), 'insufficient-funds'],
  ]
  const operator = { caller_role: 'operator', caller_id: randomUUID() } as const
  const yen = { currency: 'JPY' }
  const cash = '00000000-0000-7000-8000-000000555344'

  test.each(cases)('a transaction %s', async (_name, request, expected) => {
    const before = await ledger.balances(open, poor, closed, frozen, euro, foreign)
    expect(await names(request())).toEqual([expected])
    expect(await ledger.balances(open, poor, closed, frozen, euro, foreign)).toEqual(before)
  })

  test('an operator can deposit to and withdraw from any customer’s account', async () => {
    expect(await names(deposit(foreign, 5, operator), withdrawal(foreign, 5, operator))).toEqual([
      'posted',
      'posted',
    ])
  })
})
