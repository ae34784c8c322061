-- The guard's checks of transactions and of totals.

-- Returns the entries of a transaction. They are those of its accounts, of its time: no index finds them, as
-- one would cost every posting. Returns one row of nulls if an account has too many entries of that time to
-- look through (a clock was set back for hours).
create function entries_of(t transactions) returns setof entries
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  same_time_max constant bigint := 20000;
  side_id uuid;
  account accounts;
  before bigint;
  last bigint;
begin
  for side_id in
    select distinct side.id
    from unnest(array[
      t.account_id, coalesce(t.to_account_id, cash_account_id(t.currency)),
      case when t.fee is not null then fees_account_id(t.currency) end
    ]) side (id)
    where side.id is not null
  loop
    select * into account from accounts a where a.id = side_id;
    continue when account.id is null;
    before := version_at(account, t.created_at - interval '1 microsecond');
    last := version_at(account, t.created_at);
    if last - before > same_time_max then
      return query select (null::entries).*;
      return;
    end if;
    return query
    select * from entries e
    where e.account_id = side_id and e.version > before and e.version <= last and e.transaction_id = t.id;
  end loop;
end
$$;

-- Returns what is wrong with how a transaction is linked to others; null if nothing is. A reversal must be
-- named by what it reverses, have its accounts, and move as much the other way ('reversal'). What a hold was
-- captured by must be named by the hold ('hold').
create function link_fault(t transactions) returns jsonb
language plpgsql stable
set enable_seqscan = off
as $$
declare
  problem text;
  original transactions;
  is_opposite boolean;
begin
  if t.reverses is not null then
    select * into original from transactions o where o.id = t.reverses;
    -- The entries of fees are among these. If some can't be found in time, nothing is said of them.
    with e as materialized (
      select account_id, amount from entries_of(t)
      union all
      select account_id, amount from entries_of(original)
    )
    select exists (select from e where account_id is null)
      or not exists (select from e group by account_id having sum(amount) <> 0)
    into is_opposite;
    if original.reversed_by is distinct from t.id
      or (original.amount, original.currency) is distinct from (t.amount, t.currency)
      or (original.account_id, original.to_account_id) is distinct from (t.account_id, t.to_account_id)
      or original.fee is distinct from -t.fee
      or not is_opposite
    then
      problem := 'reversal';
    end if;
  end if;
  if t.reversed_by is not null and not exists (
    select from transactions r where r.id = t.reversed_by and r.reverses = t.id
  ) then
    problem := 'reversal';
  end if;
  if problem is null and t.hold_id is not null and t.balance_after is not null and not exists (
    select from holds h where h.id = t.hold_id and h.status = 'captured' and h.transaction_id = t.id
  ) then
    problem := 'hold';
  end if;
  return case when problem is not null then jsonb_build_object(
    'currency', t.currency, 'transaction_id', t.id, 'account_id', t.account_id, 'problem', problem
  ) end;
end
$$;

-- Examines transactions. A completed one must have two entries, or four with a fee, which add up to zero
-- ('entries'); any other has none. And what it says of others must be so; see link_fault().
create function examine_transactions(ids uuid[]) returns setof jsonb
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select found.fault
  from unnest(ids) wanted
  cross join lateral (select * from transactions where id = wanted offset 0) t
  cross join lateral (
    select count(*) as count, coalesce(sum(e.amount), 0) as sum, bool_or(e.account_id is null) as is_unknown
    from entries_of(t) e
  ) e
  cross join lateral (
    select
      case when e.is_unknown is not true and (
        e.count <> case when t.balance_after is null then 0 when t.fee is null then 2 else 4 end or e.sum <> 0
      ) then jsonb_build_object(
        'currency', t.currency, 'transaction_id', t.id, 'account_id', t.account_id, 'problem', 'entries',
        'entries', e.count, 'sum', e.sum::text
      ) end
    union all
    select link_fault(t)
  ) found (fault)
  where found.fault is not null;
end;

-- The same as link_fault() for many transactions.
create function link_faults(ids uuid[]) returns setof jsonb
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select found.fault
  from unnest(ids) wanted
  cross join lateral (select * from transactions where id = wanted offset 0) t
  cross join lateral (select link_fault(t)) found (fault)
  where found.fault is not null;
end;

-- Returns the transactions whose ids are between two others, in their order: at most `count_max`, and at most
-- 500 reversals. For one of these, link_fault() looks for two transactions' entries, so it takes as long as
-- hundreds of others; and an operator may have reversed thousands one after the other.
create function transactions_after(place uuid, horizon uuid, count_max integer) returns setof transactions
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select (page.t).*
  from (
    select t, count(t.reverses) over (order by t.id rows between unbounded preceding and 1 preceding) as reversals_before
    from (select * from transactions where id > place and id < horizon order by id limit count_max) t
  ) page
  where page.reversals_before < 500
  order by (page.t).id;
end;

-- One step through the transactions by their ids, in the order in which they were requested: whether each
-- completed one has its entries, and what reverses others is right. It goes up to half a minute ago. The walk
-- 'transactions' continues from there; an order that was posted long after it was requested is not seen by
-- it. The walk 'all_transactions' begins at the first one; it is made if the number of all entries is wrong.
--
-- Of each account it reads some entries from the first one on that can belong to these transactions. They
-- nearly always stand there. What is missing is looked for by examine_transactions().
create function step_through_transactions(walk text) returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  page_max constant integer := 2000;
  -- The least id of that moment.
  horizon constant uuid := least_id(clock_timestamp() - interval '30 seconds');
  w check_walks;
  last_id uuid;
  page_size bigint;
  doubtful uuid[];
  linked uuid[];
  wrong jsonb[] := '{}';
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  with page as materialized (
    select t.id, t.account_id, coalesce(t.to_account_id, cash_account_id(t.currency)) as other_id, t.currency,
      t.created_at, t.balance_after is not null as is_posted, t.fee is not null as has_fee,
      t.reverses is not null or t.reversed_by is not null or t.hold_id is not null as has_links
    from transactions_after(w.place, horizon, page_max) t
  ),
  sides as materialized (
    select account_id, id, created_at, case when has_fee then 2 else 1 end as entries from page where is_posted
    union all
    select other_id, id, created_at, 1 from page where is_posted
    union all
    select fees_account_id(currency), id, created_at, 1 from page where is_posted and has_fee
  ),
  starts as materialized (
    select a.id, version_at(a, s.first_at - interval '1 microsecond') as before, s.entries
    from (
      select account_id, min(created_at) as first_at, sum(entries) as entries from sides group by account_id
    ) s
    cross join lateral (select * from accounts where id = s.account_id offset 0) a
  ),
  posted as materialized (
    select e.account_id, e.transaction_id, count(*) as entries
    from starts s
    cross join lateral (
      select * from entries
      where entries.account_id = s.id and entries.version > s.before
        and entries.version <= s.before + 2 * s.entries + 10
      offset 0
    ) e
    group by e.account_id, e.transaction_id
  )
  select (select id from page order by id desc limit 1), (select count(*) from page), array(
    select distinct s.id
    from sides s
    left join posted p on p.account_id = s.account_id and p.transaction_id = s.id
    where p.entries is distinct from s.entries
  ), array(select id from page where has_links)
  into last_id, page_size, doubtful, linked;

  if last_id is null then
    perform end_walk(
      walk,
      w.faults = 0 and not exists (
        select from ledger_stops s where s.lifted_at is null and s.evidence @> '[{"problem": "entries"}]'
      ),
      jsonb_build_object('transactions', w.entries, 'faults', w.faults, 'started_at', w.started_at),
      case walk when 'transactions' then w.place else '00000000-0000-0000-0000-000000000000' end
    );
    return row(true, '{}')::check_step;
  end if;
  if cardinality(doubtful) > 0 or cardinality(linked) > 0 then
    wrong := array(select examine_transactions(doubtful) union select link_faults(linked));
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
    from holds h
    -- Of all accounts. Without a word of them, the index of open holds would not do, and this would read all
    -- holds that there have ever been.
    where h.status = 'open' and h.account_id >= '00000000-0000-0000-0000-000000000000'
    group by h.account_id
  ),
  by_currency as materialized (
    select a.currency, count(*) as accounts, sum(a.balance) as sum,
      array_agg(a.id) filter (where a.kind = 'customer' and a.balance::numeric - a.held < -a.overdraft_limit) as below_limit,
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

revoke execute on function step_through_transactions, check_totals from public;
grant execute on function step_through_transactions, check_totals to :functions_role;
