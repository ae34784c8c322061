import { randomUUID } from 'node:crypto'
import type { Caller } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import accounts from '../accounts.ts'
import { testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { explainingDatabase, type ExplainingDatabase } from '../testing/plans-fixture.ts'

/** A page of accounts reads a page, whatever comes after it. */
const LIMIT = 50
const OWN = 1_000
type Who = Pick<Caller, 'userId' | 'role'>
const merchant: Who = { userId: randomUUID(), role: 'customer' }
const operator: Who = { userId: randomUUID(), role: 'operator' }

let ledger: TestLedger
let db: ExplainingDatabase

beforeAll(async () => {
  ledger = await testLedger()
  db = await explainingDatabase(ledger.database, 'ledger')
  await ledger.owner.query({
    text: `select count(open_account(case when n <= ${OWN} then $1 else gen_random_uuid() end, 'checking', 'USD', 0,
        1000, 1000, ${OWN}))
      from generate_series(1, 20000) n`,
    values: [merchant.userId],
  })
  // The oldest accounts, which a list shows last.
  for (const [status, count] of [
    ['frozen', 300],
    ['closed', 200],
  ])
    await ledger.owner.query({
      text: `update accounts set status = '${status}' where id = any (array(
        select id from accounts where kind = 'customer' and status = 'open' order by id limit ${count}))`,
    })
  await ledger.owner.query({ text: 'vacuum analyze' })
})

afterAll(async () => {
  await db.close()
  await ledger.close()
})

interface List {
  items: { id: string; status: string }[]
  next_cursor: string | null
}

async function page(who: Who, query: object): Promise<List> {
  const { handle } = accounts.routes!.find(({ path }) => path === '/accounts')!
  const request = { query: { limit: LIMIT, ...query }, params: {}, caller: who }
  return (await handle(request as never, { db } as unknown as Tools, undefined as never)).body as List
}

test.each<[string, Who, object, number]>([
  ['a customer’s own', merchant, {}, LIMIT + 1],
  ['all', operator, {}, LIMIT + 1],
  ['a customer’s, for an operator', operator, { user_id: merchant.userId }, LIMIT + 1],
  ['all open accounts', operator, { status: 'open' }, LIMIT + 1],
  ['all frozen accounts', operator, { status: 'frozen' }, LIMIT + 1],
  ['all closed accounts', operator, { status: 'closed' }, LIMIT + 1],
  ['the accounts of an unknown user', operator, { user_id: randomUUID(), status: 'open' }, 0],
  // At most as many as a customer can have.
  ['a customer’s own closed accounts', merchant, { status: 'closed' }, OWN],
])('%s, page by page', async (_name, who, query, rowsMax) => {
  let cursor: string | null | undefined
  for (let n = 0; n < 3 && cursor !== null; n++) {
    db.plans()
    const list = await page(who, { ...query, ...(cursor && { cursor }) })
    for (const { nodes } of db.plans()) {
      expect(nodes.filter(({ type }) => type === 'Seq Scan')).toEqual([])
      expect(Math.max(...nodes.map(({ rows }) => rows))).toBeLessThanOrEqual(rowsMax)
    }
    cursor = list.next_cursor
  }
})
