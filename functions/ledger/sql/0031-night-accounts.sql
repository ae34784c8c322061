-- The night's checks of what belongs to accounts, but is no money: their changes, and what is counted for
-- their limits. What they find stops nothing; an operator reads it in `GET /ledger/verify`.

-- Returns how many changes in these rows of account_changes don't follow from those before.
create function wrong_changes(changes account_changes[]) returns bigint
language sql stable
set enable_seqscan = off
begin atomic
  select count(*)
  from unnest(changes) c
  left join lateral (
    select * from account_changes b where b.account_id = c.account_id and b.version < c.version
    order by b.version desc limit 1
  ) before on true
  left join lateral (
    select b."to" from account_changes b
    where b.account_id = c.account_id and b.field = c.field and b.version < c.version
    order by b.version desc limit 1
  ) known on true
  cross join lateral (select * from accounts where id = c.account_id offset 0) a
  where c.version <> coalesce(before.version, 0) + 1
    or c.at < before.at
    or c."from" <> coalesce(known."to", case c.field when 'status' then 'open' else c."from" end)
    -- The last one of its field must be what the account says.
    or not exists (
      select from account_changes b where b.account_id = c.account_id and b.field = c.field and b.version > c.version
    ) and c."to" <> case c.field when 'status' then a.status::text else a.overdraft_limit::text end;
end;

-- One step through all changes of accounts, and then through the accounts that are not open: each must have
-- been changed, and those that are closed must be empty.
create function step_through_changes() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  walk constant text := 'changes';
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  w check_walks;
  changes account_changes[];
  last account_changes;
  last_id uuid;
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  if w.counts = '{}' then
    changes := array(
      select c from account_changes c
      where (c.account_id, c.version) > (w.place, w.place_version)
      order by c.account_id, c.version limit 5000
    );
    last := changes[cardinality(changes)];
    update check_walks c
    set place = coalesce(last.account_id, nobody), place_version = coalesce(last.version, 0),
      counts = case when last.account_id is null then '{"are_changes_done": 1}' else '{}' end::jsonb,
      entries = w.entries + cardinality(changes), faults = w.faults + wrong_changes(changes)
    where c.name = walk;
    return row(false, '{}')::check_step;
  end if;

  last_id := (
    select id from (select id from accounts where id > w.place order by id limit 20000) page order by id desc limit 1
  );
  if last_id is null then
    perform end_walk(walk, w.faults = 0, jsonb_build_object('changes', w.entries, 'faults', w.faults), nobody);
    return row(true, '{}')::check_step;
  end if;
  update check_walks c
  set place = last_id, faults = w.faults + (
    select count(*)
    from accounts a
    where a.id > w.place and a.id <= last_id and a.status <> 'open'
      and (
        a.status = 'closed' and (a.balance <> 0 or a.held <> 0)
        or not exists (select from account_changes c where c.account_id = a.id and c.field = 'status')
      )
  )
  where c.name = walk;
  return row(false, '{}')::check_step;
end
$$;

-- One step through all accounts with limits: what is counted of each must be what went out of it. An account
-- whose last 30 days have more than 50,000 entries is left out, and counted as `left_out`.
create function step_through_outflows() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
declare
  walk constant text := 'outflows';
  rows_max constant bigint := 50000;
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  w check_walks;
  last_id uuid;
  account accounts;
  zone text;
  since date;
  row_count bigint;
  total bigint := 0;
  checked bigint := 0;
  left_out bigint := 0;
  wrong bigint := 0;
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  last_id := (
    select id from (select id from accounts where id > w.place order by id limit 5000) page order by id desc limit 1
  );
  if last_id is null then
    perform end_walk(
      walk, w.faults = 0,
      jsonb_build_object(
        'accounts', w.accounts, 'left_out', coalesce((w.counts ->> 'left_out')::bigint, 0), 'faults', w.faults
      ),
      nobody
    );
    return row(true, '{}')::check_step;
  end if;
  for account in
    select * from accounts a where a.id > w.place and a.id <= last_id and a.has_limits order by a.id
  loop
    if total >= rows_max then
      last_id := (select a.id from accounts a where a.id < account.id order by a.id desc limit 1);
      exit;
    end if;
    select l.time_zone into zone from account_limits l where l.account_id = account.id order by l.version desc limit 1;
    -- Today as postings read it.
    since := (greatest(now(), account.posted_at) at time zone zone)::date - 29;
    -- These are what outflows_of() has to read.
    row_count := account.version - version_at(account, since::timestamp at time zone zone);
    if row_count > rows_max then
      left_out := left_out + 1;
      continue;
    end if;
    total := total + row_count + 10;
    checked := checked + 1;
    -- One statement, so that both sides are of the same moment.
    if exists (
      select
      from (
        select o.day, o.amount from outflows o where o.account_id = account.id and o.day >= since
        union all
        select b.day, -b.amount
        from accounts a cross join lateral outflows_of(a, zone, since) b
        where a.id = account.id
      ) d
      group by d.day
      having sum(d.amount) <> 0
    ) then
      wrong := wrong + 1;
    end if;
  end loop;
  update check_walks c
  set place = last_id, accounts = w.accounts + checked, faults = w.faults + wrong,
    counts = counts_sum(w.counts, jsonb_build_object('left_out', left_out))
  where c.name = walk;
  return row(false, '{}')::check_step;
end
$$;

revoke execute on function step_through_changes, step_through_outflows from public;
grant execute on function step_through_changes, step_through_outflows to :functions_role;
