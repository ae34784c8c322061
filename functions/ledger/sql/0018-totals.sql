-- The guard's checks of transactions and of totals.

-- Returns what is wrong with a reversal, or with a transaction that was reversed; null if nothing is.
create function reversal_fault(t transactions) returns jsonb
language sql stable
return case
  when t.reverses is not null and not exists (
    select from transactions o where o.id = t.reverses and o.reversed_by = t.id and o.amount = t.amount
      and o.currency = t.currency
  ) or t.reversed_by is not null and not exists (
    select from transactions r where r.id = t.reversed_by and r.reverses = t.id
  ) then jsonb_build_object(
    'currency', t.currency, 'transaction_id', t.id, 'account_id', t.account_id, 'problem', 'reversal'
  )
end;

-- Examines transactions. A completed one must have entries, which add up to zero ('entries'); and one that
-- reverses another, or was reversed, must be named by the other and move as much ('reversal'). Reads all
-- entries.
create function examine_transactions(ids uuid[]) returns setof jsonb
language sql stable
begin atomic
  select jsonb_build_object(
    'currency', t.currency, 'transaction_id', t.id, 'account_id', t.account_id, 'problem', 'entries',
    'entries', coalesce(e.count, 0), 'sum', coalesce(e.sum, 0)::text
  )
  from transactions t
  left join (
    select transaction_id, count(*) as count, sum(amount) as sum
    from entries
    where transaction_id = any (ids)
    group by transaction_id
  ) e on e.transaction_id = t.id
  where t.id = any (ids) and t.balance_after is not null and (e.count is null or e.count < 2 or e.sum <> 0)
  union all
  select reversal_fault(t) from transactions t where t.id = any (ids) and reversal_fault(t) is not null;
end;

-- One step through the transactions by their ids, in the order in which they were requested: whether each
-- completed one has its entries. It goes up to half a minute ago, and continues from there. The entries of a
-- transaction are found by its accounts and its time. An order that was posted long after it was requested is
-- not seen here; check_transactions() finds it.
create function step_through_transactions() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  walk constant text := 'transactions';
  -- The least id of that moment.
  horizon constant uuid :=
    (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint - 30000), 12, '0') || repeat('0', 20))::uuid;
  w check_walks;
  last_id uuid;
  page_size bigint;
  missing uuid[];
  wrong jsonb[] := '{}';
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  with page as materialized (
    select t.id, t.account_id, t.to_account_id, t.created_at, t.balance_after is not null as is_posted
    from transactions t
    where t.id > w.place and t.id < horizon
    order by t.id
    limit 5000
  ),
  sides as materialized (
    select account_id,
      -- No entry is older than its request, but for clocks that differ.
      greatest(min(created_at), uuid_extract_timestamp((select id from page order by id limit 1)) - interval '1 hour')
        as first_at,
      max(created_at) as last_at
    from (
      select account_id, created_at from page where is_posted
      union all
      select to_account_id, created_at from page where is_posted and to_account_id is not null
    ) side
    group by account_id
  ),
  ranges as materialized (
    select a.id, version_at(a, s.first_at - interval '1 millisecond') as before, version_at(a, s.last_at) as last
    from sides s
    cross join lateral (select * from accounts where id = s.account_id offset 0) a
  ),
  posted as materialized (
    select e.account_id, e.transaction_id
    from ranges r
    cross join lateral (
      select * from entries
      where entries.account_id = r.id and entries.version > r.before and entries.version <= r.last
      offset 0
    ) e
  )
  select (select id from page order by id desc limit 1), (select count(*) from page), array(
    select distinct id
    from (
      (
        select account_id, id from page where is_posted
        union all
        select to_account_id, id from page where is_posted and to_account_id is not null
      )
      except
      select account_id, transaction_id from posted
    ) missing
  )
  into last_id, page_size, missing;

  if last_id is null then
    perform end_walk(
      walk,
      w.faults = 0 and not exists (
        select from ledger_stops s where s.lifted_at is null and s.evidence @> '[{"problem": "entries"}]'
      ),
      jsonb_build_object('transactions', w.entries, 'faults', w.faults, 'started_at', w.started_at), w.place
    );
    return row(true, '{}')::check_step;
  end if;
  if cardinality(missing) > 0 then
    wrong := array(select examine_transactions(missing));
  end if;
  update check_walks c
  set place = last_id, entries = w.entries + page_size, faults = w.faults + cardinality(wrong)
  where c.name = walk;
  return row(false, array(select s from stop_for(wrong) s))::check_step;
end
$$;

-- Checks all accounts by their rows, in one snapshot: the balances of a currency add up to zero, limits are
-- kept, and held amounts are those of the open holds. Takes about a third of a second for a million accounts.
create function check_totals() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
-- The plan may be made while there are few accounts, and kept.
set enable_nestloop = off
as $$
declare
  sums jsonb;
  sum_faults jsonb[];
  below_limit uuid[];
  wrongly_held uuid[];
  open_holds bigint;
  wrong jsonb[];
begin
  with held as materialized (
    select h.account_id, count(*) as count, sum(h.amount) as amount
    from holds h where h.status = 'open' group by h.account_id
  ),
  by_currency as materialized (
    select a.currency, count(*) as accounts, sum(a.balance) as sum,
      array_agg(a.id) filter (where a.kind = 'customer' and a.balance - a.held < -a.overdraft_limit) as below_limit,
      array_agg(a.id) filter (where a.held <> coalesce(h.amount, 0)) as wrongly_held
    from accounts a
    left join held h on h.account_id = a.id
    group by a.currency
  )
  select
    coalesce(jsonb_agg(
      jsonb_build_object('currency', currency, 'accounts', accounts, 'sum', sum::text, 'ok', sum = 0) order by currency
    ), '[]'),
    coalesce(array_agg(
      jsonb_build_object('currency', currency, 'problem', 'sum', 'sum', sum::text)
    ) filter (where sum <> 0), '{}'),
    array(select unnest(b.below_limit) from by_currency b),
    array(select unnest(b.wrongly_held) from by_currency b),
    (select coalesce(sum(count), 0) from held)
  into sums, sum_faults, below_limit, wrongly_held, open_holds
  from by_currency;

  wrong := sum_faults || array(
    select fault from check_accounts(below_limit[:100] || wrongly_held[:100]) where fault is not null
  );
  insert into ledger_checks (name, ok, checked_at, figures)
  values
    ('sums', cardinality(sum_faults) = 0, clock_timestamp(), jsonb_build_object('currencies', sums)),
    ('limits', cardinality(below_limit) = 0, clock_timestamp(), jsonb_build_object('faults', cardinality(below_limit))),
    (
      'holds', cardinality(wrongly_held) = 0, clock_timestamp(),
      jsonb_build_object('open', open_holds, 'faults', cardinality(wrongly_held))
    )
  on conflict (name) do update
    set ok = excluded.ok, checked_at = excluded.checked_at, figures = excluded.figures;
  return row(true, array(select s from stop_for(wrong) s))::check_step;
end
$$;

-- Counts all transactions of each currency against all entries, and checks all reversals. If the counts
-- differ, the walk through the transactions begins at the first one again, to find out which.
create function check_transactions() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  counts jsonb;
  is_ok boolean;
  wrong jsonb[];
begin
  wrong := array(
    select fault
    from (
      select reversal_fault(t) as fault from transactions t where t.reverses is not null or t.reversed_by is not null
    ) reversal
    where fault is not null
    limit 100
  );
  select
    coalesce(jsonb_agg(
      jsonb_build_object('currency', currency, 'transactions', t.transactions, 'entries', a.entries) order by currency
    ), '[]'),
    coalesce(bool_and(coalesce(a.entries, 0) = coalesce(t.entries, 0)), true)
  into counts, is_ok
  from (select currency, sum(version) as entries from accounts group by currency) a
  full join (
    select currency, count(*) as transactions, 2 * count(*) + 2 * count(fee) as entries
    from transactions where balance_after is not null group by currency
  ) t using (currency);
  insert into ledger_checks (name, ok, checked_at, figures)
  values
    ('counts', is_ok, clock_timestamp(), jsonb_build_object('currencies', counts)),
    ('reversals', cardinality(wrong) = 0, clock_timestamp(), jsonb_build_object('faults', cardinality(wrong)))
  on conflict (name) do update
    set ok = excluded.ok, checked_at = excluded.checked_at, figures = excluded.figures;
  if not is_ok then
    update check_walks set place = '00000000-0000-0000-0000-000000000000' where name = 'transactions';
  end if;
  return row(true, array(select s from stop_for(wrong) s))::check_step;
end
$$;

revoke execute on function step_through_transactions, check_totals, check_transactions from public;
grant execute on function step_through_transactions, check_totals, check_transactions to :functions_role;
