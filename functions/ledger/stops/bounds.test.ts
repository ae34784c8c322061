import { randomUUID } from 'node:crypto'
import { deposit, reversal, testLedger, transfer, type TestLedger } from '../testing/ledger-fixture.ts'
import { fillHolds } from '../testing/many-holds-fixture.ts'
import { explainingDatabase, type ExplainingDatabase } from '../testing/plans-fixture.ts'
import { listHolds } from '../holds/hold.ts'
import { takeStep, type Step } from './sweep-checks.ts'

/** The number of rows that each step of a check reads, as Postgres reports it, while one account has more
 * rows than a step may read. */
const HOLDS = 12_000
/** A step reads so many rows of one table, and a few more to look around. */
const ROWS_MAX = 20_010

let ledger: TestLedger
let db: ExplainingDatabase
let hot: string

beforeAll(async () => {
  ledger = await testLedger()
  db = await explainingDatabase(ledger.database, 'ledger')
  hot = await ledger.open()
  const payers = await Promise.all(Array.from({ length: 5 }, () => ledger.open()))
  await ledger.post(...payers.map((payer) => deposit(payer, 1_000)))
  for (let n = 0; n < 6; n++)
    await ledger.post(
      ...Array.from({ length: 400 }, (_, i) => transfer(payers[i % 5]!, hot, 1, { id: uuidv7OfAnHourAgo() })),
    )
  await fillHolds(ledger, hot, HOLDS)
  await ledger.owner.query({ text: 'vacuum analyze' })
})
afterAll(async () => {
  await db.close()
  await ledger.close()
})

// The walks leave out transactions that were requested just now.
function uuidv7OfAnHourAgo(): string {
  const time = (Date.now() - 3_600_000).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

const GROWING = ['accounts', 'transactions', 'entries', 'holds', 'hold_entries']

function expectBounded(rowsMax = ROWS_MAX): void {
  const plans = db.plans()
  expect(plans).not.toEqual([])
  for (const { statement, nodes } of plans) {
    const scanned = nodes.filter(({ type, relation }) => type === 'Seq Scan' && GROWING.includes(relation!))
    const large = nodes.filter(({ rows }) => rows > rowsMax)
    expect({ statement, scanned, large }).toEqual({ statement, scanned: [], large: [] })
  }
}

test.each<[Step, number]>([
  ['chains', 3],
  ['hold_chains', 3],
  ['hold_entries', 3],
  ['changes', 3],
  ['outflows', 2],
  ['counts', 2],
  ['all_transactions', 2],
])('the check %s ends after some bounded steps', async (check, stepsMin) => {
  db.plans()
  let steps = 1
  for (; (await takeStep(db, check)).has_ended === false; steps++) expectBounded()
  expect(steps).toBeGreaterThanOrEqual(stepsMin)
  const [found] = await ledger.db.query({
    text: 'select ok from ledger_checks where name = $1',
    values: [check],
  })
  expect(found).toEqual({ ok: true })
})

test('a step does not begin anew, but goes on where the one before has ended', async () => {
  await takeStep(ledger.db, 'hold_chains')
  const place = async () =>
    (
      await ledger.db.query({
        text: `select place_version, entries from check_walks where name = 'hold_chains'`,
      })
    )[0]
  expect(await place()).toEqual({ place_version: 20_000n, entries: 20_000n })
  await takeStep(ledger.db, 'hold_chains')
  expect(await place()).toEqual({ place_version: BigInt(2 * HOLDS), entries: BigInt(2 * HOLDS) })
  expect((await takeStep(ledger.db, 'hold_chains')).has_ended).toBe(true)
})

test('before a stop is lifted, its accounts’ holds are checked in bounded steps', async () => {
  db.plans()
  const checkHolds = async () =>
    (await db.query({ text: 'select faults, is_complete from check_holds($1)', values: [[hot]] }))[0]
  for (let n = 0; n < 2; n++) expect(await checkHolds()).toEqual({ faults: [], is_complete: n === 1 })
  expectBounded()
  expect(await checkHolds()).toEqual({ faults: [], is_complete: true })
  // Now little is left to do.
  expectBounded(10)
})

test('a transaction’s entries are found without reading all entries', async () => {
  const sql = `select id from transactions order by id desc limit 1`
  const [{ id }] = (await ledger.db.query<{ id: string }>({ text: sql })) as [{ id: string }]
  await ledger.owner.query({ text: 'grant execute on all functions in schema public to ledger' })
  db.plans()
  expect(
    await db.query({ text: 'select * from examine_transactions($1)', values: [[id, randomUUID()]] }),
  ).toEqual([])
  // As many as were posted in its millisecond.
  expectBounded(1_000)
})

test('the sweep reads as little', async () => {
  for (const check of ['balances', 'transactions'] as const) {
    let steps = 1
    for (; (await takeStep(db, check)).has_ended === false; steps++) expectBounded()
    expect(steps).toBeGreaterThan(1)
  }
})

test('a step takes few reversals, each of which has it look for two transactions’ entries', async () => {
  const payer = await ledger.open()
  await ledger.post(deposit(payer, 1_000))
  const moved = Array.from({ length: 260 }, () => transfer(payer, hot, 1, { id: uuidv7OfAnHourAgo() }))
  await ledger.post(...moved)
  const there = moved.map((of) => reversal(of, false, { id: uuidv7OfAnHourAgo() }))
  await ledger.post(...there)
  await ledger.post(...there.map((of) => reversal(of, true, { id: uuidv7OfAnHourAgo() })))
  for (const check of ['counts', 'all_transactions'] as const) {
    const place = async () =>
      (
        await ledger.db.query<{ reversals: bigint }>({
          text: `select count(t.reverses) as reversals from check_walks w join transactions t on t.id <= w.place
            where w.name = $1`,
          values: [check],
        })
      )[0]!.reversals
    let before = 0n
    while ((await takeStep(ledger.db, check)).has_ended === false) {
      const after = await place()
      expect(Number(after - before)).toBeLessThanOrEqual(500)
      before = after
    }
    expect(before).toBe(520n)
    const ok = await ledger.db.query({
      text: 'select ok from ledger_checks where name = $1',
      values: [check],
    })
    expect(ok).toEqual([{ ok: true }])
  }
})

// The last test, because the books don't have what it writes.
test('a list of open holds reads none of those that have ended, and none of others', async () => {
  const other = await ledger.open()
  // As many as have ended: Postgres takes it that a share of the owner's are open, too, and if there were few
  // of others, it might as well read them all.
  await ledger.owner.query({
    text: `insert into holds (id, account_id, amount, currency, status, user_id, placed_by, created_at, expires_at)
      select uuidv7(), id, 5, currency, 'open', gen_random_uuid(), user_id, now(), now() + interval '1 day'
      from accounts, generate_series(1, ${HOLDS}) where id = $1`,
    values: [other],
  })
  await ledger.owner.query({ text: 'vacuum analyze holds' })
  const [owner] = await ledger.db.query<{ user_id: string }>({
    text: 'select user_id from accounts where id = $1',
    values: [hot],
  })
  for (const whose of [{ ownerId: owner!.user_id }, { accountId: hot }]) {
    db.plans()
    expect(await listHolds(db, { ...whose, status: 'open', limit: 51 })).toEqual([])
    expectBounded(51)
  }
})
