import { randomUUID } from 'node:crypto'
import type { Tools } from '../../host/tools.ts'
import { deposit, testLedger, transfer, withdrawal, type TestLedger } from '../testing/ledger-fixture.ts'
import { explainingDatabase, type ExplainingDatabase } from '../testing/plans-fixture.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import { ACCOUNTS_MERGED_MAX } from './transaction-lists.ts'
import transactions from '../transactions.ts'

/** A page of an owner's transactions reads a page, however many accounts they have. */
const LIMIT = 50
// Pages of the database, of 8 kB each, that one page of the list may read.
const BUFFERS_MAX = 8_000
const few = randomUUID()
const many = randomUUID()
const accounts = new Map<string, string[]>()
let ledger: TestLedger
let db: ExplainingDatabase

beforeAll(async () => {
  ledger = await testLedger()
  db = await explainingDatabase(ledger.database, 'ledger')
  for (const [owner, count] of [
    [few, ACCOUNTS_MERGED_MAX],
    [many, 8_000],
  ] as const) {
    // As the owner: the functions' role may not work on one statement for as long as a slow machine needs.
    const rows = await ledger.owner.query<{ id: string }>({
      text: `select (open_account($1, 'checking', 'USD', 0, 1000000, 1000000, 100000)).account.id from generate_series(1, $2)`,
      values: [owner, count],
    })
    accounts.set(
      owner,
      rows.map(({ id }) => id),
    )
    await post(rows.map(({ id }) => deposit(id, 10_00, { caller_id: owner })))
  }
  // Transactions among those of others: to them, from them, between their own accounts, refused.
  const [mine, yours] = [accounts.get(few)!, accounts.get(many)!]
  const mixed = Array.from({ length: 400 }, (_, n) => [
    transfer(mine[n % mine.length]!, yours[n]!, 1_00, { caller_id: few }),
    transfer(yours[n]!, yours[n + 1]!, 1, { caller_id: many }),
    transfer(yours[n]!, mine[n % mine.length]!, 50, { caller_id: many }),
    withdrawal(yours[n]!, 1e9, { caller_id: many, requested: true }),
    // Somebody's attempt on an account that is not theirs.
    withdrawal(mine[0]!, 1, { caller_id: many, requested: true }),
  ])
  await post(mixed.flat())
  await ledger.owner.query({ text: 'vacuum analyze' })
})

afterAll(async () => {
  await db.close()
  await ledger.close()
})

async function post(requests: PostingRequest[]): Promise<void> {
  for (let n = 0; n < requests.length; n += 500) await ledger.post(...requests.slice(n, n + 500))
}

interface List {
  items: { id: string }[]
  next_cursor: string | null
}

async function list(userId: string, query: object): Promise<List> {
  const [{ handle }] = transactions.routes as unknown as [(typeof transactions.routes & object)[0]]
  const request = { query: { limit: LIMIT, ...query }, params: {}, caller: { userId, role: 'customer' } }
  return (await handle(request as never, { db } as unknown as Tools, undefined as never)).body as List
}

const queries = [{}, { limit: 200 }, { type: 'withdrawal' }, { status: 'rejected' }, { status: 'pending' }]

describe.each([
  [`${ACCOUNTS_MERGED_MAX} accounts`, few],
  ['8,000 accounts', many],
])('an owner of %s', (_name, owner) => {
  test.each(queries)('gets pages that read no more than a page: %j', async (query) => {
    let cursor: string | null = null
    for (let pages = 0; pages < 3; pages++) {
      db.plans()
      const page = await list(owner, { ...query, ...(cursor && { cursor }) })
      for (const { statement, buffers } of db.plans()) {
        expect(buffers > BUFFERS_MAX ? `${buffers} by ${statement}` : 'few').toBe('few')
      }
      if ((cursor = page.next_cursor) === null) break
    }
  })

  test('finds each of their transactions once, and no others', async () => {
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const page: List = await list(owner, { limit: 200, ...(cursor && { cursor }) })
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.next_cursor
    } while (cursor)
    const expected = await ledger.owner.query<{ id: string }>({
      text: `select id from transactions t where $1 in (user_id, to_user_id)
        and (balance_after is not null or account_id in (select a.id from accounts a where a.user_id = $1))`,
      values: [owner],
    })
    expect(expected.length).toBeGreaterThan(500)
    expect(ids.sort()).toEqual(expected.map(({ id }) => id).sort())
  })
})

test('each kind of list refuses the cursors of the other', async () => {
  const [ofFew, ofMany] = [await list(few, {}), await list(many, {})]
  await expect(list(many, { cursor: ofFew.next_cursor })).rejects.toMatchObject({ reply: { status: 400 } })
  expect((await list(many, { cursor: ofMany.next_cursor })).items).toHaveLength(LIMIT)
})
