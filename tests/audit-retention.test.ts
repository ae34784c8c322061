import { openDatabase } from '../functions/host/database/database.ts'
import { createLog } from '../monitoring/log.ts'
import { deposit, testLedger, type TestLedger } from '../functions/ledger/testing/ledger-fixture.ts'
import { read } from './support/repository.ts'

/** The SQL in docs/audit.md does what the text around it says, and leaves the tables guarded. */

const [forAudit, forTransactions] = [...read('docs/audit.md').matchAll(/```sql\n([^`]+)```/g)].map(
  ([, sql]) => sql!,
)
let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

/** Returns an id as it was made that many years ago. */
const longAgo = (years: number): string => {
  const digits = (Date.now() - years * 366 * 86_400_000).toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7000-8000-000000000000`
}

async function run(text: string): Promise<void> {
  const log = createLog({}, 'error', () => {})
  const db = openDatabase({ url: ledger.database.ownerUrl, poolMax: 1, name: 'test', log })
  await db.query({ text })
  await db.close()
}

test('old addresses, and very old entries, can be removed from the audit; nothing else can afterwards', async () => {
  for (const years of [0, 2, 11])
    await ledger.db.query({
      text: `insert into audit (id, caller_role, operation, route, address, trace_id, outcome)
        values ($1, 'anyone', $2, 'GET /', '203.0.113.9', gen_random_uuid(), 'read')`,
      values: [longAgo(years), `${years} years ago`],
    })
  await run(forAudit!)
  const rows = await ledger.db.query({
    text: 'select operation, host(address) as address from audit order by id',
  })
  expect(rows).toEqual([
    { operation: '2 years ago', address: null },
    { operation: '0 years ago', address: '203.0.113.9' },
  ])
  await expect(ledger.owner.query({ text: 'delete from audit' })).rejects.toMatchObject({ code: 'MB001' })
})

test('addresses of old transactions can be removed; the books stay right, and guarded', async () => {
  const account = await ledger.open()
  const [young, old] = [
    deposit(account, 1, { address: '203.0.113.9' }),
    deposit(account, 2, { address: '203.0.113.9' }),
  ]
  await ledger.post(young, old)
  // The test sets the old one back, as nobody can wait a year.
  await ledger.owner.transaction(async (tx) => {
    await tx.query({ text: 'alter table transactions disable trigger append_only_update' })
    await tx.query({
      text: `update transactions set created_at = created_at - interval '2 years' where id = $1`,
      values: [old.id],
    })
    await tx.query({ text: 'alter table transactions enable trigger append_only_update' })
  })
  await run(forTransactions!)
  const rows = await ledger.db.query({
    text: 'select host(address) as address from transactions order by amount',
  })
  expect(rows).toEqual([{ address: '203.0.113.9' }, { address: null }])
  expect(await ledger.faults()).toEqual([])
  await expect(ledger.owner.query({ text: 'update transactions set address = null' })).rejects.toMatchObject({
    code: 'MB001',
  })
})
