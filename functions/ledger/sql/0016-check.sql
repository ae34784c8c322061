-- The guard: checks of the books that go on while the bank works, off the way of postings. They share nothing
-- with settle(), not even the function for the hash, so that a fault of the one does not hide in the other.
-- Each reads one snapshot, and posting writes all that belongs together in one commit: a check never takes a
-- posting that is under way for a fault.

-- Up to which entry an account was found right. Entries after it are not checked yet.
create table checked (
  account_id uuid primary key,
  version bigint not null,
  balance bigint not null,
  hash bytea not null
)
with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

-- What the last complete run of each check found: for operators.
create table ledger_checks (
  name text primary key,
  ok boolean not null,
  checked_at timestamptz not null,
  figures jsonb not null
);

-- Checks that go on in steps: how far each has come, so that any process can do the next step.
create table check_walks (
  name text primary key,
  started_at timestamptz not null default clock_timestamp(),
  -- Everything up to this id was looked at; and of rows that are numbered within it, those up to this number.
  place uuid not null default '00000000-0000-0000-0000-000000000000',
  place_version bigint not null default 0,
  -- Of the account after that, the entries up to here; null if none was looked at.
  partly checked,
  accounts bigint not null default 0,
  entries bigint not null default 0,
  faults bigint not null default 0,
  -- Up to which moment entries and transactions are counted, and how many there are of each currency.
  counted_until timestamptz,
  open_until xid8,
  counts jsonb not null default '{}'
);
insert into check_walks (name) values
  ('balances'), ('transactions'), ('chains'), ('hold_chains'), ('hold_entries'), ('changes'),
  ('outflows'), ('seals'), ('counts'), ('all_transactions');

-- What a step has done. If it was the last of its check, the check begins again at the next call. `has_ended`
-- is null if another process is at the step; then nothing was done.
create type check_step as (has_ended boolean, stops ledger_stops[]);

-- Stores what a check has found, and lets it begin again at `place`.
create function end_walk(walk text, is_ok boolean, figures jsonb, place uuid) returns void
language sql
begin atomic
  insert into ledger_checks (name, ok, checked_at, figures)
  values (walk, is_ok, date_trunc('milliseconds', clock_timestamp()), figures)
  on conflict (name) do update
    set ok = excluded.ok, checked_at = excluded.checked_at, figures = excluded.figures;
  update check_walks w
  set started_at = clock_timestamp(), place = end_walk.place, place_version = 0, partly = null, accounts = 0,
    entries = 0, faults = 0, counted_until = null, open_until = null, counts = '{}'
  where w.name = walk;
end;

create type examination as (
  account_id uuid,
  currency text,
  -- Null if all is right.
  problem text,
  fault jsonb,
  -- The last entry that was read, if there is one.
  version bigint,
  balance bigint,
  hash bytea,
  entry_count bigint,
  -- Of these, the entries up to the moment that was asked for.
  counted bigint,
  -- False if there are more entries than were asked for.
  is_complete boolean
);

-- Returns by how much an account's held amount is not that of its open holds. It stays the same when holds of
-- the account end: so a fault that is known is not another one after that.
create function held_excess(account accounts) returns numeric
language sql stable
return (account).held - (
  select coalesce(sum(h.amount), 0) from holds h where h.account_id = (account).id and h.status = 'open'
);

-- Examines accounts, each from an entry that is known to be right, at most `entries_max` entries of each. The
-- entries must follow one from the other, agree with their transactions, and end in the account's row. Its
-- limit must be kept, and its held amount must be that of its open holds. The problem is the first of:
-- - 'gap': a version is missing
-- - 'changed': the entry that was known to be right is now another
-- - 'balance', 'time', 'hash': the entry does not follow from the one before
-- - 'transaction': it is not what its transaction says
-- - 'row': the account's row is not what its last entry says
-- - 'held', 'limit': of the account's row
create function examine_accounts(starts checked[], entries_max bigint, counted_until timestamptz default null)
returns setof examination
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = off
begin atomic
  with following as materialized (
    select a.id as account_id, a.currency, a.account_type, f.version, f.transaction_id, f.amount, f.balance_after,
      f.created_at, f.value_date, f.version > s.version as is_new,
      case
        when f.version <> coalesce(f.version_before + 1, greatest(s.version, 1)) then 'gap'
        when f.version = s.version and (f.hash <> s.hash or f.balance_after <> s.balance) then 'changed'
        -- No sound amount is near the end of a bigint, so what follows can't overflow. (A check that raises
        -- an error finds nothing.)
        when not (
          f.amount between -4000000000000000000 and 4000000000000000000
          and f.balance_before between -4000000000000000000 and 4000000000000000000
        ) then 'balance'
        when f.version = s.version then null
        when f.balance_after <> f.balance_before + f.amount then 'balance'
        when f.created_at < f.time_before then 'time'
        when f.hash <> sha256(
          f.hash_before || uuid_send(a.id) || int8send(f.version) || uuid_send(f.transaction_id)
          || int8send(f.amount) || int8send(f.balance_after) || timestamptz_send(f.created_at)
          || coalesce(date_send(f.value_date), '')
        ) then 'hash'
      end as problem,
      f.version = a.version and (
        f.balance_after <> a.balance or f.hash <> a.last_hash
        -- Holds move it on too.
        or f.created_at > a.posted_at
      ) as is_not_row
    from unnest(starts) s
    -- Plans may be made while the tables are still empty, and kept. `offset 0` makes Postgres look up one row
    -- after the other, by the index, whatever it expects.
    cross join lateral (select * from accounts where id = s.account_id offset 0) a
    cross join lateral (
      select version, transaction_id, amount, balance_after, created_at, value_date, hash,
        lag(version) over w as version_before,
        lag(hash, 1, decode(repeat('00', 32), 'hex')) over w as hash_before,
        lag(balance_after, 1, 0::bigint) over w as balance_before,
        lag(created_at) over w as time_before
      from (
        select * from entries
        where entries.account_id = s.account_id and entries.version >= s.version
        order by entries.version
        -- One more for the entry that is known, and one to see whether there are others.
        limit entries_max + 1
      ) e
      window w as (order by version)
    ) f
  ),
  chains as materialized (
    select account_id, count(*) as row_count, max(version) as last_version,
      count(*) filter (where is_new and created_at <= counted_until) as counted,
      min(version) filter (where problem is not null) as bad_version,
      -- The problem of the first bad entry; the number before it is for the order.
      substr(min(case when problem is not null then to_char(version, 'FM0000000000000000000') || problem end), 20)
        as problem
    from (
      select f.account_id, f.version, f.created_at, f.is_new,
        case
          when f.problem is not null then f.problem
          when f.is_new and (
            t.balance_after is not null and t.currency = f.currency and t.created_at = f.created_at
            and t.value_date is not distinct from f.value_date
            and (
              f.account_id in (t.account_id, t.to_account_id) or f.account_type = 'cash' and t.to_account_id is null
              or f.account_type = 'fees' and t.fee is not null
            )
            and (
              case
                when f.account_id = t.to_account_id and t.type <> 'deposit' then
                  (f.amount = t.amount or t.type = 'reversal' and f.amount = -t.amount)
                  and (f.account_type = 'clearing' or f.balance_after = t.to_balance_after)
                when f.account_id = t.account_id or f.account_type in ('cash', 'clearing') then
                  case
                    when t.type = 'reversal' then abs(f.amount) = t.amount
                    when (t.type = 'deposit') = (f.account_id = t.account_id) then f.amount = t.amount
                    else f.amount = -t.amount
                  end
                  -- A fee is two more entries; balance_after may then be that of either.
                  and (f.account_id <> t.account_id or t.fee is not null or f.balance_after = t.balance_after)
              end
              or t.fee = case
                when f.account_id = t.account_id then -f.amount
                when f.account_type = 'fees' then f.amount
              end
            )
          ) is not true then 'transaction'
          when f.is_not_row then 'row'
        end as problem
      from following f
      -- All at once, because ids that follow one another stand on the same pages: each transaction is read
      -- once for its entries, and few pages of the index more than once. A look-up for each entry cost half
      -- as much again. (Without nested loops, the two can only be joined by hashing or sorting.)
      left join (
        select id, type, account_id, to_account_id, amount, currency, balance_after, to_balance_after, created_at,
          value_date, fee
        from transactions
        where id = any (array(select transaction_id from following where is_new))
        offset 0
      ) t on t.id = f.transaction_id
    ) entry
    group by account_id
  )
  select a.id, a.currency, p.problem,
    case when p.problem is not null then jsonb_strip_nulls(jsonb_build_object(
      'currency', a.currency, 'account_id', a.id, 'problem', p.problem, 'entry', chain.bad_version,
      'version', a.version, 'balance', a.balance::text,
      'held', case when p.problem in ('held', 'limit') then a.held::text end,
      'excess', case when p.problem in ('held', 'limit') then held_excess(a)::text end
    )) end,
    -- What is complete and right ends in the account's row.
    case when chain.is_complete then a.version else chain.last_version end,
    case when chain.is_complete then a.balance else (
      select e.balance_after from entries e where e.account_id = a.id and e.version = chain.last_version
    ) end,
    case when chain.is_complete then a.last_hash else (
      select e.hash from entries e where e.account_id = a.id and e.version = chain.last_version
    ) end,
    greatest(chain.row_count - case when s.version > 0 then 1 else 0 end, 0), chain.counted, chain.is_complete
  from unnest(starts) s
  cross join lateral (select * from accounts where id = s.account_id offset 0) a
  left join chains c on c.account_id = s.account_id
  cross join lateral (
    select coalesce(c.row_count, 0) as row_count, coalesce(c.counted, 0) as counted, c.last_version, c.bad_version,
      c.problem, coalesce(c.row_count <= entries_max or c.last_version >= a.version, true) as is_complete
  ) chain
  cross join lateral (
    select case
      when chain.problem is not null then chain.problem
      when chain.row_count = 0 and s.version > 0 then 'gap'
      when chain.is_complete and (
        a.version <> coalesce(chain.last_version, 0)
        or a.version = 0 and (a.balance <> 0 or a.last_hash <> decode(repeat('00', 32), 'hex'))
      ) then 'row'
      when a.held <> coalesce((
        select e.held_after from hold_entries e where e.account_id = a.id order by e.version desc limit 1
      ), 0)
        or a.held <> 0 and a.held <> (
          select coalesce(sum(h.amount), 0) from holds h where h.account_id = a.id and h.status = 'open'
        ) then 'held'
      when a.kind = 'customer' and a.balance::numeric - a.held < -a.overdraft_limit then 'limit'
    end
  ) p (problem);
end;

-- Returns from where accounts are to be checked.
create function checked_until(ids uuid[]) returns checked[]
language sql stable
return array(
  select row(
    i.id, coalesce(c.version, 0), coalesce(c.balance, 0), coalesce(c.hash, decode(repeat('00', 32), 'hex'))
  )::checked
  from (select distinct unnest(ids) as id) i
  left join lateral (select * from checked where account_id = i.id offset 0) c on true
);

-- Keeps how far accounts were found right. Rows are locked in the order of their ids, so that two checks
-- can't deadlock.
create function keep_checked(examined examination[]) returns void
language sql
begin atomic
  insert into checked (account_id, version, balance, hash)
  select e.account_id, e.version, e.balance, e.hash
  from unnest(examined) e
  where e.problem is null and e.entry_count > 0
  order by e.account_id
  on conflict (account_id) do update
    set version = excluded.version, balance = excluded.balance, hash = excluded.hash
    where checked.version < excluded.version;
end;

grant select on checked, ledger_checks to :functions_role;
