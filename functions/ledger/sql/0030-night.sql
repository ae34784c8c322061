-- The guard's checks of what is looked at in the night only: holds, changes of accounts, what went out of
-- accounts with limits, and the number of all entries. They go in steps like those of 0019-walks.sql, and
-- each step reads a bounded number of rows, however many belong to one account.

-- Up to which hold entry, and up to which hold, an account's holds were found right. Only of accounts that a
-- stop is about: whoever lifts it has them checked, in as many calls as that takes.
create table checked_holds (
  account_id uuid primary key,
  version bigint not null default 0,
  hash bytea not null default sha256('holds'),
  hold_id uuid not null default '00000000-0000-0000-0000-000000000000'
);

-- Describes what is wrong with the holds of an account. Its own function for the hash, as in 0016-check.sql.
create function hold_fault(account accounts, problem text, entry bigint default null) returns jsonb
language sql stable
return jsonb_strip_nulls(jsonb_build_object(
  'currency', (account).currency, 'account_id', (account).id, 'problem', problem, 'entry', entry,
  'version', (account).version, 'balance', (account).balance::text, 'held', (account).held::text,
  'excess', held_excess(account)::text
));

-- Some entries of holds that were examined: what is wrong with them, how many they are, and the last one.
create type hold_page as (faults jsonb[], count bigint, account_id uuid, version bigint, hash bytea);

-- Examines entries of holds in the order of their accounts and numbers: those after the given one, up to the
-- last one of the account `until`, at most `count_max`. Each must follow from the one before, with a hash
-- over how its hold ended ('hold-chain'), and be the beginning or the end of its hold ('hold').
create function examine_hold_entries(after_account uuid, after_version bigint, until uuid, count_max integer)
returns hold_page
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  with page as materialized (
    select *
    from hold_entries e
    where (e.account_id, e.version) >= (after_account, after_version) and e.account_id <= until
    order by e.account_id, e.version
    -- One more for the entry that is known.
    limit count_max + case when after_version > 0 then 1 else 0 end
  ),
  judged as materialized (
    select f.account_id, f.version, f.hash,
      case
        when f.version <> coalesce(f.version_before + 1, 1) or f.held_after <> f.held_before::numeric + f.amount
          or f.created_at < f.time_before or f.hash <> sha256(
            f.hash_before || uuid_send(f.account_id) || int8send(f.version) || uuid_send(f.hold_id)
            || int8send(f.amount) || int8send(f.held_after) || timestamptz_send(f.created_at)
            || case
              when f.id = f.hold_id then 'hold.open'
              when h.status = 'captured' then 'hold.captured'::bytea || int8send(h.captured) || uuid_send(h.transaction_id)
              else ('hold.' || h.status)::bytea
            end
          ) then 'hold-chain'
        when (
          h.account_id = f.account_id and case
            when f.id = h.id then f.amount = h.amount and f.created_at = h.created_at
            else h.status <> 'open' and f.amount = -h.amount and f.created_at = h.ended_at
          end
        ) is not true then 'hold'
      end as problem
    from (
      select *, lag(version) over w as version_before, lag(hash, 1, sha256('holds')) over w as hash_before,
        lag(held_after, 1, 0::bigint) over w as held_before, lag(created_at) over w as time_before
      from page
      window w as (partition by account_id order by version)
    ) f
    left join lateral (select * from holds where id = f.hold_id offset 0) h on true
    where (f.account_id, f.version) <> (after_account, after_version)
  ),
  last as materialized (
    select * from judged order by account_id desc, version desc limit 1
  )
  select row(
    array(
      select hold_fault(a, w.problem, w.entry)
      from (
        select account_id, problem, min(version) as entry from judged where problem is not null group by 1, 2
        order by 1, 2 limit 100
      ) w
      cross join lateral (select * from accounts where id = w.account_id offset 0) a
    ),
    (select count(*) from judged), (select account_id from last), (select version from last), (select hash from last)
  )::hold_page;
end;

-- Examines holds. Each must have an entry for its beginning and, unless it is open, one for its end, and be
-- what the transaction that captured it says.
create function examine_holds(ids uuid[]) returns setof jsonb
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select hold_fault(a, 'hold')
  from (
    select distinct h.account_id
    from unnest(ids) wanted
    cross join lateral (select * from holds where id = wanted offset 0) h
    cross join lateral (select * from accounts where id = h.account_id offset 0) a
    where h.currency <> a.currency
      or not exists (
        select from hold_entries e
        where e.id = h.id and e.hold_id = h.id and e.account_id = h.account_id and e.amount = h.amount
      )
      or (h.status <> 'open') <> exists (
        select from hold_entries e
        where e.hold_id = h.id and e.id <> e.hold_id and e.account_id = h.account_id and e.amount = -h.amount
      )
      or h.status = 'captured' and not exists (
        select from transactions t
        where t.id = h.transaction_id and t.hold_id = h.id and t.amount = h.captured and t.balance_after is not null
          and t.account_id = h.account_id
      )
    limit 100
  ) wrong
  cross join lateral (select * from accounts where id = wrong.account_id offset 0) a;
end;

-- Checks the holds of accounts from where the last call ended, at most 20,000 rows, and keeps how far they
-- are right. Returns what is wrong, and false if there are more.
create function check_holds(ids uuid[], out faults jsonb[], out is_complete boolean)
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
declare
  rows_max constant integer := 20000;
  one uuid;
  done checked_holds;
  page hold_page;
  hold_ids uuid[];
  wrong jsonb[];
  left_over bigint := rows_max;
begin
  faults := '{}';
  foreach one in array array(select distinct id from unnest(ids) id where id is not null order by id) loop
    insert into checked_holds (account_id) values (one) on conflict do nothing;
    select * into done from checked_holds c where c.account_id = one for update;
    -- If what was right before is now another entry, all begins anew.
    if done.version > 0 and done.hash is distinct from (
      select e.hash from hold_entries e where e.account_id = one and e.version = done.version
    ) then
      update checked_holds c set version = 0, hash = sha256('holds') where c.account_id = one returning c.* into done;
    end if;

    page := examine_hold_entries(one, done.version, one, left_over::integer);
    faults := faults || page.faults;
    left_over := left_over - page.count;
    if page.count > 0 and cardinality(page.faults) = 0 then
      update checked_holds c set version = page.version, hash = page.hash where c.account_id = one;
    end if;

    hold_ids := array(
      select h.id from holds h where h.account_id = one and h.id > done.hold_id order by h.id limit greatest(left_over, 0)
    );
    wrong := array(select examine_holds(hold_ids));
    faults := faults || wrong;
    left_over := left_over - cardinality(hold_ids);
    if cardinality(hold_ids) > 0 and cardinality(wrong) = 0 then
      update checked_holds c set hold_id = hold_ids[cardinality(hold_ids)] where c.account_id = one;
    end if;
    if left_over <= 0 then
      is_complete := cardinality(faults) > 0;
      return;
    end if;
  end loop;
  is_complete := true;
end
$$;

-- One step through all entries of holds.
create function step_through_hold_entries() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  walk constant text := 'hold_chains';
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  w check_walks;
  page hold_page;
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  page := examine_hold_entries(w.place, w.place_version, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 20000);
  if page.count = 0 then
    perform end_walk(walk, w.faults = 0, jsonb_build_object('entries', w.entries, 'faults', w.faults), nobody);
    return row(true, '{}')::check_step;
  end if;
  update check_walks c
  set place = page.account_id, place_version = page.version, entries = w.entries + page.count,
    faults = w.faults + cardinality(page.faults)
  where c.name = walk;
  -- What is wrong is checked from the first entry on before a stop is lifted.
  delete from checked_holds c
  where c.account_id = any (array(select (fault ->> 'account_id')::uuid from unnest(page.faults) fault));
  return row(false, array(select s from stop_for(page.faults) s))::check_step;
end
$$;

-- One step through all holds.
create function step_through_holds() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
declare
  walk constant text := 'hold_entries';
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  w check_walks;
  ids uuid[];
  wrong jsonb[];
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  ids := array(select h.id from holds h where h.id > w.place order by h.id limit 10000);
  if cardinality(ids) = 0 then
    perform end_walk(walk, w.faults = 0, jsonb_build_object('holds', w.entries, 'faults', w.faults), nobody);
    return row(true, '{}')::check_step;
  end if;
  wrong := array(select examine_holds(ids));
  update check_walks c
  set place = ids[cardinality(ids)], entries = w.entries + cardinality(ids), faults = w.faults + cardinality(wrong)
  where c.name = walk;
  delete from checked_holds c
  where c.account_id = any (array(select (fault ->> 'account_id')::uuid from unnest(wrong) fault));
  return row(false, array(select s from stop_for(wrong) s))::check_step;
end
$$;

revoke execute on function check_holds, step_through_hold_entries, step_through_holds from public;
grant execute on function check_holds, step_through_hold_entries, step_through_holds to :functions_role;
