import { randomUUID } from 'node:crypto'
import { until } from '../../../tests/support/until.ts'
import { postTransactions, type PostingOutcome } from '../posting/post.ts'
import {
  deposit,
  ending,
  placing,
  reversal,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import { limitTo, setFee } from '../testing/policies-fixture.ts'

/** Fees and limits, where they meet postings. Each test has a currency of its own, so it meets no other's
 * fees. */

const bob = randomUUID()
let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
})

const CURRENCIES =
  'EUR SEK NOK DKK PLN CZK HUF RON HKD CHF GBP AUD NZD CAD MXN BRL ZAR INR THB ILS SGD PHP PEN TRY UAH MYR'.split(
    ' ',
  )

/** Opens accounts of a currency that no other test uses; each has this balance. */
async function accountsOf(count: number, balance: bigint | number, options = {}) {
  const currency = CURRENCIES.pop()!
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push(await ledger.open({ currency, ...options }))
  if (balance > 0)
    await ledger.post(...ids.map((id) => deposit(id, balance, { currency, caller_role: 'operator' })))
  return { currency, ids }
}

const namesOf = (outcomes: PostingOutcome[]): string[] => outcomes.map(({ outcome }) => outcome)

const feesOf = async (currency: string): Promise<bigint> => {
  const [row] = await ledger.db.query<{ balance: bigint }>({
    text: 'select balance from accounts where id = fees_account_id($1)',
    values: [currency],
  })
  return row!.balance
}

/** How many connections to this ledger wait for a lock. */
const waiting = async (): Promise<number> => {
  const rows = await ledger.owner.query({
    text: `select from pg_locks l join pg_stat_activity a using (pid)
      where not l.granted and a.datname = current_database()`,
  })
  return rows.length
}

const entriesOf = async (account: string) =>
  ledger.db.query<{ version: bigint; amount: bigint; balance_after: bigint; transaction_id: string }>({
    text: `select version, amount, balance_after, transaction_id from entries
      where account_id = $1 order by version`,
    values: [account],
  })

describe('a fee', () => {
  test('is two entries more of the same transaction, after those of the amount', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 5, share: 10_000 }, currency)
    const paid = transfer(from, to, 300, { currency })
    expect(await ledger.post(paid)).toMatchObject([{ outcome: 'posted', balanceAfter: 692n, fee: 8n }])
    expect((await entriesOf(from)).slice(1)).toEqual([
      { version: 2n, amount: -300n, balance_after: 700n, transaction_id: paid.id },
      { version: 3n, amount: -8n, balance_after: 692n, transaction_id: paid.id },
    ])
    expect((await entriesOf(to)).slice(1)).toMatchObject([{ amount: 300n, balance_after: 1_300n }])
    expect(await feesOf(currency)).toBe(8n)
    const [row] = await ledger.db.query({
      text: 'select fee, balance_after, to_balance_after from transactions where id = $1',
      values: [paid.id],
    })
    expect(row).toEqual({ fee: 8n, balance_after: 692n, to_balance_after: 1_300n })
  })

  test('of a deposit is taken from what was deposited', async () => {
    const { currency, ids } = await accountsOf(1, 0)
    await setFee(ledger, 'deposit', { share: 100_000 }, currency)
    const [outcome] = await ledger.post(deposit(ids[0]!, 1_000, { currency }))
    expect(outcome).toMatchObject({ balanceAfter: 900n, fee: 100n })
    expect(await entriesOf(ids[0]!)).toMatchObject([
      { amount: 1_000n },
      { amount: -100n, balance_after: 900n },
    ])
  })

  test('can take all of a deposit, but no more', async () => {
    const { currency, ids } = await accountsOf(1, 100)
    await setFee(ledger, 'deposit', { fixed: 50 }, currency)
    const outcomes = await ledger.post(
      ...[49, 50, 51].map((amount) => deposit(ids[0]!, amount, { currency })),
    )
    expect(namesOf(outcomes)).toEqual(['fee-exceeds-amount', 'posted', 'posted'])
    expect(await ledger.balances(ids[0]!)).toEqual([101n])
  })

  test('must be there: at the edge of the balance it decides', async () => {
    const { currency, ids } = await accountsOf(2, 1_000, { overdraftLimit: 10n })
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'withdrawal', { fixed: 10 }, currency)
    await setFee(ledger, 'transfer', { fixed: 10 }, currency)
    const outcomes = await ledger.post(
      withdrawal(from, 1_001, { currency }),
      transfer(from, to, 1_001, { currency }),
      transfer(from, to, 1_000, { currency }),
      withdrawal(to, 2_001, { currency }),
      withdrawal(to, 2_000, { currency }),
    )
    const short = 'insufficient-funds'
    expect(namesOf(outcomes)).toEqual([short, short, 'posted', short, 'posted'])
    expect(await ledger.balances(from, to)).toEqual([-10n, -10n])
  })

  test('is charged to each of a batch by its own kind, and to none without a fee', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const free = await accountsOf(1, 0)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 1 }, currency)
    await setFee(ledger, 'withdrawal', { fixed: 2 }, currency)
    const outcomes = await ledger.post(
      transfer(from, to, 10, { currency }),
      deposit(from, 10, { currency }),
      withdrawal(to, 10, { currency }),
      deposit(free.ids[0]!, 10, { currency: free.currency }),
      transfer(to, from, 5_000, { currency }),
      transfer(to, from, 10, { currency }),
    )
    expect(outcomes.map((one) => (one.outcome === 'posted' ? one.fee : one.outcome))).toEqual([
      1n,
      null,
      2n,
      null,
      'insufficient-funds',
      1n,
    ])
    expect(await ledger.balances(from, to, free.ids[0]!)).toEqual([1_009n, 987n, 10n])
    expect(await feesOf(currency)).toBe(4n)
  })

  test('is that of the moment: a change between two postings holds for the second', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    const feeNow = async (rules: { fixed: number } | null): Promise<bigint | null> => {
      await setFee(ledger, 'transfer', rules, currency)
      const [one] = await ledger.post(transfer(from, to, 1, { currency }))
      return one?.outcome === 'posted' ? one.fee : -1n
    }
    expect([await feeNow({ fixed: 1 }), await feeNow({ fixed: 2 }), await feeNow(null)]).toEqual([
      1n,
      2n,
      null,
    ])
  })

  test('changed while postings go on, is for each posting the one in force at its time', async () => {
    const { currency, ids } = await accountsOf(2, 100_000)
    const [from, to] = ids as [string, string]
    const posting = Array.from({ length: 60 }, async (_, n) => {
      if (n % 6 === 0) await setFee(ledger, 'transfer', { fixed: n + 1 }, currency)
      else await ledger.post(transfer(from, to, 1, { currency }), transfer(from, to, 1, { currency }))
    })
    await Promise.all(posting)
    const wrong = await ledger.db.query({
      text: `select id, fee from transactions where currency = $1 and type = 'transfer'
        and coalesce(fee, 0) <> fee_of(fee_rules_at(currency, type, created_at), amount)`,
      values: [currency],
    })
    expect(wrong).toEqual([])
  })

  test('can be set while the first account of its currency opens with a deposit: neither waits for the other for ever', async () => {
    const currency = CURRENCIES.pop()!
    const opening = await ledger.db.transaction(async (tx) => {
      const [row] = await tx.query<{ id: string }>({
        text: `select (account).id from open_account($1, 'checking', $2, 0, 1000, 1000, 100000)`,
        values: [randomUUID(), currency],
      })
      const setting = setFee(ledger, 'deposit', { fixed: 1 }, currency).then(
        () => 'set',
        (error: Error) => error.message,
      )
      await until(async () => (await waiting()) > 0, { what: 'a fee that waits' })
      await postTransactions(tx, [deposit(row!.id, 10, { currency, caller_role: 'operator' })])
      return { setting }
    })
    expect(await opening.setting).toBe('set')
  })

  test('is the same when its transaction is asked for again with its key', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 7 }, currency)
    const paid = transfer(from, to, 10, { currency, key: randomUUID() })
    const [first] = await ledger.post(paid)
    await setFee(ledger, 'transfer', { fixed: 70 }, currency)
    const [again] = await ledger.post({ ...paid, id: randomUUID() })
    expect(again).toEqual({ ...first, replayed: true })
    expect(again).toMatchObject({ fee: 7n })
  })

  test('of a capture is that of a transfer of what is captured, and can be taken of the rest of the hold', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 7, share: 10_000 }, currency)
    const hold = placing(from, 980, { currency })
    expect(await ledger.post(hold)).toMatchObject([{ outcome: 'posted', fee: null }])
    expect(await feesOf(currency)).toBe(0n)
    const capture = ending('capture', hold, 900, { to_account_id: to })
    expect(await ledger.post(capture)).toMatchObject([{ outcome: 'posted', fee: 16n, balanceAfter: 84n }])
    expect([await ledger.balances(from, to), await feesOf(currency)]).toEqual([[84n, 1_900n], 16n])
    // And it is given back like that of a transfer.
    const taken = { ...capture, to_account_id: to }
    expect(await ledger.post(reversal(taken, false))).toMatchObject([{ outcome: 'posted', fee: -16n }])
  })

  test('of a capture must be there when the hold is placed; if it is spent since, the hold stays open', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 7 }, currency)
    const hold = placing(from, 993, { currency })
    const outcomes = await ledger.post(
      placing(from, 994, { currency }),
      hold,
      withdrawal(from, 7, { currency }),
    )
    expect(namesOf(outcomes)).toEqual(['insufficient-funds', 'posted', 'posted'])
    const capture = (amount: number) => ending('capture', hold, amount, { to_account_id: to })
    const ended = await ledger.post(capture(993), capture(986))
    expect(namesOf(ended)).toEqual(['insufficient-funds', 'posted'])
    expect([await ledger.balances(from, to), await feesOf(currency)]).toEqual([[0n, 1_986n], 7n])
  })

  test('is given back by a reversal, and taken again if that is reversed', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 7 }, currency)
    await setFee(ledger, 'deposit', { fixed: 3 }, currency)
    const [paid, put] = [transfer(from, to, 500, { currency }), deposit(from, 100, { currency })]
    await ledger.post(paid, put)
    // Whatever fees have become since.
    await setFee(ledger, 'transfer', null, currency)
    const undo = reversal(paid, false)
    expect(await ledger.post(undo, reversal(put, true))).toMatchObject([
      { outcome: 'posted', fee: -7n, balanceAfter: 1_097n },
      { outcome: 'posted', fee: -3n, balanceAfter: 1_000n },
    ])
    expect([await ledger.balances(from, to), await feesOf(currency)]).toEqual([[1_000n, 1_000n], 0n])
    expect(await ledger.post(reversal(undo, true))).toMatchObject([
      { outcome: 'posted', fee: 7n, balanceAfter: 493n },
    ])
    expect(await feesOf(currency)).toBe(7n)
  })

  test('never fills the account for fees: it is carried to a vault like cash', async () => {
    const most = 10n ** 15n
    const { currency, ids } = await accountsOf(1, 0, { balanceLimit: 4n * 10n ** 18n, depositLimit: most })
    await setFee(ledger, 'deposit', { share: 1_000_000 }, currency)
    for (let i = 0; i < 4; i++) {
      const batch = Array.from({ length: 500 }, () => deposit(ids[0]!, most, { currency }))
      expect(new Set(namesOf(await ledger.post(...batch)))).toEqual(new Set(['posted']))
    }
    const rows = await ledger.db.query<{ balance: bigint }>({
      text: `select balance from accounts where currency = $1 and account_type = 'vault' and balance > 0`,
      values: [currency],
    })
    expect(rows.map(({ balance }) => balance)).toEqual([1_500n * most])
    expect([await ledger.balances(ids[0]!), await feesOf(currency)]).toEqual([[0n], 500n * most])
  })

  test('can’t be sent to by anybody', async () => {
    const { currency, ids } = await accountsOf(1, 1_000)
    await setFee(ledger, 'transfer', { fixed: 7 }, currency)
    const [row] = await ledger.db.query<{ id: string }>({
      text: 'select fees_account_id($1) as id',
      values: [currency],
    })
    const outcomes = await ledger.post(
      transfer(ids[0]!, row!.id, 1, { currency }),
      deposit(row!.id, 1, { currency, caller_role: 'operator' }),
      withdrawal(row!.id, 1, { currency, caller_role: 'operator' }),
    )
    expect(new Set(namesOf(outcomes))).toEqual(new Set(['account-not-found']))
  })
})

describe('a limit', () => {
  const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0)

  test('can’t be passed by sending at once', async () => {
    const { currency, ids } = await accountsOf(101, 1_000)
    const [from, ...others] = ids as [string, ...string[]]
    await limitTo(ledger, from, { day: 500n })
    const outcomes = await Promise.all(
      others.map((to, n) =>
        ledger.post(n % 3 === 0 ? withdrawal(from, 10, { currency }) : transfer(from, to, 10, { currency })),
      ),
    )
    const names = outcomes.flatMap(namesOf)
    expect(names.filter((name) => name === 'posted')).toHaveLength(50)
    expect(names.filter((name) => name === 'day-limit-exceeded')).toHaveLength(50)
    expect(await ledger.balances(from)).toEqual([500n])
  })

  test('can’t be passed by amounts of any size, in batches and by holds, all at once', async () => {
    const { currency, ids } = await accountsOf(2, 100_000)
    const [from, to] = ids as [string, string]
    await limitTo(ledger, from, { transaction: 200n, month: 5_000n })
    const batches = Array.from({ length: 20 }, (_, n) =>
      Array.from({ length: 5 }, (_, i) => {
        const amount = 1 + ((n * 37 + i * 61) % 250)
        return i % 2 === 0 ? transfer(from, to, amount, { currency }) : placing(from, amount, { currency })
      }),
    )
    const outcomes = (await Promise.all(batches.map((batch) => ledger.post(...batch)))).flat()
    const amountsOf = (name: string): number[] =>
      batches.flat().flatMap(({ amount }, n) => (outcomes[n]!.outcome === name ? [Number(amount)] : []))
    const gone = sum(amountsOf('posted'))
    expect(gone).toBeLessThanOrEqual(5_000)
    expect(Math.min(...amountsOf('month-limit-exceeded'))).toBeGreaterThan(5_000 - gone)
    expect(Math.max(...amountsOf('posted'))).toBeLessThanOrEqual(200)
    expect(Math.min(...amountsOf('transaction-limit-exceeded'))).toBeGreaterThan(200)
  })

  test('is refused after missing funds, and before what the payee can take', async () => {
    const { currency, ids } = await accountsOf(1, 1_000)
    const [from] = ids as [string]
    const small = await ledger.open({ currency, balanceLimit: 10n })
    await limitTo(ledger, from, { transaction: 100n, day: 90n, month: 80n })
    const outcomes = await ledger.post(
      ...[1_001, 101, 91, 81, 80, 1].map((amount) => transfer(from, small, amount, { currency })),
    )
    expect(namesOf(outcomes)).toEqual([
      'insufficient-funds',
      'transaction-limit-exceeded',
      'day-limit-exceeded',
      'month-limit-exceeded',
      'limit-exceeded',
      'posted',
    ])
  })

  test('is not for what comes in, for fees, or for what is reversed', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await setFee(ledger, 'transfer', { fixed: 50 }, currency)
    await limitTo(ledger, from, { day: 100n })
    await limitTo(ledger, to, { day: 0n })
    const paid = transfer(from, to, 100, { currency })
    const outcomes = await ledger.post(
      paid,
      deposit(from, 500, { currency }),
      transfer(from, to, 1, { currency }),
    )
    expect(namesOf(outcomes)).toEqual(['posted', 'posted', 'day-limit-exceeded'])
    const after = await ledger.post(reversal(paid, false), transfer(from, to, 1, { currency }))
    expect(namesOf(after)).toEqual(['posted', 'day-limit-exceeded'])
  })

  test('of one account is no limit of another in the same batch', async () => {
    const { currency, ids } = await accountsOf(3, 1_000)
    const [limited, free, to] = ids as [string, string, string]
    await limitTo(ledger, limited, { day: 10n })
    const outcomes = await ledger.post(
      transfer(free, to, 500, { currency }),
      transfer(limited, to, 500, { currency }),
      transfer(to, limited, 500, { currency }),
    )
    expect(namesOf(outcomes)).toEqual(['posted', 'day-limit-exceeded', 'posted'])
    const rows = await ledger.db.query({
      text: 'select from outflows where account_id = any ($1)',
      values: [[free, to]],
    })
    expect(rows).toEqual([])
  })

  test('is for its own account, whoever else sends to it', async () => {
    const { currency, ids } = await accountsOf(1, 1_000)
    const theirs = await ledger.open({ currency, userId: bob })
    await limitTo(ledger, theirs, { transaction: 0n, day: 0n, month: 0n })
    const outcomes = await ledger.post(
      transfer(ids[0]!, theirs, 500, { currency }),
      transfer(theirs, ids[0]!, 1, { currency, caller_id: bob }),
    )
    expect(namesOf(outcomes)).toEqual(['posted', 'transaction-limit-exceeded'])
  })

  test('that has ended is not counted, and is counted anew when it is set again', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await limitTo(ledger, from, { day: 100n })
    await limitTo(ledger, from, {})
    expect(namesOf(await ledger.post(transfer(from, to, 500, { currency })))).toEqual(['posted'])
    await limitTo(ledger, from, { day: 510n })
    const outcomes = await ledger.post(
      transfer(from, to, 11, { currency }),
      transfer(from, to, 10, { currency }),
    )
    expect(namesOf(outcomes)).toEqual(['day-limit-exceeded', 'posted'])
  })

  test('set while postings go on misses none of them', async () => {
    const { currency, ids } = await accountsOf(2, 100_000)
    const [from, to] = ids as [string, string]
    await limitTo(ledger, from, {})
    const sent = Array.from({ length: 60 }, async (_, n) => {
      if (n % 10 === 5) await limitTo(ledger, from, n % 20 === 5 ? { day: 50_000n } : {})
      else await ledger.post(transfer(from, to, 1 + n, { currency }))
    })
    await Promise.all(sent)
    expect(await ledger.owner.query({ text: 'select * from verify_outflows()' })).toEqual([])
    const [counted] = await ledger.owner.query<{ amount: bigint }>({
      text: `select b.amount from accounts a, outflows_of(a, 'UTC', '2031-06-15') b where a.id = $1`,
      values: [from],
    })
    expect(counted!.amount).toBe(100_000n - (await ledger.balances(from))[0]!)
  })

  test('that is counted wrong is found by comparing with the books', async () => {
    const { currency, ids } = await accountsOf(2, 1_000)
    const [from, to] = ids as [string, string]
    await limitTo(ledger, from, { day: 500n })
    await ledger.post(transfer(from, to, 100, { currency }))
    const find = () =>
      ledger.owner.query({ text: 'select * from verify_outflows() where account_id = $1', values: [from] })
    expect(await find()).toEqual([])
    await ledger.owner.query({
      text: 'update outflows set amount = 99 where account_id = $1',
      values: [from],
    })
    expect(await find()).toMatchObject([{ account_id: from, counted: '99', gone_out: '100' }])
    await ledger.owner.query({ text: 'delete from outflows where account_id = $1', values: [from] })
    expect(await find()).toMatchObject([{ account_id: from, counted: '0', gone_out: '100' }])
    await limitTo(ledger, from, {})
    await limitTo(ledger, from, { day: 500n })
    expect(await find()).toEqual([])
  })
})
