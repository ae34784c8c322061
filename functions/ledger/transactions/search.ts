import type { Database } from '../../host/database/database.ts'
import { invalidCursor } from '../../host/database/paging.ts'
import { TEXT } from '../../host/schema.ts'
import { invalidQuery, isMoment } from '../values/moment.ts'
import { type TransactionRow } from './transaction.ts'
import {
  encode,
  decode,
  LOOKED_AT_MAX,
  ofUser,
  transactionColumns,
  WALKED_MAX,
  type ListFilters,
  type ListPage,
  type PageWanted,
} from './transaction-lists.ts'
import { UNSEEN } from '../../host/values/unseen.ts'
import { UUID } from '../../host/values/uuid-text.ts'

/** Query parameters of a search; either may be given alone. functions/ledger/sql/0025-search.sql says what a
 * word is. `metadata` is the name of a field and its value, joined by a colon. */
export const searchQuery = {
  query: { type: 'string', minLength: 1, maxLength: 200, pattern: TEXT },
  metadata: {
    type: 'string',
    minLength: 1,
    maxLength: 601,
    pattern: TEXT,
    'x-contract': { pattern: `^[^:${UNSEEN}]*:[^${UNSEEN}]*$` },
  },
} as const

export interface SearchText {
  query?: string | undefined
  metadata?: string | undefined
}

/** What to search: the transactions of one account, or of all accounts of its owner; without an owner, those
 * of the whole bank. An account is always given together with its owner. */
export interface SearchScope {
  accountId: string | undefined
  userId: string | undefined
}

/** Blocks that one page looks into at most. Each has up to 64 transactions. */
export const BLOCKS_OPENED_MAX = 30

/** The scope of operators, who find all transactions. */
const BANK = '00000000-0000-0000-0000-000000000000'

interface SearchPlan {
  words: string[] | null
  prefix: string | null
  terms: number[]
}

const block = (name: string): string => `(${name}.newest_at, ${name}.newest_id)`

const matching = `($8::transaction_type is null or t.type = $8) and ($9::transaction_status is null or t.status = $9)
  and ($10::uuid is null or t.account_id = $10 or t.to_account_id = $10 and t.balance_after is not null)
  and ($7::uuid is null or ${ofUser('$7')})
  and ($11::bigint is null or t.amount >= $11) and ($12::bigint is null or t.amount <= $12)
  and ($13::text is null or t.currency = $13)
  and has_text(t.description, t.metadata, $14, $15, $6)`

/** Lists the newest transactions that match, of some whose ids are given in the order of \`order\`. */
const matchesOf = (ids: string, order: string): string => `
  select t.*
  from (${ids}) place
  cross join lateral (select * from transactions where id = place.transaction_id offset 0) t
  left join reached r on true
  where (t.created_at, t.id) < ($2::timestamptz, $3::uuid) and t.created_at >= $4::timestamptz
    and (r.at is null or (t.created_at, t.id) >= (r.at, r.id))
    and ${matching}
  order by ${order} limit $16`

// The statement has no name, so Postgres plans it for the filters given. Places are before ($2, $3), and not
// before $4.
const pageText = `
  with blocks as materialized (
    select * from newest_blocks($1, $2, $3, $4, $5, ${LOOKED_AT_MAX})
  ),
  opened as materialized (
    select * from blocks where may_match order by newest_at desc, newest_id desc limit ${BLOCKS_OPENED_MAX}
  ),
  noted as materialized (
    select created_at, transaction_id, row_number() over () = $17 as is_last,
      $7::uuid is null or $7::uuid in (user_id, to_user_id) as is_own
    from newest_noted($2, $3, $4, $17)
  ),
  -- The newest place where reading stopped although there may be more.
  reached as (
    select * from (
      (
        select oldest_at as at, oldest_id as id from opened
        where (select count(*) from opened) = ${BLOCKS_OPENED_MAX} order by newest_at, newest_id limit 1
      )
      union all
      (
        select oldest_at, oldest_id from blocks
        where (select count(*) from blocks) >= ${LOOKED_AT_MAX} order by newest_at, newest_id limit 1
      )
      union all
      select created_at, transaction_id from noted where is_last
    ) _
    order by at desc, id desc limit 1
  )
  select found.*, r.at as reached_at, r.id as reached_id
  from (select) always
  left join reached r on true
  left join (
    select ${transactionColumns} from (
      (${matchesOf(
        `select i.transaction_id, o.newest_at, o.newest_id, i.n from (
           select * from opened order by newest_at desc, newest_id desc
         ) o
         cross join lateral (
           select ids from search_blocks b where scope = $1 and ${block('b')} = ${block('o')} offset 0
         ) b
         cross join lateral (
           select * from unnest(b.ids) with ordinality i (transaction_id, n) order by n desc
         ) i`,
        'place.newest_at desc, place.newest_id desc, place.n desc',
      )})
      union all
      (${matchesOf('select created_at, transaction_id from noted where is_own', 'place.created_at desc, place.transaction_id desc')})
    ) t
    order by t.created_at desc, t.id desc limit $16
  ) found on true`

type SearchRow = (TransactionRow | { id: null }) & { reached_at: Date | null; reached_id: string | null }

/** Finds transactions by text: those whose description has all the words of `query`, and whose metadata has
 * the field. Newest first, by the time of posting. A page reads no more rows than a page of a list, however
 * common the words are.
 *
 * Throws a ProblemError (400) if the query has no letters or digits, if `metadata` has no colon, or for a
 * cursor that is not ours. */
export async function searchTransactions(
  db: Database,
  { accountId, userId }: SearchScope,
  text: SearchText,
  filters: ListFilters,
  { cursor, limit }: PageWanted,
): Promise<ListPage> {
  const before = cursor === undefined ? undefined : readPlace(cursor)
  const { words, prefix, terms } = await planSearch(db, text)
  const { type, status, from, amountMin, amountMax, currency } = filters
  const rows = await db.query<SearchRow>({
    text: pageText,
    values: [
      ...[userId ?? BANK, ...endOf(filters, before), from ?? '-infinity', terms, text.metadata, userId],
      ...[type, status, accountId, amountMin, amountMax, currency, words, prefix, limit + 1],
      userId ? WALKED_MAX : LOOKED_AT_MAX,
    ],
  })
  const items = rows.filter((row): row is SearchRow & TransactionRow => row.id !== null)
  const last = items.length > limit ? items[limit - 1]! : undefined
  const [first] = rows
  const goesOnAfter = last
    ? [last.created_at.toISOString(), last.id]
    : first?.reached_at && [first.reached_at.toISOString(), first.reached_id!]
  return { rows: items.slice(0, limit), nextCursor: goesOnAfter ? encode(goesOnAfter) : null }
}

async function planSearch(db: Database, { query, metadata }: SearchText): Promise<SearchPlan> {
  if (metadata !== undefined && !metadata.includes(':'))
    throw invalidQuery('/metadata', 'must be the name of a field and its value, like "order:A-17"')
  const [plan] = await db.query<SearchPlan>({
    name: 'plan-search',
    text: 'select * from plan_search($1, $2)',
    values: [query, metadata],
  })
  if (plan!.words?.length === 0 && plan!.prefix === null) throw invalidWords()
  return plan!
}

type TextPlace = readonly [at: string, id: string]

/** The place that all places on the page come before. */
function endOf({ to }: ListFilters, before: TextPlace | undefined): TextPlace {
  const end: TextPlace = [to?.toISOString() ?? 'infinity', BANK]
  return before && (!to || new Date(before[0]) < to) ? before : end
}

/** The refusal (400) of a query that asks for no word. */
export const invalidWords = () => invalidQuery('/query', 'must have at least one letter or digit')

const PLACE = new RegExp(`^(\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{3}Z) (${UUID})$`)

function readPlace(cursor: string): TextPlace {
  const match = PLACE.exec(decode(cursor))
  if (!match || !isMoment(match[1]!)) throw invalidCursor()
  return [match[1]!, match[2]!]
}
