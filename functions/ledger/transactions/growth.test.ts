import { randomUUID } from 'node:crypto'
import type { Outbox } from '../../../eventing/outbox.ts'
import { claim } from '../../../eventing/pending.ts'
import type { Operation } from '../../host/operation.ts'
import type { Caller } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import accounts from '../accounts.ts'
import {
  deposit,
  silent,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import { postOverdueOrders } from '../posting/overdue-orders.ts'
import { explainingDatabase, type ExplainingDatabase, type Plan } from '../testing/plans-fixture.ts'
import { postTransactions } from '../posting/post.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import { LOOKED_AT_MAX } from './transaction-lists.ts'
import transactions from '../transactions.ts'
import { uuidv7 } from '../values/uuid.ts'

/** The number of rows that each statement reads, as Postgres reports it, while one account has most of the
 * entries. It must not grow with the books. The statements are those of the handlers, and those inside the
 * SQL functions. */
const LIMIT = 20
const TRANSFERS = 24_000
const REJECTED = 1_000
const OWN_ACCOUNTS = 5
const merchant: Who = { userId: randomUUID(), role: 'customer' }
const operator: Who = { userId: randomUUID(), role: 'operator' }
type Who = Pick<Caller, 'userId' | 'role'>

let ledger: TestLedger
let db: ExplainingDatabase
/** The merchant's account, which most transfers go to, and one account of each other customer. */
let hot: string
let payers: { id: string; userId: string }[]
let halfWay: Date
/** The oldest transactions of all, to two of the merchant's accounts. */
let deposits: string[]

beforeAll(async () => {
  ledger = await testLedger()
  db = await explainingDatabase(ledger.database, 'ledger')
  await openAccounts()
  await fill()
  await ledger.owner.query({ text: 'vacuum analyze' })
})

afterAll(async () => {
  await db.close()
  await ledger.close()
})

async function openAccounts(): Promise<void> {
  const rows = await ledger.db.query<{ id: string; user_id: string }>({
    text: `select ((opened).account).id, ((opened).account).user_id from (
        select open_account(case when n <= ${OWN_ACCOUNTS} then $1 else gen_random_uuid() end, 'checking', 'USD',
          1000000, 1000000000, 1000000, ${OWN_ACCOUNTS}) as opened
        from generate_series(1, 1000) n
      ) _`,
    values: [merchant.userId],
  })
  const all = rows.map(({ id, user_id: userId }) => ({ id, userId }))
  hot = all[0]!.id
  payers = all.slice(1)
}

async function fill(): Promise<void> {
  const first = [hot, payers[0]!.id].map((id) => deposit(id, 100, { caller_id: merchant.userId }))
  deposits = first.map(({ id }) => id)
  // Some come from the merchant's own other accounts, which are among the payers.
  const transfers = Array.from({ length: TRANSFERS }, (_, n) => {
    const { id, userId } = payers[n % payers.length]!
    return transfer(id, hot, 1, { caller_id: userId, key: `key ${n}` })
  })
  await post(first)
  await post(transfers.slice(0, TRANSFERS / 2))
  halfWay = new Date()
  await post(transfers.slice(TRANSFERS / 2))
  // As many rows as there would be had these been orders.
  await ledger.owner.query({
    text: `insert into outbox (type, source, subject, dataschema, partitionkey, data)
      select type, source, subject, dataschema, partitionkey, data from events`,
  })
  // Older than all rejected transactions.
  await ledger.order(transfer(hot, payers[9]!.id, 1, { caller_id: merchant.userId }))
  for (let n = 0; n < REJECTED; n += 100) {
    const tooMuch = { caller_id: merchant.userId, requested: true }
    await post(Array.from({ length: 100 }, () => withdrawal(hot, 1e12, tooMuch)))
  }
}

async function post(requests: PostingRequest[]): Promise<void> {
  for (let n = 0; n < requests.length; n += 500)
    for (const { outcome } of await ledger.post(...requests.slice(n, n + 500)))
      expect(['posted', 'insufficient-funds']).toContain(outcome)
}

async function get<Body>(
  operation: Operation,
  path: string,
  who: Who,
  query = {},
  params = {},
): Promise<Body> {
  const { handle } = operation.routes!.find((route) => route.path === path)!
  const request = { query: { limit: LIMIT, ...query }, params, caller: who }
  return (await handle(request as never, { db } as unknown as Tools, undefined as never)).body as Body
}

interface List {
  items: { id: string; timestamp: string }[]
  next_cursor: string | null
}

const GROWING = ['accounts', 'transactions', 'entries', 'idempotency_keys', 'outbox']

/** Checks that no growing table was read from end to end, and that no step read more than `rowsMax` rows. */
function expectReadAtMost(rowsMax: number, plans: Plan[]): void {
  expect(plans).not.toEqual([])
  for (const { statement, nodes } of plans) {
    const scanned = nodes.filter(({ type, relation }) => type === 'Seq Scan' && GROWING.includes(relation!))
    const large = nodes.filter(({ rows }) => rows > rowsMax)
    expect({ statement, scanned, large }).toEqual({ statement, scanned: [], large: [] })
  }
}

// A page and the row after it, and the same number of pending and of rejected ones.
const page = 3 * (LIMIT + 1)

describe('a page of transactions reads no more than', () => {
  const lists: [name: string, rowsMax: number, who: Who, query: () => object][] = [
    ['a page, for one account', page, merchant, () => ({ account_id: hot })],
    [
      'the row limit, for one account, with filters',
      LOOKED_AT_MAX,
      merchant,
      () => ({ account_id: hot, type: 'transfer' }),
    ],
    ['a page of each account, for a customer', OWN_ACCOUNTS * page, merchant, () => ({})],
    [
      'a page, for the time until long ago',
      page,
      merchant,
      () => ({ account_id: hot, to: halfWay.toISOString() }),
    ],
    [
      'a page, for the time from now on',
      page,
      merchant,
      () => ({ account_id: hot, from: new Date().toISOString() }),
    ],
    [
      'the row limit, for rejected ones',
      LOOKED_AT_MAX,
      merchant,
      () => ({ account_id: hot, status: 'rejected' }),
    ],
    [
      'the row limit, for pending ones',
      LOOKED_AT_MAX,
      merchant,
      () => ({ account_id: hot, status: 'pending' }),
    ],
    [
      'the row limit, if the filter matches hardly any',
      LOOKED_AT_MAX,
      merchant,
      () => ({ account_id: hot, type: 'deposit' }),
    ],
    ['a page, for the whole bank', page, operator, () => ({})],
    [
      'the row limit, for the whole bank, with a filter',
      LOOKED_AT_MAX,
      operator,
      () => ({ type: 'transfer' }),
    ],
    [
      'the row limit, for the whole bank, if the filter matches hardly any',
      LOOKED_AT_MAX,
      operator,
      () => ({ type: 'deposit' }),
    ],
    [
      'the row limit, for the whole bank until long ago',
      LOOKED_AT_MAX,
      operator,
      () => ({ to: halfWay.toISOString() }),
    ],
    [
      'the row limit, for the whole bank from now on',
      LOOKED_AT_MAX,
      operator,
      () => ({ from: new Date().toISOString() }),
    ],
  ]
  test.each(lists)('%s', async (_name, rowsMax, who, query) => {
    db.plans()
    const first = await get<List>(transactions, '/transactions', who, query())
    expectReadAtMost(rowsMax, db.plans())
    if (first.next_cursor === null) return
    await get<List>(transactions, '/transactions', who, { ...query(), cursor: first.next_cursor })
    expectReadAtMost(rowsMax, db.plans())
  })
})

test('one transaction, one account and the accounts of a customer are found by their keys', async () => {
  db.plans()
  // Often enough that Postgres uses a generic plan.
  for (let n = 0; n < 7; n++) {
    await get(transactions, '/transactions/{id}', merchant, {}, { id: deposits[0] })
    await get(accounts, '/accounts/{id}', merchant, {}, { id: hot })
  }
  expectReadAtMost(1, db.plans())
  await get(accounts, '/accounts', merchant)
  expectReadAtMost(OWN_ACCOUNTS, db.plans())
})

test('a page of all accounts reads a page', async () => {
  for (const query of [{}, { status: 'open' }]) {
    db.plans()
    const { next_cursor: cursor } = await get<List>(accounts, '/accounts', operator, query)
    await get(accounts, '/accounts', operator, { ...query, cursor })
    expectReadAtMost(page, db.plans())
  }
})

test('a balance of the past is found in as many steps as a binary search of the entries takes', async () => {
  for (let n = 0; n < 7; n++) {
    db.plans()
    await get(accounts, '/accounts/{id}/balance', merchant, { as_of: halfWay.toISOString() }, { id: hot })
    const plans = db.plans()
    expectReadAtMost(1, plans)
    const steps = plans.filter(({ nodes }) => nodes.some(({ relation }) => relation === 'entries'))
    // Postgres may search once more while planning.
    expect(steps.length).toBeLessThanOrEqual(Math.ceil(Math.log2(2 * TRANSFERS)))
  }
})

describe('posting reads no more than its accounts and keys', () => {
  const batchOf = (size: number, given: Partial<PostingRequest> = {}): PostingRequest[] =>
    Array.from({ length: size }, (_, n) => {
      const { id, userId } = payers[n]!
      return transfer(id, hot, 1, { caller_id: userId, key: randomUUID(), ...given, amount: 1 })
    })
  // Two accounts each.
  const rowsOf = (requests: PostingRequest[]): number => 2 * requests.length

  test.each([1, 400])('in a batch of %i, the first time and repeated', async (size) => {
    const requests = batchOf(size)
    for (const replayed of [false, true]) {
      db.plans()
      const { outcomes } = await postTransactions(
        db,
        requests.map((request) => ({ ...request, id: uuidv7() })),
      )
      expect(outcomes[0]).toMatchObject({ outcome: 'posted', replayed })
      expectReadAtMost(rowsOf(requests), db.plans())
    }
  })

  test('for orders', async () => {
    const requests = batchOf(50, { requested: true, key: null, key_owner: null, request_hash: null })
    db.plans()
    for (const request of requests) await ledger.order(request, db)
    for (let n = 0; n < 2; n++) await postTransactions(db, requests)
    expectReadAtMost(rowsOf(requests), db.plans())
  })
})

test('a sweep reads only overdue orders', async () => {
  // On a slow machine the order would be one by now.
  await ledger.owner.query({
    text: `with pending as (delete from transactions where status = 'pending' returning *)
      insert into transactions (id, type, status, account_id, to_account_id, amount, currency, user_id, created_at)
      select id, type, status, account_id, to_account_id, amount, currency, user_id, now() from pending`,
  })
  db.plans()
  expect(await postOverdueOrders({ db, outbox: {} as Outbox, log: silent })).toBe(0)
  expectReadAtMost(1, db.plans())
})

test('a sweep of the outbox reads only the events that it claims', async () => {
  await ledger.owner.query({ text: 'update outbox_pending set claimed_until = now()' })
  // Six times, because then a prepared statement would have its general plan.
  for (let n = 0; n < 6; n++) {
    db.plans()
    const events = (await claim(db, 300)).flatMap((group) => group.events)
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    expect(events.length).toBeGreaterThanOrEqual(300)
    expectReadAtMost(500, db.plans())
  }
})

describe('page by page', () => {
  const walk = async (who: Who, query: object): Promise<List['items']> => {
    const items: List['items'] = []
    let cursor: string | null | undefined
    do {
      const body: List = await get(transactions, '/transactions', who, {
        limit: 200,
        ...query,
        ...(cursor && { cursor }),
      })
      items.push(...body.items)
      cursor = body.next_cursor
    } while (cursor)
    return items
  }
  const idsOf = async (condition: string, values: unknown[]): Promise<string[]> => {
    const rows = await ledger.owner.query<{ id: string }>({
      text: `select id from transactions where ${condition} order by id`,
      values,
    })
    return rows.map(({ id }) => id)
  }

  test.each([
    ['one account’s', () => ({ account_id: hot }), () => idsOf('$1 in (account_id, to_account_id)', [hot])],
    ['a customer’s', () => ({}), () => idsOf('$1 in (user_id, to_user_id)', [merchant.userId])],
    [
      'posted in the second half',
      () => ({ from: halfWay.toISOString() }),
      () => idsOf('$1 in (user_id, to_user_id) and created_at >= $2', [merchant.userId, halfWay]),
    ],
    ['the two oldest', () => ({ type: 'deposit' }), () => Promise.resolve([...deposits])],
  ])('%s transactions are listed, each once, newest first', async (_name, query, expected) => {
    const items = await walk(merchant, query())
    expect(items.map(({ id }) => id).sort()).toEqual((await expected()).sort())
    const times = items.map(({ timestamp }) => timestamp)
    expect(times).toEqual([...times].sort().reverse())
  })

  test('rejected transactions are listed, and a page reads no more than its rows and those of one moment', async () => {
    db.plans()
    expect(await walk(merchant, { status: 'rejected' })).toHaveLength(REJECTED)
    expectReadAtMost(200 + 1 + 2 * 100, db.plans())
    expect(await walk(merchant, { status: 'pending' })).toHaveLength(1)
  })

  test('an operator finds the two oldest among all', async () => {
    expect((await walk(operator, { type: 'deposit' })).map(({ id }) => id)).toEqual([...deposits].reverse())
  })
})

test.each(['bm90IGEgcGxhY2U', Buffer.from(uuidv7()).toString('base64url')])(
  'a cursor of another list is refused: %s',
  async (cursor) => {
    await expect(get(transactions, '/transactions', merchant, { cursor })).rejects.toMatchObject({
      reply: { status: 400 },
    })
  },
)
