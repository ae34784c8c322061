import type { Database } from '../../host/database/database.ts'
import { decodeCursor, invalidCursor } from '../../host/database/paging.ts'
import { isMoment } from '../values/moment.ts'
import { accountsByAmountText, walkByAmountText } from './by-amount.ts'
import type { TransactionRow, TransactionStatus } from './transaction.ts'
import { UUID } from '../../host/values/uuid-text.ts'

/** Filters of a list. `from` is inclusive, `to` is not: the next day begins where this one ends. */
export interface ListFilters {
  type: TransactionRow['type'] | undefined
  status: TransactionStatus | undefined
  from: Date | undefined
  to: Date | undefined
  currency: string | undefined
  /** Minor units, both inclusive. */
  amountMin: bigint | undefined
  amountMax: bigint | undefined
}

export interface PageWanted {
  cursor?: string | undefined
  limit: number
}

export interface ListPage {
  rows: TransactionRow[]
  /** Cursor of the next page; null at the end. */
  nextCursor: string | null
}

/** Rows that one page reads at most: entries of accounts, or transactions of the whole bank. If the filters
 * leave out more rows than this, the page ends early, perhaps empty, and its cursor continues. So a page
 * takes no longer as the books grow. */
export const LOOKED_AT_MAX = 2_000

/** The same if a user's list must be picked out of all transactions of the bank. */
export const WALKED_MAX = 10_000

/** Most accounts whose entries are merged by time for one page. For an owner with more accounts, the page is
 * picked out of the transactions of the whole bank. */
export const ACCOUNTS_MERGED_MAX = 100

export const transactionColumns = `t.id, t.type, t.status, t.account_id, t.to_account_id, t.amount, t.currency,
  t.description, t.metadata, t.balance_after, t.created_at, t.user_id, t.value_date::text, t.fee, t.hold_id, t.reverses,
  t.reversed_by, t.refusal`

// The lists' statements have no names, so Postgres plans each for the filters given.

const ofKind = `($1::transaction_type is null or t.type = $1) and ($2::transaction_status is null or t.status = $2)`
const inTime = `($3::timestamptz is null or t.created_at >= $3) and ($4::timestamptz is null or t.created_at < $4)`

// Transactions that touch the user's accounts. A transaction that was not posted counts only if its account
// is the user's, because an order may name an account that is not theirs.
export const ofUser = (user: string): string => `(t.user_id = ${user} or t.to_user_id = ${user}) and (
  t.balance_after is not null
  or (select a.user_id = ${user} from accounts a where a.id = t.account_id)
)`

const lastBefore = (moment: string): string =>
  `version_at(account, ${moment}::timestamptz - interval '1 microsecond')`

const narrowed = `where kind = 'customer' and ($9::uuid is null or id = $9) and ($10::uuid is null or user_id = $10)`

// The part of each account's entries to read: versions after `oldest`, up to `newest`. A page reads only
// those after `lowest`. Materialized, because finding these versions is a search.
const bounds = `
  select (account).id, (account).user_id, (account).currency,
    case when $2::transaction_status in ('pending', 'rejected') then 0 else least(
      case when $4::timestamptz is not null then ${lastBefore('$4')} end,
      case
        when $5::timestamptz is null then (account).version
        when (account).id = $6::uuid and $7::bigint > 0 then $7 - 1
        when (account).id < $6::uuid then version_at(account, $5::timestamptz)
        else ${lastBefore('$5')}
      end
    ) end as newest,
    case when $3::timestamptz is null then 0 else ${lastBefore('$3')} end as oldest
  from own where (select count(*) from own) <= ${ACCOUNTS_MERGED_MAX}`

// A fee is an entry of its own, the second of the account for the same transaction.
export const isNoFee = `(t.fee is null or t.account_id <> e.account_id or t.balance_after <> e.balance_after)`

const posted = `
  select ${transactionColumns}, e.account_id as holder_id, e.version
  from entries e join transactions t on t.id = e.transaction_id
  where e.account_id = mine.id and e.version > mine.lowest and e.version <= mine.newest and ${ofKind}
    -- A transfer between two accounts of one user appears once, with the account that paid.
    and ($9 is not null or t.account_id = e.account_id or t.user_id <> t.to_user_id)
    and ${isNoFee}
  order by e.version desc limit $11`

// Separately for each status and type: then the index returns each in order, and no more than a page.
const unposted = `
  select ${transactionColumns}, t.account_id as holder_id, 0::bigint as version
  from unnest(enum_range(null::transaction_type)) wanted (type)
  cross join (values ('pending'::transaction_status), ('rejected')) in_state (status)
  cross join lateral (
    select * from transactions t
    where t.account_id = mine.id and t.user_id = mine.user_id and t.status in ('pending', 'rejected')
      and t.status = in_state.status and t.type = wanted.type and ${inTime}
      and ($5 is null or t.created_at <= $5 and (t.created_at, t.account_id, 0, t.id) < ($5, $6, $7, $8::uuid))
    order by t.created_at desc, t.id desc limit $11
  ) t
  where ($1::transaction_type is null or wanted.type = $1)
    and ($2::transaction_status is null or in_state.status = $2)`

const own = `select a as account from accounts a ${narrowed} limit ${ACCOUNTS_MERGED_MAX + 1}`

const readAccounts = `
  with own as materialized (${own}),
  bounds as materialized (${bounds}),
  mine as (
    -- The more accounts, the fewer entries of each; but at least a page of each, so that only filters can
    -- make a page short.
    select *, greatest(oldest, newest - greatest($11, ${LOOKED_AT_MAX} / count(*) over ())) as lowest from bounds
  ),
  found as (
    select posted.* from mine cross join lateral (${posted}) posted
    union all
    select unposted.* from mine cross join lateral (${unposted}) unposted
  ),
  -- The newest place where reading an account stopped although it has more entries.
  reached as (
    select e.created_at, e.account_id, e.version, e.transaction_id
    from mine join entries e on e.account_id = mine.id and e.version = mine.lowest + 1
    where mine.lowest > mine.oldest
    order by e.created_at desc, e.account_id desc limit 1
  )`

const pageOfFound = `
  select t.*, r.created_at as reached_at, r.account_id as reached_holder_id, r.version as reached_version,
    r.transaction_id as reached_id, always.is_too_many
  from (select count(*) > ${ACCOUNTS_MERGED_MAX} as is_too_many from own) always
  left join reached r on true
  left join found t on r.version is null
    or (t.created_at, t.holder_id, t.version, t.id) >= (r.created_at, r.account_id, r.version, r.transaction_id)
  order by t.created_at desc, t.holder_id desc, t.version desc, t.id desc
  limit $11`

const listOfAccountsText = readAccounts + pageOfFound
const listByAmountText =
  accountsByAmountText({
    columns: transactionColumns,
    ofKind,
    inTime,
    isNoFee,
    own,
    bounds,
    rowsMax: LOOKED_AT_MAX,
  }) + pageOfFound

type FoundRow = TransactionRow & { holder_id: string; version: bigint }
type AlwaysRow = { is_too_many: boolean }
type ReachedRow = { reached_at: Date; reached_holder_id: string; reached_version: bigint; reached_id: string }

/** Lists transactions that touch one account, or all accounts of one user; one of the two must be given.
 * Newest first, by the time of posting; orders that are not posted, by the time they were requested. Throws a
 * ProblemError (400) for a cursor that is not ours.
 *
 * An account's transactions come in the order of its entries, by the primary key. In the list of several
 * accounts, a transaction's place is its time, then its account, then its version there (0 if it is not
 * posted, so has no entry). The transactions of a user with more than 100 accounts come by the time they were
 * requested; see listOfAll(). */
export async function listOfAccounts(
  db: Database,
  { accountId, userId }: { accountId: string | undefined; userId: string | undefined },
  filters: ListFilters,
  { cursor, limit }: PageWanted,
): Promise<ListPage> {
  const walkedTo = cursor === undefined ? undefined : readWalkedTo(cursor)
  if (walkedTo !== undefined && userId) {
    // Others must not walk over the transactions of the whole bank.
    if (!(await hasTooMany(db, userId))) throw invalidCursor()
    return walk(db, filters, { userId, before: walkedTo, limit })
  }
  const { type, status, from, to } = filters
  const amounts = readAmounts(filters)
  const place = cursor === undefined ? [] : readPlace(cursor)
  const [createdAt, holderId, version, id] = place
  const found = await db.query<(FoundRow | { id: null }) & (ReachedRow | { reached_at: null }) & AlwaysRow>({
    text: amounts ? listByAmountText : listOfAccountsText,
    values: [
      ...[type, status, from, to, createdAt, holderId, version, id, accountId, userId, limit + 1],
      ...(amounts ?? []),
    ],
  })
  if (found[0]?.is_too_many) {
    if (cursor !== undefined) throw invalidCursor()
    return walk(db, filters, { userId, before: undefined, limit })
  }
  const rows = found.filter((row): row is Extract<typeof row, FoundRow> => row.id !== null)
  const [last, first] = [rows[limit - 1], found[0]]
  if (rows.length > limit && last)
    return {
      rows: rows.slice(0, limit),
      nextCursor: encode([last.created_at.toISOString(), last.holder_id, String(last.version), last.id]),
    }
  const nextCursor = first?.reached_at
    ? encode([
        first.reached_at.toISOString(),
        first.reached_holder_id,
        String(first.reached_version),
        first.reached_id,
      ])
    : null
  return { rows, nextCursor }
}

/** Says whether a user has so many accounts that their transactions are picked out of all. */
async function hasTooMany(db: Database, userId: string): Promise<boolean> {
  const [row] = await db.query<{ is_too_many: boolean }>({
    text: `select count(*) > ${ACCOUNTS_MERGED_MAX} as is_too_many from (
        select from accounts where kind = 'customer' and user_id = $1 limit ${ACCOUNTS_MERGED_MAX + 1}
      ) own`,
    values: [userId],
  })
  return row!.is_too_many
}

/** Lists transactions of the whole bank, newest first. Their ids give the order in which they were
 * requested. */
export async function listOfAll(
  db: Database,
  filters: ListFilters,
  { cursor, limit }: PageWanted,
): Promise<ListPage> {
  return walk(db, filters, { userId: undefined, before: decodeCursor(cursor), limit })
}

const walkText = (walked: number): string => `
  with reached as (
    select id from transactions
    where ($5::uuid is null or id < $5)
      and num_nonnulls($1::transaction_type, $2::transaction_status, $3::timestamptz, $4::timestamptz, $7::uuid) > 0
    order by id desc offset ${walked - 1} limit 1
  )
  select t.*, r.id as reached_id
  from (select) always
  left join reached r on true
  left join (
    select ${transactionColumns}
    from (
      select * from transactions where $5 is null or id < $5 order by id desc limit ${walked}
    ) t
    where ${ofKind} and ${inTime} and ($7 is null or ${ofUser('$7')})
    order by t.id desc limit $6
  ) t on true`

/** Reads one page, before an id, of all the bank's transactions or of those that touch a user's accounts. */
async function walk(
  db: Database,
  filters: ListFilters,
  { userId, before, limit }: { userId: string | undefined; before: string | undefined; limit: number },
): Promise<ListPage> {
  const { type, status, from, to } = filters
  const amounts = readAmounts(filters)
  const walked = userId ? WALKED_MAX : LOOKED_AT_MAX
  const parts = { columns: transactionColumns, ofKind, inTime }
  const found = await db.query<(TransactionRow | { id: null }) & { reached_id: string | null }>({
    text: amounts ? walkByAmountText(parts, { ofUser: ofUser('$7'), rowsMax: walked }) : walkText(walked),
    values: [type, status, from, to, before, limit + 1, userId, ...(amounts ?? [])],
  })
  const rows = found.filter((row): row is TransactionRow & { reached_id: string | null } => row.id !== null)
  const goesOnAfter = rows.length > limit ? rows[limit - 1]!.id : found[0]?.reached_id
  return {
    rows: rows.slice(0, limit),
    nextCursor: goesOnAfter ? encode(userId ? [WALKED_TO, goesOnAfter] : [goesOnAfter]) : null,
  }
}

const AMOUNT_HIGHEST = 2n ** 63n - 1n

/** The lowest and the highest amount, and the currency; undefined if the filters name none of them. */
const readAmounts = ({ amountMin, amountMax, currency }: ListFilters) =>
  amountMin === undefined && amountMax === undefined && currency === undefined
    ? undefined
    : ([amountMin ?? 0n, amountMax ?? AMOUNT_HIGHEST, currency] as const)

type Place = [createdAt: string, holderId: string, version: string, id: string]

const WALKED_TO = 'before'
const WALKED = new RegExp(`^${WALKED_TO} (${UUID})$`)
const PLACE = new RegExp(`^(\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{3}Z) (${UUID}) (\\d{1,18}) (${UUID})$`)

export const encode = (parts: readonly string[]): string => Buffer.from(parts.join(' ')).toString('base64url')
export const decode = (cursor: string): string => Buffer.from(cursor, 'base64url').toString()

const readWalkedTo = (cursor: string): string | undefined => WALKED.exec(decode(cursor))?.[1]

function readPlace(cursor: string): Place {
  const match = PLACE.exec(decode(cursor))
  if (!match || !isMoment(match[1]!)) throw invalidCursor()
  return match.slice(1) as Place
}
