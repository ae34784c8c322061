import { randomUUID } from 'node:crypto'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { openDatabase } from '../host/database/database.ts'
import type { Operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { silent } from '../ledger/testing/ledger-fixture.ts'
import { explainingDatabase, type ExplainingDatabase } from '../ledger/testing/plans-fixture.ts'
import orders from './orders.ts'
import payments from './payments.ts'
import topUps from './top-ups.ts'

/** The rows that a list reads, as Postgres reports it, while one customer has half of the rows of the table,
 * many others have the rest, and nearly all have one status. */
const MANY = 40_000
const OWNER = 'case when n % 2 = 0 then $1::uuid else gen_random_uuid() end'
const LIMIT = 20
/** A customer has every other row, so a page of theirs may be picked out of two. */
const FEW = 3 * LIMIT
const ada = randomUUID()
let database: TestDatabase
let db: ExplainingDatabase

beforeAll(async () => {
  database = await testDatabase('payments')
  const owner = openDatabase({ url: database.ownerUrl, poolMax: 1, name: 'lists-test', log: silent })
  const fill = [
    `insert into payments (user_id, account_id, amount, currency, payee_account_id, status, hold_id, to_account_id,
        transaction_id, expires_at, ended_at)
      select ${OWNER}, $1, 1, 'USD', $1, 'executed', gen_random_uuid(), $1, gen_random_uuid(), now(), now()
      from generate_series(1, ${MANY}) n`,
    `insert into payment_orders (user_id, account_id, to_account_id, amount, currency, run_at, missed_runs, status)
      select ${OWNER}, $1, $1, 1, 'USD', now(), 'each', 'cancelled' from generate_series(1, ${MANY}) n`,
    `insert into provider_transfers (kind, user_id, account_id, amount, currency, provider, status, failure, ended_at)
      select 'top-up', ${OWNER}, $1, 1, 'USD', 'sandbox', 'failed', 'declined', now()
      from generate_series(1, ${MANY}) n`,
  ]
  for (const text of fill) await owner.query({ text, values: [ada] })
  await owner.query({ text: 'vacuum analyze' })
  await owner.close()
  db = await explainingDatabase(database, 'payments')
})

afterAll(async () => {
  await db?.close()
  await database?.drop()
})

test.each([
  ['payments', payments, '/payments', ['executed', 'failed', 'created', 'placing']],
  ['payment orders', orders, '/orders', ['cancelled', 'completed', 'active']],
  ['top-ups', topUps, '/payments/top-ups', ['failed', 'completed', 'pending']],
] as [string, Operation, string, string[]][])(
  'a page of %s reads a page, whatever else its owner has, or everybody for an operator',
  async (_what, operation, path, statuses) => {
    const { handle } = operation.routes!.find((route) => route.path === path && route.method === 'GET')!
    for (const role of ['customer', 'operator'])
      for (const status of [undefined, ...statuses]) {
        db.plans()
        const request = { query: { limit: LIMIT, status }, params: {}, caller: { userId: ada, role } }
        await handle(request as never, { db } as unknown as Tools, undefined as never)
        const rows = db.plans().flatMap(({ nodes }) => nodes.map((node) => node.rows))
        expect(rows.length).toBeGreaterThan(0)
        expect([role, status, rows.filter((count) => count > FEW)]).toEqual([role, status, []])
      }
  },
)
