import { explainingDatabase, type ExplainingDatabase } from '../testing/plans-fixture.ts'
import { deposit } from '../testing/ledger-fixture.ts'
import { testStatements, type TestStatements } from '../testing/statement-fixture.ts'
import type { StatementBasis } from './account-statement.ts'
import { makeStatement } from './make-statement.ts'
import { readPeriod, type PeriodQuery } from './period.ts'
import type { AccountRow } from '../accounts/account.ts'

/** A statement reads its own entries and what belongs to them, and never a whole table. */

let statements: TestStatements
let db: ExplainingDatabase
let account: AccountRow

beforeAll(async () => {
  statements = await testStatements()
  const { ledger } = statements
  db = await explainingDatabase(ledger.database, 'ledger')
  const ids = [await ledger.open(), await ledger.open()]
  for (const id of ids) await statements.grow(id, 20_000)
  const dated = Array.from({ length: 300 }, (_, n) =>
    deposit(ids[0]!, 5, {
      caller_role: 'operator',
      value_date: new Date().toISOString().slice(0, 10),
      key: `${n}`,
    }),
  )
  await ledger.post(...dated)
  await ledger.owner.query({
    text: `with leaves as (insert into sealed select n, uuidv7(), 1, sha256('') from generate_series(0, 19999) n)
      insert into seals select n, n, sha256(''), repeat('x', 200), now() from generate_series(1, 5000) n`,
  })
  await ledger.owner.query({ text: 'vacuum analyze' })
  ;[account] = (await ledger.db.query<AccountRow>({
    text: 'select * from accounts where id = $1',
    values: [ids[0]],
  })) as [AccountRow]
})

afterAll(async () => {
  await db?.close()
  await statements?.stop()
})

test.each<[string, Partial<PeriodQuery>]>([
  ['booking', { from_version: 9_000, to_version: 11_000 }],
  ['booking', {}],
  ['value', { from: '2026-01-01', known_version: 20_200 }],
  ['value', {}],
])('by %s, %j', async (basis, query) => {
  db.plans()
  const period = readPeriod({ basis: basis as StatementBasis, ...query })
  const { pages } = await makeStatement(db, account, period)
  let count = 0
  for await (const page of pages) count += page.length
  expect(count).toBeGreaterThan(100)
  for (const { statement, buffers, nodes } of db.plans()) {
    // Sums of most of a table may read it as a whole.
    const scanned = nodes
      .filter(({ type, relation }) => type === 'Seq Scan' && relation !== 'accounts')
      .map(({ relation }) => relation)
    if (!statement.includes('sum(')) expect([statement, scanned]).toEqual([statement, []])
    // A page of 1,000 entries with their transactions; sums read the entries alone.
    expect(buffers > 15_000 ? `${buffers} by ${statement}` : 'few').toBe('few')
  }
})
