import fc from 'fast-check'
import { randomUUID } from 'node:crypto'
import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import { claim, forget, release } from '../../../eventing/pending.ts'
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
import { setFee } from '../testing/policies-fixture.ts'
import { explainingDatabase } from '../testing/plans-fixture.ts'
import { WAITING_STATEMENTS } from '../../../tests/support/databases.ts'
import { until } from '../../../tests/support/until.ts'
import { currencies } from '../../host/values/currencies.ts'
import { postTransactions } from './post.ts'
import type { PostingRequest } from './posting-request.ts'
import { toSubjectEvents } from './subjects.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

/** Posts as a function that dies after its commit. Resolves with the events that it would have published, and
 * with those that a sweep finds. */
async function postAndSweep(requests: PostingRequest[]): Promise<[PendingEvent[], PendingEvent[]]> {
  const { events } = await postTransactions(ledger.db, requests, toSubjectEvents)
  const ids = [...new Set(events.map(({ pendingId }) => pendingId))]
  await release(ledger.db, ids)
  const swept = (await claim(ledger.db, 1000)).flatMap((group) => group.events)
  await forget(ledger.db, ids)
  return [events, swept]
}

const sorted = (events: readonly PendingEvent[]) => [...events].sort((a, b) => (a.id < b.id ? -1 : 1))

const money = {
  currency: fc.constantFrom('USD', 'JPY', 'KWD', 'UYW'),
  // What a description may have, and more.
  description: fc.option(
    fc.string({ unit: 'binary', maxLength: 40, size: 'max' }).filter((text) => !/[\0\p{Cs}]/u.test(text)),
  ),
  amount: fc.bigInt({ min: 1n, max: 10n ** 15n }),
}

const posting = fc.oneof(
  fc.record({ ...money, type: fc.constant('deposit'), requested: fc.constant(false) }),
  fc.record({ ...money, type: fc.constant('withdrawal'), requested: fc.boolean() }),
  fc.record({ ...money, type: fc.constant('transfer'), requested: fc.boolean() }),
)

test('a sweep publishes the same events, byte for byte, as the function that posted the transactions', async () => {
  const accounts = new Map<string, [string, string]>()
  for (const currency of ['USD', 'JPY', 'KWD', 'UYW'])
    accounts.set(currency, [
      await ledger.open({ currency, overdraftLimit: 10n ** 14n }),
      await ledger.open({ currency, userId: randomUUID() }),
    ])
  await fc.assert(
    fc.asyncProperty(
      fc.array(posting, { minLength: 1, maxLength: 150, size: 'max' }),
      fc.boolean(),
      async (batch, isOneRequest) => {
        const requests = batch.map(({ type, ...given }) => {
          const [from, to] = accounts.get(given.currency)!
          if (type === 'deposit') return deposit(from, given.amount, given)
          return type === 'withdrawal'
            ? withdrawal(from, given.amount, given)
            : transfer(from, to, given.amount, given)
        })
        const traced = requests.map((request, i) => ({
          ...request,
          traceparent: `00-0af7651916cd43dd8448eb211c80319c-${String(isOneRequest ? 7 : i).padStart(16, '0')}-01`,
        }))
        const [published, swept] = await postAndSweep(traced)
        expect(sorted(swept)).toEqual(sorted(published))
      },
    ),
    { numRuns: 15 },
  )
})

test('so it is with fees, and when they are given back', async () => {
  for (const currency of ['SEK', 'KRW', 'TND', 'CLF']) {
    await setFee(ledger, 'transfer', { share: 12_345 }, currency)
    await setFee(ledger, 'deposit', { fixed: 7 }, currency)
    const [from, to] = [await ledger.open({ currency }), await ledger.open({ currency })]
    const [put, paid] = [deposit(from, 90_000, { currency }), transfer(from, to, 5_000, { currency })]
    for (const batch of [
      [put, paid],
      [reversal(paid, false), reversal(put, true)],
    ]) {
      const [published, swept] = await postAndSweep(batch)
      expect(
        published.map(({ data }) => (JSON.parse(data as string) as { fee: string | null }).fee),
      ).not.toContain(null)
      expect(sorted(swept)).toEqual(sorted(published))
    }
  }
})

test('so it is with holds and reversals', async () => {
  for (const currency of ['USD', 'JPY', 'KWD', 'UYW']) {
    const from = await ledger.open({ currency })
    const to = await ledger.open({ currency, userId: randomUUID() })
    const paid = transfer(from, to, 1_234, { currency, description: 'a “dash” — and more' })
    const received = deposit(from, 900_000, { currency })
    const holds = Array.from({ length: 60 }, (_, n) =>
      placing(from, 1_000 + n, { currency, description: n % 2 ? 'Hôtel "Adler"\\' : null }),
    )
    const ends = holds.map((hold, n) =>
      n % 2 ? ending('release', hold) : ending('capture', hold, 1 + n, { to_account_id: to }),
    )
    for (const batch of [
      [received, paid, ...holds],
      // Captures have two events each, so these need more than one row of outbox_pending.
      [...ends, ...holds.map((hold) => ({ ...placing(from, 1), currency, description: hold.description }))],
      [
        reversal(paid, false, { description: 'twice' }),
        reversal(received, true, { caller_role: 'operator' }),
      ],
    ]) {
      const [published, swept] = await postAndSweep(batch)
      expect(published.length).toBeGreaterThan(0)
      expect(sorted(swept)).toEqual(sorted(published))
    }
  }
})

describe('events are offered to web hooks', () => {
  const [payer, payee, third] = [randomUUID(), randomUUID(), randomUUID()]

  /** Posts one of each kind, and resolves with what is offered, by type and payer. */
  async function offered(): Promise<string[]> {
    const [from, to] = [await ledger.open({ userId: payer }), await ledger.open({ userId: payee })]
    const other = await ledger.open({ userId: third })
    const [byPayer, byPayee, byThird] = [payer, payee, third].map((id) => ({ caller_id: id }))
    const [put, paid] = [deposit(from, 900, byPayer), transfer(from, to, 100, byPayer)]
    const [captured, released] = [placing(from, 10, byPayer), placing(from, 20, byPayer)]
    const batches = [
      [put, paid, deposit(other, 500, byThird), captured, released],
      [placing(to, 5, byPayee), placing(other, 5, byThird)],
      [
        withdrawal(from, 100_000, { requested: true, ...byPayer }),
        ending('capture', captured, 10, { to_account_id: to, ...byPayer }),
        ending('release', released, 20, byPayer),
      ],
      [reversal(paid, false)],
    ]
    const told: PendingEvent[] = []
    for (const batch of batches) {
      const [published, swept] = await postAndSweep(batch)
      expect(sorted(swept)).toEqual(sorted(published))
      told.push(...published)
    }
    expect(told.length).toBe(12)
    const names: Record<string, string> = { [payer]: 'payer', [payee]: 'payee', [third]: 'third' }
    return told
      .filter(({ extensions }) => extensions?.webhooks === 'offered')
      .map(({ type, data }) => `${type} ${names[(JSON.parse(data) as { user_id: string }).user_id]}`)
      .sort()
  }

  const watch = (userId: string, seesAll = false) =>
    ledger.db.query({ text: 'insert into posting_watches values ($1, 1, $2)', values: [userId, seesAll] })
  afterEach(() => ledger.db.query({ text: 'delete from posting_watches' }))

  const OF_PAYER = [
    ...['hold.captured payer', 'hold.placed payer', 'hold.placed payer', 'hold.released payer'],
    ...['transaction.completed payer', 'transaction.completed payer', 'transaction.completed payer'],
    ...['transaction.rejected payer', 'transaction.reversed payer'],
  ]

  test('not at all while nobody is watched', async () => {
    expect(await offered()).toEqual([])
  })

  test('if they concern somebody who is watched, whichever side they are on', async () => {
    await watch(payer)
    await watch(randomUUID())
    expect(await offered()).toEqual(OF_PAYER)
    await ledger.db.query({ text: 'delete from posting_watches' })
    await watch(payee)
    expect(await offered()).toEqual([
      ...['hold.captured payer', 'hold.placed payee'],
      ...['transaction.completed payer', 'transaction.completed payer', 'transaction.reversed payer'],
    ])
  })

  test('all of them, if an operator is watched', async () => {
    await watch(randomUUID(), true)
    const ofOthers = ['hold.placed payee', 'hold.placed third', 'transaction.completed third']
    expect(await offered()).toEqual([...OF_PAYER, ...ofOthers].sort())
  })

  test('if the watch began while the posting waited for an account', async () => {
    const account = await ledger.open({ userId: third })
    let posting: ReturnType<typeof postTransactions> | undefined
    await ledger.owner.transaction(async (tx) => {
      await tx.query({ text: 'select from accounts where id = $1 for update', values: [account] })
      posting = postTransactions(ledger.db, [deposit(account, 1, { caller_role: 'operator' })])
      await until(async () => (await ledger.owner.query({ text: WAITING_STATEMENTS })).length > 0)
      await watch(third)
    })
    const { events } = await posting!
    expect(events.map(({ extensions }) => extensions)).toEqual([{ webhooks: 'offered' }])
  })

  test('reading one page if nobody is watched, and none of the others’ watches if many are', async () => {
    const young = await testLedger()
    const db = await explainingDatabase(young.database, 'ledger')
    const account = await young.open()
    /** How often a batch looks at the watches, and how many it reads. */
    const look = async () => {
      db.plans()
      await postTransactions(
        db,
        Array.from({ length: 20 }, () => deposit(account, 1)),
      )
      const looks = db
        .plans()
        .flatMap(({ nodes }) => nodes.filter(({ relation }) => relation === 'posting_watches'))
      return { looks: looks.length, rows: looks.reduce((sum, { rows }) => sum + rows, 0) }
    }
    // Ten times, because a plan is kept after five.
    for (let n = 0; n < 10; n++) expect(await look()).toEqual({ looks: 1, rows: 0 })
    await young.owner.query({
      text: 'insert into posting_watches select uuidv7(), 1, false from generate_series(1, 5000)',
    })
    expect((await look()).rows).toBe(1)
    await db.close()
    await young.close()
  })
})

test('a sweep that had its plans when the books were empty does not read all that they have now', async () => {
  const young = await testLedger()
  const db = await explainingDatabase(young.database, 'ledger')
  for (const table of ['outbox', 'transactions']) await young.owner.query({ text: `vacuum analyze ${table}` })
  // Ten times, because a plan is kept after five. The row is there to make the sweep look for an event.
  const lookFor = `insert into outbox_pending (event_ids, claimed_until) values (array[uuidv7()], now())`
  for (let n = 0; n < 10; n++) {
    await young.owner.query({ text: lookFor })
    await claim(db, 1)
  }
  const account = await young.open()
  await young.post(...Array.from({ length: 500 }, () => deposit(account, 1)))
  await young.owner.query({ text: 'delete from outbox_pending' })
  await young.owner.query({ text: lookFor })
  db.plans()
  await claim(db, 1)
  const read = db.plans().flatMap(({ nodes }) => nodes.filter(({ relation }) => relation === 'transactions'))
  expect(read.map(({ rows }) => rows)).toEqual(read.map(() => 0))
  expect(read).not.toEqual([])
  await db.close()
  await young.close()
})

test('the database knows as many decimals of each currency as the functions do', async () => {
  const rows = await ledger.db.query<{ currency: string; exponent: number }>({
    text: `select currency, currency_exponent(currency) as exponent from unnest($1::text[]) currency`,
    values: [[...currencies.keys()]],
  })
  expect(new Map(rows.map(({ currency, exponent }) => [currency, exponent]))).toEqual(new Map(currencies))
})

test('money that is carried to a vault is the bank’s own: no event tells of it', async () => {
  const account = await ledger.open({
    currency: 'ISK',
    balanceLimit: 9n * 10n ** 18n,
    depositLimit: 10n ** 18n,
  })
  const till = `cash_account_id('ISK')`
  await ledger.post(
    deposit(account, 10n ** 18n, { currency: 'ISK' }),
    deposit(account, 1, { currency: 'ISK' }),
  )
  await ledger.post(deposit(account, 5, { currency: 'ISK' }))
  const [row] = await ledger.owner.query({
    text: `select count(*) as carried, (select count(*) from events where partitionkey = ${till}::text) as told
      from transactions where ${till} in (account_id, to_account_id) and type = 'transfer'`,
  })
  expect(row).toEqual({ carried: 1n, told: 0n })
  const [told] = await ledger.owner.query({
    text: `select count(*) as count from events e join transactions t on t.id::text = e.subject
      where t.type = 'transfer' and t.currency = 'ISK'`,
  })
  expect(told).toEqual({ count: 0n })
})
