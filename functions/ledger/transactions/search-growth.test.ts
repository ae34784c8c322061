import { randomUUID } from 'node:crypto'
import type { Caller } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import entries from '../entries.ts'
import { deposit, testLedger, transfer, type TestLedger } from '../testing/ledger-fixture.ts'
import { explainingDatabase, type ExplainingDatabase, type Plan } from '../testing/plans-fixture.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import transactions from '../transactions.ts'
import { indexTransactions } from './search-index.ts'
import { LOOKED_AT_MAX, WALKED_MAX } from './transaction-lists.ts'

/** The rows that a page of a search reads, as Postgres reports it, while one customer has nearly all
 * transactions with text. They must not grow with the books, and what is rare is on the first page. */

type Who = Pick<Caller, 'userId' | 'role'>
interface List {
  items: { description: string; amount: string }[]
  next_cursor: string | null
}

const TRANSFERS = 12_000
const LIMIT = 20
// Pages of the database that a search by amount may read.
const BUFFERS_MAX = 1_000
const merchant: Who = { userId: randomUUID(), role: 'customer' }
const ada: Who = { userId: randomUUID(), role: 'customer' }
const operator: Who = { userId: randomUUID(), role: 'operator' }
let ledger: TestLedger
let db: ExplainingDatabase
let hot: string, adas: string

beforeAll(async () => {
  ledger = await testLedger()
  db = await explainingDatabase(ledger.database, 'ledger')
  hot = await ledger.open({ userId: merchant.userId })
  adas = await ledger.open({ userId: ada.userId })
  const payers = [] as { id: string; userId: string }[]
  for (let n = 0; n < 50; n++) {
    const userId = randomUUID()
    payers.push({ id: await ledger.open({ userId, overdraftLimit: 10n ** 9n }), userId })
  }
  const order = (n: number): PostingRequest => {
    const { id, userId } = payers[n % payers.length]!
    const text = { description: `Order ${n}`, metadata: { channel: 'web', order: `A-${n}` } }
    return transfer(id, hot, 1_00, { caller_id: userId, ...text })
  }
  await ledger.post(
    deposit(hot, 777_77, {
      caller_id: merchant.userId,
      description: 'A unicorn',
      metadata: { channel: 'desk' },
    }),
    ...['one', 'two', 'three'].map((description) =>
      deposit(adas, 5_00, { caller_id: ada.userId, description, metadata: { channel: 'web' } }),
    ),
  )
  for (let n = 0; n < TRANSFERS; n += 500)
    await ledger.post(...Array.from({ length: 500 }, (_, i) => order(n + i)))
})

afterAll(async () => {
  await db.close()
  await ledger.close()
})

async function get(who: Who, query: object, operation = transactions, params = {}): Promise<List> {
  const [{ handle }] = operation.routes as unknown as [(typeof transactions.routes & object)[0]]
  const request = { query: { limit: LIMIT, ...query }, params, caller: who }
  return (await handle(request as never, { db } as unknown as Tools, undefined as never)).body as List
}

const GROWING = ['accounts', 'transactions', 'entries', 'search_queue', 'search_blocks']

function expectReadAtMost(rowsMax: number, plans: Plan[]): void {
  expect(plans).not.toEqual([])
  for (const { statement, nodes } of plans) {
    const scanned = nodes.filter(({ type, relation }) => type === 'Seq Scan' && GROWING.includes(relation!))
    const large = nodes.filter(({ rows }) => rows > rowsMax)
    expect({ statement, scanned, large }).toEqual({ statement, scanned: [], large: [] })
  }
}

/** Reads the first page and the second. Returns the first. */
async function read(rowsMax: number, who: Who, query: object): Promise<List> {
  db.plans()
  const first = await get(who, query)
  expectReadAtMost(rowsMax, db.plans())
  if (first.next_cursor !== null) {
    await get(who, { ...query, cursor: first.next_cursor })
    expectReadAtMost(rowsMax, db.plans())
  }
  return first
}

const descriptions = ({ items }: List): string[] => items.map(({ description }) => description)

test('before anything is indexed, a page reads what may wait for the index', async () => {
  expect((await read(WALKED_MAX, merchant, { query: 'order' })).items).toHaveLength(LIMIT)
  await read(WALKED_MAX, ada, { metadata: 'channel:web' })
  await read(LOOKED_AT_MAX, operator, { query: 'unicorn' })
})

describe('once it is indexed, a page reads no more than the row limit', () => {
  beforeAll(async () => {
    expect(await indexTransactions(ledger.owner, 300_000)).toBe(TRANSFERS + 4)
    // Those of many other customers.
    await ledger.owner.query({
      text: `insert into search_blocks (scope, newest_at, newest_id, oldest_at, oldest_id, ids, terms)
        select gen_random_uuid(), now(), id, now(), id, array[id], array[n]
        from (select n, uuidv7() as id from generate_series(1, 50000) n) _`,
    })
    await ledger.owner.query({
      text: `select open_account(gen_random_uuid(), 'checking', 'USD', 0, 1000000, 1000000, 1) from generate_series(1, 1000)`,
    })
    await ledger.owner.query({ text: 'vacuum analyze' })
  })

  test('all blocks together are fewer than a page may look at', async () => {
    const [row] = await ledger.owner.query<{ count: bigint }>({
      text: 'select count(*) from search_blocks where scope = $1',
      values: [merchant.userId],
    })
    expect(Number(row!.count)).toBeLessThan(LOOKED_AT_MAX)
    expect(Number(row!.count)).toBeGreaterThan(TRANSFERS / 64)
  })

  test.each([
    ['a common word', { query: 'order' }],
    ['a common field', { metadata: 'channel:web' }],
    ['a common word and a common field', { query: 'order', metadata: 'channel:web' }],
    ['the beginning of a common word', { query: 'o' }],
    ['a common word, until long ago', { query: 'order', type: 'transfer' }],
  ])('for %s, and fills the page', async (_what, query) => {
    for (const who of [merchant, operator])
      expect((await read(LOOKED_AT_MAX, who, query)).items).toHaveLength(LIMIT)
  })

  test.each([
    ['a rare word', { query: 'unicorn' }],
    ['the beginning of a rare word', { query: 'unic' }],
    ['a rare field', { metadata: 'channel:desk' }],
    ['a rare word and an amount', { query: 'unicorn', amount_min: '777' }],
    ['two words that are common, but rare together', { query: 'a unicorn' }],
  ])('for %s, and finds it on the first page, although it is the oldest', async (_what, query) => {
    for (const who of [merchant, operator])
      expect(descriptions(await read(LOOKED_AT_MAX, who, query))).toEqual(['A unicorn'])
  })

  test('for a field that others have by the thousand', async () => {
    expect(descriptions(await read(LOOKED_AT_MAX, ada, { metadata: 'channel:web' }))).toEqual([
      'three',
      'two',
      'one',
    ])
    expect(
      descriptions(await read(LOOKED_AT_MAX, ada, { metadata: 'channel:web', account_id: adas })),
    ).toHaveLength(3)
    expect(
      descriptions(await read(LOOKED_AT_MAX, operator, { metadata: 'channel:web', account_id: adas })),
    ).toHaveLength(3)
  })

  test('for a field with one value each', async () => {
    const found = await read(LOOKED_AT_MAX, merchant, { metadata: 'order:A-7' })
    expect(descriptions(found)).toEqual(['Order 7'])
  })

  test.each([
    ['a common word with a filter that hardly any match', { query: 'order', type: 'deposit' }],
    ['a common word in an amount that none has', { query: 'order', amount_min: '5' }],
    ['one letter with a filter that hardly any match', { query: 'u', type: 'deposit' }],
  ])('for %s', async (_what, query) => {
    for (const who of [merchant, operator]) {
      const { next_cursor: cursor } = await read(LOOKED_AT_MAX, who, query)
      expect(cursor).not.toBeNull()
    }
  })

  test('for entries with a word', async () => {
    db.plans()
    const { next_cursor: cursor } = await get(merchant, { query: 'unicorn' }, entries, { id: hot })
    expectReadAtMost(LOOKED_AT_MAX, db.plans())
    expect(cursor).not.toBeNull()
    await get(merchant, {}, entries, { id: hot })
    expectReadAtMost(LIMIT + 1, db.plans())
  })
})

test.each([
  ['one account', merchant, () => ({ account_id: hot })],
  ['a customer', merchant, () => ({})],
  ['the whole bank', operator, () => ({})],
])('an amount that only the oldest has is on the first page, for %s', async (_what, who, scope) => {
  db.plans()
  const { items } = await get(who, { ...scope(), amount_min: '500', amount_max: '1000' })
  expect(items.map(({ amount }) => amount)).toEqual(['777.77'])
  for (const { statement, buffers, nodes } of db.plans()) {
    expect(buffers > BUFFERS_MAX ? `${buffers} by ${statement}` : 'few').toBe('few')
    // Amounts are read from the index alone.
    const large = nodes.filter(({ relation, rows }) => relation !== undefined && rows > LOOKED_AT_MAX)
    expect(large.filter(({ type }) => type !== 'Index Only Scan')).toEqual([])
  }
})

test.each([
  ['one account', merchant, () => ({ account_id: hot })],
  ['the whole bank', operator, () => ({})],
])(
  'an amount that all have reads no more than the row limit of the tables, for %s',
  async (_what, who, scope) => {
    db.plans()
    const { items } = await get(who, { ...scope(), amount_min: '1', amount_max: '1' })
    expect(items).toHaveLength(LIMIT)
    for (const { nodes } of db.plans())
      expect(nodes.filter(({ type, rows }) => type === 'Index Scan' && rows > LOOKED_AT_MAX)).toEqual([])
  },
)
