/** Statements of the lists that are filtered by amount or currency. Amounts are in the indexes by which lists
 * read, so a page looks at many more of them than at rows: those that don't match are never read.
 *
 * An index by amount would find a rare amount sooner, but every transfer would pay for it; ARCHITECTURE.md
 * has the figures. */

/** Amounts that one page looks at most. */
export const AMOUNTS_LOOKED_AT_MAX = 50_000

interface ListParts {
  columns: string
  /** Conditions that all lists share. */
  ofKind: string
  inTime: string
}

interface AccountListParts extends ListParts {
  /** The account rows, as the CTE `own`; and the part of their entries to read, as the CTE `bounds`. */
  own: string
  bounds: string
  /** Says of an entry that it is not the fee of its transaction. */
  isNoFee: string
  /** Rows that one page reads at most. */
  rowsMax: number
}

/** Lists the transactions of accounts. It has the parameters and the columns of the list without amounts, and
 * as further parameters $12 and $13, the lowest and the highest amount, and $14, the currency. */
export const accountsByAmountText = ({
  columns,
  ofKind,
  inTime,
  own,
  bounds,
  isNoFee,
  rowsMax,
}: AccountListParts) => `
  with own as materialized (${own}),
  bounds as materialized (${bounds}),
  windows as materialized (
    select *, greatest(oldest, newest - ${AMOUNTS_LOOKED_AT_MAX} / count(*) over ()) as beginning,
      greatest($11, ${rowsMax} / count(*) over ()) as matches_max
    from bounds where $14::text is null or currency = $14
  ),
  matches as materialized (
    select w.id, m.version, row_number() over (partition by w.id order by m.version desc) = w.matches_max as is_last
    from windows w cross join lateral (
      select version from entries e
      where e.account_id = w.id and e.version > w.beginning and e.version <= w.newest
        and (e.amount between $12 and $13 or e.amount between -$13::bigint and -$12::bigint)
      order by e.version desc limit w.matches_max
    ) m
  ),
  mine as materialized (
    select w.*, coalesce(m.version - 1, beginning) as lowest
    from windows w left join matches m on m.id = w.id and m.is_last
  ),
  unposted as materialized (
    select t.* from bounds
    cross join unnest(enum_range(null::transaction_type)) wanted (type)
    cross join (values ('pending'::transaction_status), ('rejected')) in_state (status)
    cross join lateral (
      select *, row_number() over () = $11 as is_last from (
        select * from transactions t
        where t.account_id = bounds.id and t.user_id = bounds.user_id and t.status in ('pending', 'rejected')
          and t.status = in_state.status and t.type = wanted.type and ${inTime}
          and ($5 is null or t.created_at <= $5 and (t.created_at, t.account_id, 0, t.id) < ($5, $6, $7, $8::uuid))
        order by t.created_at desc, t.id desc limit $11
      ) _
    ) t
    where ($1::transaction_type is null or wanted.type = $1)
      and ($2::transaction_status is null or in_state.status = $2)
  ),
  found as (
    select posted.* from mine cross join lateral (
      select ${columns}, m.id as holder_id, m.version
      from (select * from matches where matches.id = mine.id order by version desc) m
      cross join lateral (select * from entries where account_id = m.id and version = m.version offset 0) e
      cross join lateral (select * from transactions where id = e.transaction_id offset 0) t
      where ${ofKind} and ${isNoFee}
        and ($9 is not null or t.account_id = e.account_id or t.user_id <> t.to_user_id)
      order by m.version desc limit $11
    ) posted
    union all
    select ${columns}, t.account_id, 0 from unposted t
    where t.amount between $12 and $13 and ($14 is null or t.currency = $14)
  ),
  -- The newest place where reading an account stopped although it may have more.
  reached as (
    select * from (
      select e.created_at, e.account_id, e.version, e.transaction_id
      from mine join entries e on e.account_id = mine.id and e.version = mine.lowest + 1
      where mine.lowest > mine.oldest
      union all
      select created_at, account_id, 0, id from unposted where is_last
    ) _
    order by created_at desc, account_id desc, version desc, transaction_id desc limit 1
  )`

/** Lists transactions of the whole bank, or of one user, like the list without amounts, with the further
 * parameters $8 and $9, the lowest and the highest amount, and $10, the currency. */
export const walkByAmountText = (
  { columns, ofKind, inTime }: ListParts,
  { ofUser, rowsMax }: { ofUser: string; rowsMax: number },
) => `
  with looked_at as materialized (
    select id, amount from transactions where $5::uuid is null or id < $5
    order by id desc limit ${AMOUNTS_LOOKED_AT_MAX}
  ),
  matches as materialized (
    select id from looked_at where amount between $8 and $9 order by id desc limit ${rowsMax}
  ),
  reached as (
    select case
      when (select count(*) from matches) = ${rowsMax} then (select min(id::text) from matches)
      when (select count(*) from looked_at) = ${AMOUNTS_LOOKED_AT_MAX} then (select min(id::text) from looked_at)
    end as id
  )
  select t.*, r.id::uuid as reached_id
  from reached r
  left join (
    select ${columns}
    from matches cross join lateral (select * from transactions where id = matches.id offset 0) t
    where ${ofKind} and ${inTime} and ($7::uuid is null or ${ofUser}) and ($10::text is null or t.currency = $10)
    order by t.id desc limit $6
  ) t on true`
