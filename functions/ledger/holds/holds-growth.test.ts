import { randomUUID } from 'node:crypto'
import { postTransactions } from '../posting/post.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import { toSubjectEvents } from '../posting/subjects.ts'
import { steps } from '../stops/sweep-checks.ts'
import { deposit, ending, placing, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { explainingDatabase, type ExplainingDatabase } from '../testing/plans-fixture.ts'

/** What a hold costs does not grow with the open holds of others. The plans are made while Postgres knows
 * that there are no holds: then all indexes look alike to it, and a connection keeps its plans for life. */
const OTHERS = 3_000
/** Far more than the holds of one account in these tests. */
const ROWS_MAX = 50

let ledger: TestLedger
let db: ExplainingDatabase
let from: string
let to: string
const placedByOthers: PostingRequest[] = []

const post = async (...requests: PostingRequest[]): Promise<string[]> =>
  (await postTransactions(db, requests, toSubjectEvents)).outcomes.map(({ outcome }) => outcome)

/** Takes a hold through its life, in which an account also has too little to pay because of it. */
async function liveThrough(): Promise<void> {
  const kept = placing(from, 40)
  const [captured, released] = [placing(from, 5), placing(from, 5)]
  expect(await post(captured, released, kept)).toEqual(['posted', 'posted', 'posted'])
  expect(await post(placing(from, 60))).toEqual(['insufficient-funds'])
  expect(
    await post(
      ending('capture', captured, 5, { to_account_id: to }),
      ending('release', released),
      ending('release', kept),
    ),
  ).toEqual(['posted', 'posted', 'posted'])
  // The guard sums the holds of an account that has some.
  expect(await post(placing(from, 1))).toEqual(['posted'])
  expect(await db.query({ text: 'select * from guard_accounts($1, $2)', values: [[from, to], []] })).toEqual(
    [],
  )
  expect(await db.query({ text: 'select expire_holds() as ended' })).toEqual([{ ended: 0 }])
}

beforeAll(async () => {
  ledger = await testLedger()
  db = await explainingDatabase(ledger.database, 'ledger')
  from = await ledger.open()
  to = await ledger.open({ userId: randomUUID() })
  await ledger.post(deposit(from, 100))
  await ledger.owner.query({ text: 'vacuum analyze' })
})
afterAll(async () => {
  await db.close()
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
})

test('placing, ending, expiring and checking holds reads none of others, also with plans made while there were none', async () => {
  await liveThrough()
  const others = await Promise.all(Array.from({ length: 10 }, () => ledger.open({ userId: randomUUID() })))
  const caller_role = 'operator' as const
  await ledger.post(...others.map((id) => deposit(id, OTHERS, { caller_role })))
  for (let n = 0; n < OTHERS; n += 500) {
    const placed = Array.from({ length: 500 }, (_, i) =>
      placing(others[i % others.length]!, 1, { caller_role }),
    )
    await ledger.post(...placed)
    placedByOthers.push(...placed)
  }
  db.plans()
  await liveThrough()
  const read = db
    .plans()
    .flatMap(({ statement, nodes }) => nodes.map((node) => ({ ...node, statement: statement.slice(0, 200) })))
    .filter(({ relation }) => relation === 'holds' || relation === 'hold_entries')
  expect(read.length).toBeGreaterThan(5)
  expect(read.filter(({ rows }) => rows > ROWS_MAX)).toEqual([])
})

test('the check of the totals, in each minute, reads no holds that have ended', async () => {
  const { totals } = steps
  const ended = placedByOthers.map((hold) => ending('release', hold, undefined, { caller_role: 'operator' }))
  for (let n = 0; n < ended.length; n += 500) await ledger.post(...ended.slice(n, n + 500))
  expect(await post(placing(from, 1))).toEqual(['posted'])
  // As if they had ended long ago, in a table that is far larger than its index of open ones.
  await ledger.owner.query({ text: 'reindex table holds' })
  await ledger.owner.query({ text: 'vacuum analyze holds' })
  db.plans()
  await db.query({ text: `select has_ended from ${totals}` })
  const read = db.plans().flatMap(({ nodes }) => nodes.filter(({ relation }) => relation === 'holds'))
  expect(read).not.toEqual([])
  expect(read.filter(({ rows }) => rows > ROWS_MAX)).toEqual([])
})
