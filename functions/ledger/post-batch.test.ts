import { randomUUID } from 'node:crypto'
import { eventIdOf } from '../../eventing/outbox-event.ts'
import type { Answer } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { summary, useBatches } from './testing/batch-fixture.ts'
import { deposit } from './testing/ledger-fixture.ts'
import postBatch from './post-batch.ts'

const batches = useBatches(postBatch)

describe('a batch', () => {
  test('is answered with the outcome of each transaction, in its order', async () => {
    const answer = await batches.send([
      batches.transfer('200.00', { description: 'rent', metadata: { flat: 12 } }),
      batches.own('deposit', 5),
      batches.own('withdrawal', '6.50'),
    ])
    expect(answer.status).toBe(200)
    const [first, second, third] = answer.body.results
    expect(first).toEqual({
      status: 201,
      transaction: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'transfer',
        status: 'completed',
        account_id: batches.from,
        to_account_id: batches.to,
        amount: '200.00',
        currency: 'USD',
        description: 'rent',
        metadata: { flat: 12 },
        balance_after: '700.00',
        value_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        fee: null,
        hold_id: null,
        reverses: null,
        reversed_by: null,
        refusal: null,
        event_id: eventIdOf(first.transaction.id as string),
        timestamp: expect.stringMatching(/Z$/),
      },
    })
    expect(second).toMatchObject({ status: 201, transaction: { type: 'deposit', balance_after: '705.00' } })
    expect(third).toMatchObject({ status: 201, transaction: { type: 'withdrawal', balance_after: '698.50' } })
    const shown = await batches.show(answer.body.results)
    expect(shown).toMatchObject([first, second, third].map(({ transaction }) => transaction))
  })

  test('is posted at once even if the caller prefers not to wait, and nothing of it is pending', async () => {
    const { request } = batches.running
    const answer = await request('POST', '/transactions/batch', {
      token: batches.tokens.alice,
      body: {
        transactions: [{ type: 'transfer', account_id: batches.from, to_account_id: batches.to, amount: 1 }],
      },
      headers: { prefer: 'respond-async' },
    })
    expect(answer).toMatchObject({ status: 200, body: { results: [{ status: 201 }] } })
    expect(answer.headers.has('preference-applied')).toBe(false)
  })

  test('emits one event for each transaction that was posted', async () => {
    const answer = await batches.send([
      batches.transfer(1),
      batches.transfer('900.00'),
      batches.own('deposit', 2),
    ])
    const posted = answer.body.results.flatMap(({ transaction }: { transaction?: { id: string } }) =>
      transaction ? [transaction.id] : [],
    )
    await until(() => batches.publishedEvents().length === 2, { what: 'two events' })
    expect(batches.publishedEvents().sort()).toEqual(posted.sort())
    expect((await batches.storedEvents()).sort()).toEqual(posted.sort())
  })

  test('is judged in turn: each transaction sees the balances that those before it leave', async () => {
    const answer = await batches.send([
      batches.transfer('800.00'),
      batches.transfer('100.01'),
      batches.own('deposit', '0.01'),
      batches.transfer('100.01'),
    ])
    expect(summary(answer)).toEqual(['800.00', 'insufficient-funds', '0.01', '100.01'])
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([0n, 900_01n])
  })

  test('returns refusals among the posted transactions, each as if it had come alone', async () => {
    const euros = await batches.ledger.open({ currency: 'EUR' })
    const answer = await batches.send([
      batches.transfer(1),
      batches.transfer(1, { account_id: randomUUID() }),
      batches.transfer(1, { to_account_id: euros }),
      batches.transfer(1, { to_account_id: batches.from }),
      batches.transfer('1000.00'),
      batches.transfer(2),
    ])
    expect(summary(answer)).toEqual([
      '1.00',
      'account-not-found',
      'currency-mismatch',
      'same-account',
      'insufficient-funds',
      '2.00',
    ])
    expect(answer.body.results.map(({ status }: { status: number }) => status)).toEqual([
      201, 404, 422, 422, 409, 201,
    ])
    expect(answer.body.results[4].problem).toEqual({
      type: 'https://microbank.dev/problems/insufficient-funds',
      title: expect.any(String),
      status: 409,
      detail: expect.any(String),
    })
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([897_00n, 3_00n])
  })

  test('moves only the caller’s money; operators deposit and withdraw for others, but transfer only their own', async () => {
    const batch = [batches.transfer(1), batches.own('deposit', 2), batches.own('withdrawal', 3)]
    expect(summary(await batches.send(batch, { who: 'bob' }))).toEqual(Array(3).fill('account-not-found'))
    expect(summary(await batches.send(batch, { who: 'operator' }))).toEqual([
      'account-not-found',
      '2.00',
      '3.00',
    ])
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([899_00n, 0n])
  })

  test('of a thousand transactions is posted', async () => {
    const answer = await batches.send(Array.from({ length: 1000 }, () => batches.transfer('0.01')))
    expect(answer.status).toBe(200)
    expect(new Set(summary(answer))).toEqual(new Set(['0.01']))
    expect(answer.body.results.at(-1).transaction.balance_after).toBe('890.00')
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([890_00n, 10_00n])
  })

  test('answers at the root of its own host too', async () => {
    const body = { transactions: [batches.transfer(1)] }
    const answer = await batches.running.request('POST', '/', { token: batches.tokens.alice, body })
    expect([answer.status, summary(answer)]).toEqual([200, ['1.00']])
  })

  test('runs at once with other batches on the same accounts, and each is posted', async () => {
    const accounts = await Promise.all(
      Array.from({ length: 6 }, () => batches.ledger.open({ overdraftLimit: 1_000_00n })),
    )
    const batch = (seed: number) =>
      Array.from({ length: 30 }, (_, i) =>
        batches.transfer('0.01', {
          account_id: accounts[(i * seed) % 6],
          to_account_id: accounts[(i * seed + 1 + (seed % 5)) % 6],
        }),
      )
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, seed) =>
        batches.send(batch(seed), { key: randomUUID(), atomic: seed % 2 === 0 }),
      ),
    )
    expect(new Set(answers.flatMap(summary))).toEqual(new Set(['0.01']))
    const balances = await batches.ledger.balances(...accounts)
    expect(balances.reduce((sum, balance) => sum + balance, 0n)).toBe(0n)
  })
})

describe('an atomic batch', () => {
  test('is posted if nothing is refused', async () => {
    const answer = await batches.send([batches.transfer(1), batches.transfer(2)], { atomic: true })
    expect([answer.status, summary(answer)]).toEqual([200, ['1.00', '2.00']])
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([897_00n, 3_00n])
    await until(() => batches.publishedEvents().length === 2, { what: 'two events' })
  })

  test('is not posted if one is refused; it says which and why, and that the others were not posted', async () => {
    const before = await batches.countTransactions()
    const answer = await batches.send(
      [batches.transfer(1), batches.transfer('900.00'), batches.own('deposit', 2)],
      { atomic: true },
    )
    expect([answer.status, summary(answer)]).toEqual([
      200,
      ['not-posted', 'insufficient-funds', 'not-posted'],
    ])
    expect(answer.body.results).toMatchObject([{ status: 424 }, { status: 409 }, { status: 424 }])
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([900_00n, 0n])
    expect(await batches.countTransactions()).toBe(before)
    expect([await batches.storedEvents(), batches.publishedEvents()]).toEqual([[], []])
  })

  test('stores its refusal with its key, even if it would be posted now', async () => {
    const key = randomUUID()
    const first = await batches.send([batches.transfer('900.00'), batches.transfer(1)], { atomic: true, key })
    await batches.ledger.post(deposit(batches.from, 1_00))
    const second = await batches.send([batches.transfer('900.00'), batches.transfer(1)], {
      atomic: true,
      key,
    })
    expect([second.body, second.headers.get('idempotency-replayed')]).toEqual([first.body, 'true'])
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([901_00n, 0n])
  })
})

describe('an atomic batch that is refused does not tell how much room other customers’ accounts have', () => {
  const bob = randomUUID()
  const strangers = (room: bigint): Promise<string> =>
    batches.ledger.open({ userId: bob, balanceLimit: room })
  const tell = async (payee: string, ...more: object[]): Promise<unknown> => {
    const one = batches.transfer('3.00', { to_account_id: payee })
    const { body } = await batches.send([one, ...more], { atomic: true })
    return body
  }

  test('if something else is wrong, it is the same whether they have room or not', async () => {
    const [full, roomy] = [await strangers(2_99n), await strangers(3_00n)]
    const tooMuch = batches.transfer('900.00')
    const told = await tell(full, tooMuch)
    expect(told).toEqual(await tell(roomy, tooMuch))
    expect(summary({ body: told } as Answer)).toEqual(['not-posted', 'insufficient-funds'])
    // Without the first, the second could be paid.
    const rest = batches.transfer('898.00')
    expect(await tell(full, rest, tooMuch)).toEqual(await tell(roomy, rest, tooMuch))
    expect(await batches.ledger.balances(batches.from, full, roomy)).toEqual([900_00n, 0n, 0n])
  })

  test('if nothing else is wrong, it says that some payee has none, but not which', async () => {
    const [full, roomy, own] = [await strangers(2_99n), await strangers(3_00n), await batches.ledger.open()]
    const rest = [batches.transfer(1, { to_account_id: own }), batches.own('deposit', 1)]
    const told = await tell(full, batches.transfer('3.00', { to_account_id: roomy }), ...rest)
    expect(summary({ body: told } as Answer)).toEqual([
      'payee-limit-exceeded',
      'payee-limit-exceeded',
      'not-posted',
      'not-posted',
    ])
    expect(told).toEqual(await tell(roomy, batches.transfer('3.00', { to_account_id: full }), ...rest))
    expect(await batches.ledger.balances(batches.from, full, roomy)).toEqual([900_00n, 0n, 0n])
  })

  test('but it says so of the caller’s own, and tells operators', async () => {
    const own = await batches.ledger.open({ balanceLimit: 2_99n })
    expect(summary({ body: await tell(own, batches.own('deposit', 1)) } as Answer)).toEqual([
      'limit-exceeded',
      'not-posted',
    ])
    const full = await strangers(2_99n)
    const batch = [{ type: 'deposit', account_id: full, amount: '3.00' }, batches.own('deposit', 1)]
    expect(summary(await batches.send(batch, { atomic: true, who: 'operator' }))).toEqual([
      'limit-exceeded',
      'not-posted',
    ])
  })
})

describe('a value date', () => {
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

  test('can be given by operators to deposits and withdrawals, within its range', async () => {
    const dated = (type: 'deposit' | 'withdrawal', date: string) => ({
      ...batches.own(type, 1),
      value_date: date,
    })
    const [earlier, later] = [day(-3), day(3)]
    const batch = [
      dated('deposit', earlier),
      dated('withdrawal', later),
      batches.own('deposit', 1),
      dated('deposit', day(40)),
    ]
    const answer = await batches.send(batch, { who: 'operator' })
    expect(summary(answer)).toEqual(['1.00', '1.00', '1.00', 'value-date-out-of-range'])
    const shown = answer.body.results
      .slice(0, 3)
      .map(({ transaction }: { transaction: { value_date: string } }) => transaction.value_date)
    expect(shown).toEqual([earlier, later, answer.body.results[2].transaction.timestamp.slice(0, 10)])
    const rows = await batches.ledger.db.query({
      text: `select value_date::text from entries where account_id = $1 and version > 1 order by version`,
      values: [batches.from],
    })
    expect(rows.map(({ value_date: date }) => date)).toEqual([earlier, later, null])
  })

  test('can’t be given by a customer, nor to a transfer; then nothing is posted', async () => {
    const dated = { ...batches.own('deposit', 1), value_date: day(0) }
    expect((await batches.send([batches.transfer(1), dated])).status).toBe(403)
    const answer = await batches.send([batches.transfer(1, { value_date: day(0) })], { who: 'operator' })
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, '/transactions/0/value_date'])
    expect(await batches.ledger.balances(batches.from)).toEqual([900_00n])
  })
})

describe('an invalid batch is refused and changes nothing', () => {
  const errorsOf = ({ status, body }: Answer) => ({
    status,
    paths: body.errors.map(({ path }: { path: string }) => path),
  })

  test.each([
    ['a tenth of a cent', { amount: 0.001 }, '/amount'],
    ['no amount at all', { amount: undefined }, '/amount'],
    ['an unknown currency', { currency: 'ABC' }, '/currency'],
    ['an unknown field', { fee: 1 }, '/fee'],
    ['an unknown type', { type: 'loan' }, '/type'],
    ['an id that is not a UUID', { account_id: 'x' }, '/account_id'],
    ['a transfer without a receiving account', { to_account_id: undefined }, '/to_account_id'],
    ['a deposit with a second account', { type: 'deposit' }, '/to_account_id'],
    ['an idempotency key of its own', { idempotency_key: 'k' }, '/idempotency_key'],
  ])('with %s in one transaction: the answer says in which', async (_name, fault, path) => {
    const key = randomUUID()
    const answer = await batches.send(
      [batches.transfer(1), batches.transfer(2), batches.transfer(3, fault)],
      { key },
    )
    expect(errorsOf(answer)).toEqual({ status: 400, paths: [`/transactions/2${path}`] })
    expect(await batches.ledger.balances(batches.from, batches.to)).toEqual([900_00n, 0n])
    // And its key is still free.
    expect(await batches.send([batches.transfer(1)], { key })).toMatchObject({ status: 200 })
  })

  test('with several faults: the answer names them, up to twenty', async () => {
    const two = await batches.send([
      batches.transfer(0),
      batches.transfer(1),
      batches.transfer('x', { to_account_id: undefined }),
    ])
    expect(errorsOf(two).paths).toEqual([
      '/transactions/0/amount',
      '/transactions/2/to_account_id',
      '/transactions/2/amount',
    ])
    expect(errorsOf(await batches.send(Array(100).fill(batches.transfer(0)))).paths).toHaveLength(20)
  })

  const one = { type: 'deposit', account_id: randomUUID(), amount: 1 }
  test.each([
    ['no transactions', { transactions: [] }, '/transactions'],
    ['1001 transactions', { transactions: Array(1001).fill(one) }, '/transactions'],
    ['1001 items that are not even transactions', { transactions: Array(1001).fill({}) }, '/transactions'],
    ['transactions that are not a list', { transactions: one }, '/transactions'],
    ['an unknown field', { transactions: [one], fee: 1 }, '/fee'],
    ['an `atomic` that is not a boolean', { transactions: [one], atomic: 1 }, '/atomic'],
  ])('with %s', async (_name, body, path) => {
    const answer = await batches.running.request('POST', '/', { token: batches.tokens.alice, body })
    expect(errorsOf(answer)).toEqual({ status: 400, paths: [path] })
  })

  test('without a token is 401', async () => {
    const answer = await batches.running.request('POST', '/transactions/batch', { body: {} })
    expect(answer.status).toBe(401)
  })
})
