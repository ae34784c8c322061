-- The guard's checks of everything, in steps: each step ends in time, however large the books are, and the
-- next one goes on where it ended, in whatever process. If two processes call the same step at once, the
-- second does nothing.

-- Returns the sums of two objects of numbers; null is an empty one.
create function counts_sum(one jsonb, other jsonb) returns jsonb
language sql immutable
return (
  select coalesce(jsonb_object_agg(key, sum), '{}')
  from (
    select key, sum(value::numeric) as sum
    from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) both_of_them
    group by key
  ) sums
);

-- One step through all accounts by their ids: up to 20,000 accounts and some 50,000 entries. The walk
-- 'balances' checks accounts whose row is not what it was at its last check, from there. The walk 'chains'
-- checks all accounts from their first entry, and counts their entries.
--
-- What is counted must be all that was posted up to a moment. So the first step only notes the moment, and
-- the next ones wait until each database transaction has ended that was under way then; it may have posted
-- something earlier. (Not longer than a minute: a wrong number stops nothing.)
create function step_through_accounts(walk text) returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
declare
  nothing constant bytea := decode(repeat('00', 32), 'hex');
  entries_max constant bigint := 50000;
  w check_walks;
  last_id uuid;
  ids uuid[];
  has_more boolean;
  examined examination[];
  unfinished examination;
  wrong jsonb[];
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  if walk = 'chains' and w.counted_until is null then
    update check_walks c
    set started_at = clock_timestamp(), counted_until = clock_timestamp()
    where c.name = walk;
    -- Not in the same statement: this must be read after the clock.
    update check_walks c set open_until = pg_snapshot_xmax(pg_current_snapshot()) where c.name = walk;
    return row(false, '{}')::check_step;
  end if;
  if walk = 'chains' and w.open_until > pg_snapshot_xmin(pg_current_snapshot())
    and clock_timestamp() between w.started_at and w.started_at + interval '1 minute' then
    perform pg_sleep(0.02);
    return row(false, '{}')::check_step;
  end if;
  last_id := (
    select id from (select id from accounts where id > w.place order by id limit 20000) page order by id desc limit 1
  );
  if last_id is null then
    perform end_walk(
      walk, w.faults = 0,
      jsonb_build_object(
        'accounts', w.accounts, 'entries', w.entries, 'faults', w.faults, 'started_at', w.started_at
      ) || case walk when 'balances' then '{}' else jsonb_build_object(
        'counts', w.counts, 'counted_until', w.counted_until
      ) end,
      '00000000-0000-0000-0000-000000000000'
    );
    return row(true, '{}')::check_step;
  end if;

  -- As many as come before the first that would be too much.
  select coalesce(array_agg(id order by id) filter (where before < entries_max), '{}'),
    coalesce(bool_or(before >= entries_max), false)
  into ids, has_more
  from (
    select a.id,
      coalesce(sum(
        a.version::numeric - case walk when 'balances' then coalesce(c.version, 0) else 0 end
        -- It can have a thousand open holds.
        + case when a.held <> 0 then 100 else 0 end
      ) over (order by a.id rows between unbounded preceding and 1 preceding), 0) as before
    from accounts a
    left join lateral (select * from checked where account_id = a.id offset 0) c on true
    where a.id > w.place and a.id <= last_id
      and (walk = 'chains' or (a.version, a.balance, a.last_hash)
        is distinct from (coalesce(c.version, 0), coalesce(c.balance, 0), coalesce(c.hash, nothing)))
  ) wanted;

  examined := array(
    select e
    from examine_accounts(
      case walk
        when 'balances' then checked_until(ids)
        else array(
          select case when (w.partly).account_id = id then w.partly else row(id, 0, 0, nothing)::checked end
          from unnest(ids) id
        )
      end,
      entries_max,
      w.counted_until
    ) e
  );
  perform keep_checked(examined);
  wrong := array(select fault from unnest(examined) where fault is not null);
  if walk = 'chains' then
    -- What was found wrong from the first entry on must be checked from there until it is right.
    delete from checked
    where account_id = any (array(select account_id from unnest(examined) where fault is not null));
  end if;

  -- Only the last one can have more entries: all others together have fewer than the limit.
  select * into unfinished from unnest(examined) where problem is null and not is_complete;
  if unfinished.account_id is not null then
    has_more := true;
    ids := trim_array(ids, 1);
  end if;
  update check_walks c
  set place = case when has_more then coalesce(ids[cardinality(ids)], w.place) else last_id end,
    partly = case
      when unfinished.account_id is not null
        then row(unfinished.account_id, unfinished.version, unfinished.balance, unfinished.hash)::checked
    end,
    accounts = w.accounts + cardinality(ids),
    entries = w.entries + (select coalesce(sum(entry_count), 0) from unnest(examined)),
    faults = w.faults + cardinality(wrong),
    counts = case walk when 'balances' then '{}' else counts_sum(w.counts, (
      select jsonb_object_agg(currency, counted)
      from (select currency, sum(counted) as counted from unnest(examined) group by currency) counted
    )) end
  where c.name = walk;
  return row(false, array(select s from stop_for(wrong) s))::check_step;
end
$$;

revoke execute on function step_through_accounts from public;
grant execute on function step_through_accounts to :functions_role;
