import type { Database } from '../../host/database/database.ts'
import {
  dayOf,
  type AccountStatement,
  type StatementEntry,
  type StatementPages,
} from './account-statement.ts'
import { knownVersionOf, type Bounds, type MadeStatement } from './bounds.ts'
import type { StatementPeriod } from './period.ts'
import {
  addSums,
  entriesIn,
  findEntry,
  findSeal,
  PAGE_ENTRIES,
  readEntries,
  smaller,
  sumColumns,
  sumEntries,
  toStatementEntry,
  type StatementRow,
  type SumRow,
} from './read-entries.ts'

/** Entries that count from another day than that of their booking. */
interface ValuedRange {
  accountId: string
  /** YYYY-MM-DD; the first day, and the one after the last. Null: without that end. */
  from: string | null
  to: string | null
  known: bigint
}

/** Entries without a value date count from the day they were booked. */
const COUNTS_WHEN_BOOKED = 'e.value_date is null'

/** Makes a statement by value date: of the entries that count from a day of the period, as far as they were
 * known when the account had a number of entries. In the order of those days, and of booking within a day. */
export async function ofValues(
  db: Database,
  bounds: Bounds,
  period: StatementPeriod,
): Promise<MadeStatement> {
  const { from, to } = period
  const known = knownVersionOf(bounds, period)
  const booked = {
    accountId: bounds.id,
    after: smaller(bounds.before_from ?? 0n, known),
    upTo: smaller(bounds.before_to ?? known, known),
  }
  const valued = { accountId: bounds.id, from: from && dayOf(from), to: to && dayOf(to), known }
  const last = await findEntry(db, bounds.id, known)
  const opening = from ? await balanceBefore(db, bounds.id, from, known) : 0n
  const statement: AccountStatement = {
    account: bounds,
    basis: 'value',
    ...{ from, to },
    ...{ fromVersion: null, toVersion: null, knownVersion: known },
    opening,
    closing: to ? await balanceBefore(db, bounds.id, to, known) : (last?.balance_after ?? 0n),
    ...addSums(await sumEntries(db, booked, COUNTS_WHEN_BOOKED), await sumValued(db, valued)),
    asOf: last?.created_at ?? bounds.created_at,
    seal: await findSeal(db, bounds.id, known),
  }
  const pages = byValueDate(opening, readEntries(db, booked, COUNTS_WHEN_BOOKED), readValued(db, valued))
  return { statement, pages }
}

async function balanceBefore(db: Database, accountId: string, day: Date, known: bigint): Promise<bigint> {
  const [row] = await db.query<{ balance: bigint }>({
    name: 'balance-by-value',
    text: `select balance_by_value(a, $2::date - 1, $3) as balance from accounts a where a.id = $1`,
    values: [accountId, dayOf(day), known],
  })
  return row!.balance
}

const VALUED = `e.account_id = $1 and e.value_date is not null and e.version <= $2
  and ($3::date is null or e.value_date >= $3) and ($4::date is null or e.value_date < $4)`

async function sumValued(db: Database, { accountId, from, to, known }: ValuedRange): Promise<SumRow> {
  const [row] = await db.query<SumRow>({
    text: `select ${sumColumns} from entries e where ${VALUED}`,
    values: [accountId, known, from, to],
  })
  return row!
}

/** Reads entries with a value date, in its order. */
async function* readValued(db: Database, { accountId, from, to, known }: ValuedRange): StatementPages {
  for (let place: { day: string | null; version: bigint } | undefined = { day: from, version: -1n }; place;) {
    const { day, version }: { day: string | null; version: bigint } = place
    const rows: StatementRow[] = await db.query<StatementRow>({
      text: `${entriesIn(`${VALUED} and ($3::date is null or (e.value_date, e.version) > ($3, $5::bigint))`)}
        order by e.value_date, e.version limit ${PAGE_ENTRIES}`,
      values: [accountId, known, day, to, version],
    })
    yield rows.map((row) => toStatementEntry(row, accountId))
    const last = rows[PAGE_ENTRIES - 1]
    place = last && { day: last.value_date, version: last.version }
  }
}

/** Merges entries that are each in the order of their days, and computes the balance after each. */
async function* byValueDate(opening: bigint, ...sources: [StatementPages, StatementPages]): StatementPages {
  const [booked, valued] = sources.map(entriesOf) as [Entries, Entries]
  try {
    let [a, b] = [await booked.next(), await valued.next()]
    let balance = opening
    let page: StatementEntry[] = []
    while (!a.done || !b.done) {
      const isBooked = b.done || (!a.done && comesBefore(a.value, b.value))
      const entry = (isBooked ? a : b).value as StatementEntry
      if (isBooked) a = await booked.next()
      else b = await valued.next()
      balance += entry.amount
      page.push({ ...entry, balanceAfter: balance })
      if (page.length < PAGE_ENTRIES) continue
      yield page
      page = []
    }
    if (page.length > 0) yield page
  } finally {
    await Promise.all([booked.return(undefined), valued.return(undefined)])
  }
}

type Entries = AsyncGenerator<StatementEntry, undefined>

async function* entriesOf(pages: StatementPages): Entries {
  for await (const page of pages) yield* page
  return undefined
}

const comesBefore = (a: StatementEntry, b: StatementEntry): boolean =>
  a.valueDate === b.valueDate ? a.version < b.version : a.valueDate < b.valueDate
