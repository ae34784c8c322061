import type { Transaction } from '../../host/database/database.ts'
import { formatAmount } from '../../host/values/money.ts'

/** What the checks of the books have found. Reading all books may take minutes, so a
 * request gets what each check found when it last came to its end. If an open stop says otherwise, the stop
 * counts. */

/** The checks, and the problems of a stop by which each is broken. They have these names everywhere: in the
 * database, in `microbank_ledger_violations`, in the API and in its documents. */
const checks = {
  /** The balances of each currency add up to zero. Every five minutes, like all but three. */
  sums: ['sum'],
  limits: ['limit'],
  holds: ['held'],
  /** Accounts are what their entries say, as far as anything has changed. */
  balances: ['row', 'balance', 'changed', 'transaction'],
  /** All entries of all accounts follow one from the other, from the first one. Every night. */
  chains: ['gap', 'time', 'hash'],
  /** The same of the entries of holds; and each hold has its entries. Every night, like all that follow but
   * `transactions`. */
  hold_chains: ['hold-chain'],
  hold_entries: ['hold'],
  /** Completed transactions have entries. */
  transactions: ['entries'],
  /** There are as many entries as all transactions have. */
  counts: [],
  /** A reversal and what it reverses name each other, and moved the same. */
  reversals: ['reversal'],
  /** Accounts are frozen, closed and overdrawn as far as their changes say. It stops nothing. */
  changes: [],
  /** What is counted for limits is what went out. It stops nothing. */
  outflows: [],
  /** What was sealed is what the books say. It stops nothing. */
  seals: [],
} as const satisfies Record<string, readonly string[]>

type Check = keyof typeof checks

interface Finding {
  /** Null before the first check. */
  ok: boolean | null
  checked_at: string | null
  figures: Record<string, unknown>
}

const findingSchema = {
  title: 'Finding',
  type: 'object',
  additionalProperties: false,
  required: ['ok', 'checked_at', 'figures'],
  properties: {
    ok: { type: ['boolean', 'null'], description: 'Null: not checked yet.' },
    checked_at: { type: ['string', 'null'], format: 'date-time' },
    figures: { type: 'object' },
  },
} as const

const names = Object.keys(checks) as Check[]

export const verificationSchema = {
  title: 'Verification',
  type: 'object',
  additionalProperties: false,
  required: ['ok', 'open_stops', ...names],
  properties: {
    ok: { type: ['boolean', 'null'] },
    open_stops: { type: 'integer' },
    ...(Object.fromEntries(names.map((name) => [name, findingSchema])) as Record<
      Check,
      typeof findingSchema
    >),
  },
} as const

const invariantSchema = {
  title: 'Invariant',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'name', 'ok', 'checked_at', 'count'],
  properties: {
    id: { enum: ['M', 'N', 'B'] },
    name: { type: 'string' },
    ok: findingSchema.properties.ok,
    checked_at: findingSchema.properties.checked_at,
    count: { type: 'integer', description: 'How many accounts, or entries, were checked.' },
  },
} as const

export const invariantsSchema = {
  title: 'Invariants',
  type: 'object',
  additionalProperties: false,
  required: ['open_stops', 'items'],
  properties: { open_stops: { type: 'integer' }, items: { type: 'array', items: invariantSchema } },
} as const

interface Findings {
  openStops: number
  of: Record<Check, Finding>
}

/** Returns what the checks have found. `ok` is false if one was not, null if one was never run. */
export async function readVerification(db: Transaction) {
  const { openStops, of } = await readFindings(db)
  return { ok: all(Object.values(of)), open_stops: openStops, ...of }
}

/** Returns the invariants of the ledger. */
export async function readInvariants(db: Transaction) {
  const { openStops, of } = await readFindings(db)
  const currencies = (of.sums.figures.currencies ?? []) as { accounts: number }[]
  const accounts = currencies.reduce((sum, currency) => sum + currency.accounts, 0)
  const { balances, chains, hold_chains, hold_entries, transactions, counts, reversals, seals } = of
  return {
    open_stops: openStops,
    items: [
      { id: 'M', name: 'The balances of a currency add up to zero', ...brief(of.sums), count: accounts },
      { id: 'N', name: 'No account is below its limit', ...brief(of.limits), count: accounts },
      {
        id: 'B',
        name: 'A balance is the sum of its entries, and the hash chains hold',
        // What the night's check says counts too, but it does not say when the books were last checked.
        ok:
          balances.ok &&
          all(
            [chains, hold_chains, hold_entries, transactions, counts, reversals, seals].filter(
              ({ ok }) => ok !== null,
            ),
          ),
        checked_at: balances.checked_at,
        count: Number(chains.figures.entries ?? balances.figures.entries ?? 0),
      },
    ],
  }
}

const brief = ({ ok, checked_at }: Finding) => ({ ok, checked_at })

const all = (findings: readonly Pick<Finding, 'ok'>[]): boolean | null =>
  findings.some(({ ok }) => ok === false) ? false : findings.some(({ ok }) => ok === null) ? null : true

async function readFindings(db: Transaction): Promise<Findings> {
  const rows = await db.query<{ name: string; ok: boolean; checked_at: Date; figures: Finding['figures'] }>({
    text: 'select name, ok, checked_at, figures from ledger_checks',
  })
  const [open] = await db.query<{ stops: bigint; problems: string[] }>({
    text: `select count(distinct s.id) as stops,
        coalesce(array_agg(distinct e ->> 'problem') filter (where e is not null), '{}') as problems
      from ledger_stops s left join lateral jsonb_array_elements(s.evidence) e on true
      where s.lifted_at is null`,
  })
  const found = new Map(rows.map((row) => [row.name, row]))
  const findings = names.map((name): [Check, Finding] => {
    const row = found.get(name)
    const isBroken = checks[name].some((problem) => open!.problems.includes(problem))
    return [
      name,
      {
        ok: isBroken ? false : (row?.ok ?? null),
        checked_at: row?.checked_at.toISOString() ?? null,
        figures: name === 'sums' ? withAmounts(row?.figures ?? {}) : (row?.figures ?? {}),
      },
    ]
  })
  return { openStops: Number(open!.stops), of: Object.fromEntries(findings) as Findings['of'] }
}

/** Writes the sums of currencies as amounts. */
function withAmounts({ currencies = [] }: { currencies?: unknown }) {
  const sums = currencies as { currency: string; accounts: number; sum: string; ok: boolean }[]
  return { currencies: sums.map((row) => ({ ...row, sum: formatAmount(BigInt(row.sum), row.currency) })) }
}
