import { randomUUID } from 'node:crypto'
import { auditRoute } from '../../host/audit/audit-route.ts'
import type { AuditRow } from '../../host/audit/audit-parts.ts'
import auditLedger from '../audit-ledger.ts'
import type { Tools } from '../../host/tools.ts'
import {
  deposit,
  reversal,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import { explainingDatabase, type ExplainingDatabase } from '../testing/plans-fixture.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import { ownPart } from './audited-transactions.ts'
import { WALKED_MAX } from './transaction-lists.ts'

/** Each list of the audit is compared with the view, and Postgres reports how many rows a page reads. */
const TRANSFERS = 24_000
const LIMIT = 20
const [busy, quiet, operator, other] = Array.from({ length: 4 }, () => randomUUID())
const byOperator = { caller_id: operator!, caller_role: 'operator' } as const

let ledger: TestLedger
let db: ExplainingDatabase
let all: AuditRow[]
let quietDeposit: PostingRequest

beforeAll(async () => {
  ledger = await testLedger()
  const rich = { overdraftLimit: 10n ** 9n }
  const [from, to] = [
    await ledger.open({ userId: busy!, ...rich }),
    await ledger.open({ userId: other!, ...rich }),
  ]
  const lonely = await ledger.open({ userId: quiet! })
  // The oldest: an operator's deposit, a customer's own deposit, a reversal, an order that was refused.
  const first = deposit(lonely, 100, byOperator)
  quietDeposit = deposit(lonely, 200, { caller_id: quiet! })
  await post([first, quietDeposit])
  await post([reversal(first, true, byOperator), withdrawal(from, 7, byOperator)])
  await post([withdrawal(lonely, 1e12, { ...byOperator, requested: true })])
  const transfers = Array.from({ length: TRANSFERS }, (_, n) =>
    n % 3 === 0 ? transfer(to, from, 1, { caller_id: other! }) : transfer(from, to, 1, { caller_id: busy! }),
  )
  await post(transfers)
  await ledger.order(transfer(from, to, 1, { caller_id: busy! }))
  await ledger.owner.query({ text: 'vacuum analyze' })
  all = await ledger.db.query<AuditRow>({ text: 'select * from audit_log order by id desc' })
  db = await explainingDatabase(ledger.database, 'ledger')
})

afterAll(async () => {
  await db.close()
  await ledger.close()
})

async function post(requests: PostingRequest[]): Promise<void> {
  for (let n = 0; n < requests.length; n += 500) await ledger.post(...requests.slice(n, n + 500))
}

const { handle } = auditLedger.routes![0]! as ReturnType<typeof auditRoute>

/** Reads at most `pagesMax` pages. Checks the rows that each reads. */
async function read(query: object, rowsMax: number, pagesMax: number) {
  const items: { id: string }[] = []
  let cursor: string | null = null
  for (let pages = 1; ; pages++) {
    db.plans()
    const request = { query: { limit: LIMIT, ...query, ...(cursor !== null && { cursor }) } }
    const { body } = await handle(request as never, { db } as unknown as Tools, undefined as never)
    for (const { statement, nodes } of db.plans()) {
      const large = nodes.filter(({ rows }) => rows > rowsMax)
      const scanned = nodes.filter(({ type, relation }) => type === 'Seq Scan' && relation === 'transactions')
      expect({ statement, large, scanned }).toEqual({ statement, large: [], scanned: [] })
    }
    const page = body as { items: { id: string }[]; next_cursor: string | null }
    items.push(...page.items)
    cursor = page.next_cursor
    if (cursor === null || pages === pagesMax)
      return { ids: items.map(({ id }) => id), pages, isAll: cursor === null }
  }
}

// The page that finds the rare ones may have to walk far; others read little.
const WALK = WALKED_MAX
const cases: [string, number, () => Partial<Record<string, string>>, (row: AuditRow) => boolean][] = [
  ['everything', 2_000, () => ({}), () => true],
  ['what a busy customer asked for', WALK, () => ({ caller: busy! }), (row) => row.caller_id === busy],
  ['what a quiet customer asked for', WALK, () => ({ caller: quiet! }), (row) => row.caller_id === quiet],
  [
    'what an operator asked for',
    LIMIT + 1,
    () => ({ caller: operator! }),
    (row) => row.caller_id === operator,
  ],
  ['what nobody asked for', LIMIT + 1, () => ({ caller: randomUUID() }), () => false],
  ['whose data it is', WALK, () => ({ owner: quiet! }), (row) => row.owner_id === quiet],
  ['one transaction', 1, () => ({ subject: quietDeposit.id }), (row) => row.subject === quietDeposit.id],
  ['a name that no transaction has', 1, () => ({ subject: 'USD' }), () => false],
  [
    'one transaction of another caller',
    1,
    () => ({ subject: quietDeposit.id, caller: operator! }),
    () => false,
  ],
  ['an operation', WALK, () => ({ operation: 'withdraw' }), (row) => row.operation === 'withdraw'],
  [
    'a rare one',
    WALK,
    () => ({ operation: 'reverse-transaction' }),
    (row) => row.operation === 'reverse-transaction',
  ],
  ['one that moves no money', 1, () => ({ operation: 'open-account' }), () => false],
  [
    'what an operator did to a customer',
    LIMIT + 1,
    () => ({ owner: quiet!, caller: operator! }),
    (row) => row.owner_id === quiet && row.caller_id === operator,
  ],
  [
    'a customer’s own deposits',
    WALK,
    () => ({ owner: quiet!, caller: quiet!, operation: 'deposit' }),
    (row) => row.owner_id === quiet && row.caller_id === quiet && row.operation === 'deposit',
  ],
]

test.each(cases)(
  '%s: the same as the view, without a gap, and no page reads much',
  async (_of, rowsMax, query, isWanted) => {
    const expected = all.filter(isWanted).map(({ id }) => id)
    const { ids, isAll } = await read(query(), rowsMax, 40)
    expect(ids).toEqual(expected.slice(0, ids.length))
    if (isAll) expect(ids.length).toBe(expected.length)
    else expect(ids.length).toBeGreaterThan(LIMIT)
  },
)

test('a quiet customer’s rows are found after few pages, however many others there are', async () => {
  const { pages, isAll } = await read({ caller: quiet }, WALK, 10)
  expect([isAll, pages <= 2 + Math.ceil(TRANSFERS / WALKED_MAX)]).toEqual([true, true])
})

test('a transaction that waits to be posted takes no place on a page', async () => {
  // The newest row is that of the order; the order itself is the newest transaction.
  const { rows, reachedId } = await ownPart(db, { before: all[0]!.id }, LIMIT)
  expect(rows.map(({ id }) => id)).toEqual(all.slice(1, 1 + LIMIT).map(({ id }) => id))
  expect(reachedId).toBe(all[LIMIT]!.id)
})

test('transfers by owners are in no index of the audit', async () => {
  const [index] = await ledger.owner.query<{ pages: bigint }>({
    text: `select pg_relation_size('transactions_asked') / 8192 as pages`,
  })
  // One of them is about the index itself.
  expect(index!.pages).toBeLessThanOrEqual(2n)
})

test('the view says what happened: who, by which operation, whose, and with what outcome', () => {
  const told = all
    .filter(({ operation }) => operation !== 'transfer')
    .map((row) => [row.operation, row.caller_id, row.caller_role, row.owner_id, row.outcome])
  expect(told).toEqual([
    ['withdraw', operator, null, null, 'rejected'],
    ['withdraw', operator, 'operator', busy, 'completed'],
    ['reverse-transaction', operator, 'operator', quiet, 'completed'],
    ['deposit', quiet, null, quiet, 'completed'],
    // It was reversed later.
    ['deposit', operator, 'operator', quiet, 'completed'],
  ])
  expect(all[0]).toMatchObject({
    operation: 'transfer',
    outcome: 'ordered',
    caller_id: busy,
    caller_role: 'customer',
  })
  expect(all.find(({ outcome }) => outcome === 'pending')).toBeUndefined()
})
