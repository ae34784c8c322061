import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Caller } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import { deposit, testLedger, transfer, withdrawal, type TestLedger } from '../testing/ledger-fixture.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import transactions from '../transactions.ts'
import { formatAmount } from '../../host/values/money.ts'
import { hasWords, wordsOf } from '../testing/words-fixture.ts'
import type { TransactionRow } from './transaction.ts'

/** Whatever is searched, in whatever scope and with whatever filters, a search finds what a plain filter over
 * all transactions finds; also while half of them are not in the index yet, and more are posted between two
 * pages. */

type Who = Pick<Caller, 'userId' | 'role'>
interface List {
  items: { id: string; timestamp: string }[]
  next_cursor: string | null
}
type Stored = TransactionRow & { user_id: string; to_user_id: string | null }

const users = Array.from({ length: 4 }, () => randomUUID())
const operator: Who = { userId: randomUUID(), role: 'operator' }
const accounts: { id: string; userId: string; currency: string }[] = []
let ledger: TestLedger
let stored: Stored[]

beforeAll(async () => {
  ledger = await testLedger()
  for (const [n, userId] of users.entries())
    for (const currency of ['USD', 'USD', 'EUR'].slice(0, n + 1))
      accounts.push({ id: await ledger.open({ userId, currency }), userId, currency })
  for (const { id, userId, currency } of accounts)
    await ledger.post(deposit(id, 1_000_00, { caller_id: userId, currency }))
  const requests = fc.sample(request, { numRuns: 400, seed: 1 })
  for (const [n, one] of requests.entries()) {
    await (one.isPending ? ledger.order(one.posting) : ledger.post(one.posting))
    if (n === 200) await index()
  }
  // Some of what is left, so that the index and the queue both have a part.
  await ledger.owner.query({ text: 'select index_transactions(50)' })
  stored = await ledger.owner.query<Stored>({ text: 'select * from transactions' })
})

afterAll(() => ledger.close())

async function index(): Promise<void> {
  let count: number
  do {
    const [row] = await ledger.db.query<{ count: number }>({
      text: 'select index_transactions(100) as count',
    })
    count = row!.count
  } while (count > 0)
}

const VOCABULARY = [
  ...[
    'Rent',
    'rental',
    'RENT',
    'lunch',
    'Straße',
    'STRASSE',
    'café',
    'cafe\u0301',
    'Καφές',
    'ΚΑΦΕΣ',
    '2026',
    '20',
  ],
  ...[
    '家賃',
    '家',
    'аренда',
    'a',
    'a_b',
    'it’s',
    'e-mail',
    '100%',
    '\\',
    '&',
    '!',
    'rent:*',
    '|',
    '(rent)',
    'ｒｅｎｔ',
  ],
  ...['x'.repeat(45), `${'x'.repeat(45)}y`],
]
const text = fc
  .array(fc.constantFrom(...VOCABULARY), { minLength: 1, maxLength: 4 })
  .map((words) => words.join(' '))
const field = fc.tuple(
  fc.constantFrom('order', 'order:1', 'paid', 'a b'),
  fc.oneof(
    fc.constantFrom('A-17', '1:A-17', 'x'.repeat(60), '1', 'null', ''),
    fc.boolean(),
    fc.constantFrom(1, 1.5, -3),
    fc.constant(null),
  ),
)
const amount = fc.constantFrom(1, 99, 100, 101, 5_000, 999_999)

const request = fc
  .record({
    kind: fc.constantFrom(deposit, withdrawal, transfer),
    from: fc.nat(),
    to: fc.nat(),
    amount,
    given: fc.record(
      {
        description: text,
        metadata: fc.array(field, { maxLength: 3 }).map((fields) => Object.fromEntries(fields)),
      },
      { requiredKeys: [] },
    ),
    by: fc.nat(),
    state: fc.constantFrom('posted', 'posted', 'posted', 'requested', 'pending'),
  })
  .map(({ kind, from, to, amount, given, by, state }) => {
    const [payer, payee] = [from, to].map((n) => accounts[n % accounts.length]!)
    const isStrange = by % 10 === 0
    const more = {
      ...given,
      currency: payer!.currency,
      caller_id: isStrange ? users[by % users.length]! : payer!.userId,
      requested: state !== 'posted',
    }
    const posting =
      kind === transfer
        ? transfer(payer!.id, payee!.id, amount, more)
        : (kind as typeof deposit)(payer!.id, amount, more)
    return { posting: posting as PostingRequest, isPending: state === 'pending' }
  })

const filters = {
  query: fc.oneof(text, fc.constantFrom(...VOCABULARY, 'r', 're', 'x', '家賃 ', 'rent ', 'Ren ', '賃')),
  metadata: field.map(([key, value]) => `${key}:${value}`),
  type: fc.constantFrom('deposit', 'withdrawal', 'transfer'),
  status: fc.constantFrom('completed', 'pending', 'rejected'),
  account: fc.nat(),
  currency: fc.constantFrom('USD', 'EUR'),
  amount_min: amount,
  amount_max: amount,
  from: fc.nat(),
  to: fc.nat(),
}
type Filters = {
  [Name in keyof typeof filters]?: (typeof filters)[Name] extends fc.Arbitrary<infer T> ? T : never
}

/** A few filters at a time, because all together find nothing. */
const query: fc.Arbitrary<Filters & { limit: number }> = fc
  .subarray(Object.keys(filters) as (keyof Filters)[], { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.record<Filters & { limit: number }>({
      ...Object.fromEntries(names.map((name) => [name, filters[name]])),
      limit: fc.constantFrom(5, 30, 200),
    } as never),
  )

const isSeenBy = (userId: string, t: Stored): boolean =>
  [t.user_id, t.to_user_id].includes(userId) &&
  (t.balance_after !== null || accounts.find(({ id }) => id === t.account_id)!.userId === userId)

async function get(who: Who, query: object): Promise<List> {
  const [{ handle }] = transactions.routes as unknown as [(typeof transactions.routes & object)[0]]
  const request = { query: { limit: 50, ...query }, params: {}, caller: who }
  return (await handle(request as never, { db: ledger.db } as unknown as Tools, undefined as never))
    .body as List
}

async function walk(
  who: Who,
  query: object,
  between: () => Promise<void> = async () => {},
): Promise<List['items']> {
  const items: List['items'] = []
  let cursor: string | null = null
  do {
    const page: List = await get(who, { ...query, ...(cursor && { cursor }) })
    items.push(...page.items)
    if ((cursor = page.next_cursor) !== null) await between()
  } while (cursor !== null)
  return items
}

/** The query as a client sends it, and the same as a condition. */
function both(
  { account: place, amount_min: min, amount_max: max, from, to, ...rest }: Filters & { limit: number },
  userId: string | undefined,
) {
  const own = userId === undefined ? accounts : accounts.filter((account) => account.userId === userId)
  const account = place === undefined ? undefined : own[place % own.length]!
  const currency = rest.currency ?? ((min ?? max) ? (account?.currency ?? 'USD') : undefined)
  const moment = (n: number | undefined) =>
    n === undefined ? undefined : stored[n % stored.length]!.created_at
  const [since, until] = [moment(from), moment(to)]
  const [lowest, highest] = min !== undefined && max !== undefined && min > max ? [max, min] : [min, max]
  const sent = {
    ...rest,
    account_id: account?.id,
    amount_min: lowest === undefined ? undefined : formatAmount(BigInt(lowest), currency!),
    amount_max: highest === undefined ? undefined : formatAmount(BigInt(highest), currency!),
    from: since?.toISOString(),
    to: until?.toISOString(),
  }
  const seenBy = userId ?? account?.userId
  const matches = (t: Stored): boolean =>
    (seenBy === undefined || isSeenBy(seenBy, t)) &&
    (!account ||
      t.account_id === account.id ||
      (t.to_account_id === account.id && t.balance_after !== null)) &&
    (!rest.type || t.type === rest.type) &&
    (!rest.status || t.status === rest.status) &&
    (!currency || t.currency === currency) &&
    (lowest === undefined || t.amount >= lowest) &&
    (highest === undefined || t.amount <= highest) &&
    (!since || t.created_at >= since) &&
    (!until || t.created_at < until) &&
    (rest.query === undefined || hasWords(t.description, rest.query)) &&
    (rest.metadata === undefined ||
      Object.entries(t.metadata ?? {}).some(([key, value]) => `${key}:${String(value)}` === rest.metadata))
  return { sent, matches }
}

const isSearchable = ({ query }: { query?: string | undefined }): boolean =>
  query === undefined || wordsOf(query).length > 0

test('a search finds what a plain filter finds, newest first and each once', async () => {
  let found = 0
  await fc.assert(
    fc.asyncProperty(
      fc.option(fc.constantFrom(...users), { nil: undefined }),
      query,
      async (userId, asked) => {
        fc.pre(isSearchable(asked))
        const { sent, matches } = both(asked, userId)
        const items = await walk(userId === undefined ? operator : { userId, role: 'customer' }, sent)
        const expected = stored.filter(matches)
        found += expected.length
        expect(items.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort())
        if (userId === undefined && asked.query === undefined && asked.metadata === undefined) return
        const times = items.map(({ timestamp }) => timestamp)
        expect(times).toEqual([...times].sort().reverse())
      },
    ),
    { numRuns: 200 },
  )
  expect(found).toBeGreaterThan(400)
})

test('what is posted late stands in its place, and blocks never overlap', async () => {
  for (let round = 0; round < 5; round++) {
    await ledger.owner.query({
      text: `with late as (
          insert into transactions (
            id, type, status, account_id, amount, currency, description, user_id, balance_after, created_at
          )
          select uuidv7(), 'deposit', 'completed', account_id, amount, currency, description, user_id, 0,
            date_trunc('milliseconds', first + random() * (last - first))
          from (select *, min(created_at) over () as first, max(created_at) over () as last from transactions) t
          where description is not null and random() < 0.3
          returning created_at, id, user_id
        )
        insert into search_queue (created_at, transaction_id, user_id) select * from late`,
    })
    await index()
  }
  const faults = await ledger.owner.query({
    text: `select * from (
        select *, lag((newest_at, newest_id)) over (partition by scope order by newest_at, newest_id) as before
        from search_blocks
      ) b
      where (oldest_at, oldest_id) <= before or (oldest_at, oldest_id) > (newest_at, newest_id)
        or cardinality(ids) not between 1 and 64`,
  })
  expect(faults).toEqual([])
  stored = await ledger.owner.query<Stored>({ text: 'select * from transactions' })
  for (const words of ['rent', 'lunch rent', 'x']) {
    const items = await walk(operator, { query: words, limit: 20 })
    const place = ({ id, at }: { id: string; at: string }): string => `${at} ${id}`
    const expected = stored.filter(({ description }) => hasWords(description, words))
    expect(expected.length).toBeGreaterThan(10)
    expect(items.map(({ id, timestamp }) => place({ id, at: timestamp }))).toEqual(
      expected
        .map(({ id, created_at: at }) => place({ id, at: at.toISOString() }))
        .sort()
        .reverse(),
    )
  }
})
