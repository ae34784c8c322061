-- The night's count of all entries, its check of what was sealed, and the order of the night's checks.

-- One step through all transactions: counts the entries that they must have, up to the moment up to which the
-- walk 'chains' has counted those that there are; and checks what they say of others. If the numbers
-- differ, the walk 'all_transactions' finds out which is wrong.
create function count_transactions() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  walk constant text := 'counts';
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  w check_walks;
  known constant jsonb := (select c.figures from ledger_checks c where c.name = 'chains');
  last_id uuid;
  counted jsonb;
  linked uuid[];
  wrong jsonb[] := '{}';
  figures jsonb;
  is_ok boolean;
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  if w.place = nobody then
    w.counted_until := (known ->> 'counted_until')::timestamptz;
  end if;
  with page as materialized (
    select t.id, t.currency, t.fee, t.balance_after is not null and t.created_at <= w.counted_until as is_counted,
      t.reverses is not null or t.reversed_by is not null or t.hold_id is not null as has_links
    from transactions_after(w.place, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 10000) t
  )
  select (select id from page order by id desc limit 1),
    (
      select jsonb_object_agg(currency, transactions)
        || jsonb_object_agg(currency || ' entries', 2 * transactions + 2 * fees)
      from (
        select currency, count(*) as transactions, count(fee) as fees from page where is_counted group by currency
      ) by_currency
    ),
    array(select id from page where has_links)
  into last_id, counted, linked;

  if last_id is not null then
    wrong := array(select link_faults(linked));
    update check_walks c
    set place = last_id, counted_until = w.counted_until, counts = counts_sum(w.counts, counted),
      faults = w.faults + cardinality(wrong)
    where c.name = walk;
    return row(false, array(select s from stop_for(wrong) s))::check_step;
  end if;

  select
    coalesce(jsonb_agg(
      jsonb_build_object('currency', currency, 'transactions', coalesce(transactions, 0), 'entries', coalesce(entries, 0))
      order by currency
    ), '[]'),
    coalesce(bool_and(coalesce(entries, 0) = coalesce(expected, 0)), true)
  into figures, is_ok
  from (
    select key as currency, value::bigint as entries from jsonb_each_text(known -> 'counts')
  ) e
  full join (
    select left(key, 3) as currency, sum(value::bigint) filter (where length(key) = 3) as transactions,
      sum(value::bigint) filter (where length(key) > 3) as expected
    from jsonb_each_text(w.counts)
    group by 1
  ) t using (currency);
  -- If everything was counted anew meanwhile, this has to be, too.
  if (known ->> 'counted_until')::timestamptz is not distinct from w.counted_until then
    insert into ledger_checks (name, ok, checked_at, figures)
    values ('reversals', w.faults = 0, clock_timestamp(), jsonb_build_object('faults', w.faults))
    on conflict (name) do update
      set ok = excluded.ok, checked_at = excluded.checked_at, figures = excluded.figures;
    perform end_walk(walk, is_ok, jsonb_build_object('currencies', figures), nobody);
  else
    update check_walks c set place = nobody, counts = '{}', faults = 0 where c.name = walk;
  end if;
  return row(true, '{}')::check_step;
end
$$;

-- One step through the leaves of the tree, in their order. Each leaf must have the hash that the books have
-- at its version, of entries or of holds, and stand at its place in the tree. Each node must be over the two
-- below it, and the tree must have had the root of each seal. So books that were rewritten with all their
-- hashes are found, even if nothing is posted to the account any more. No other check finds anything wrong in
-- them, so a stop would be lifted unchecked: what this finds is told, and stops nothing.
create function step_through_seals() returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  walk constant text := 'seals';
  w check_walks;
  first bigint;
  beyond bigint;
  height integer := 0;
  wrong bigint;
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  first := w.place_version;
  -- What was sealed must be there, whatever is left of the tree.
  beyond := least(first + 10000, greatest(
    tree_size(), (select max(s.size) from seals s), (select max(s.leaf) + 1 from sealed s),
    (select max(s.leaf) + 1 from sealed_holds s)
  ));
  if first >= beyond then
    perform end_walk(
      walk, w.faults = 0, jsonb_build_object('leaves', w.entries, 'faults', w.faults),
      '00000000-0000-0000-0000-000000000000'
    );
    return row(true, '{}')::check_step;
  end if;

  wrong := (
    select count(*)
    from generate_series(first, beyond - 1) i
    left join lateral (
      select leaf_hash(s.account_id, s.version, s.hash) as node, s.hash = (
          select e.hash from entries e where e.account_id = s.account_id and e.version = s.version
        ) as is_right
      from sealed s
      where s.leaf = i
      union all
      select hold_leaf_hash(s.account_id, s.version, s.hash), s.hash = (
          select e.hash from hold_entries e where e.account_id = s.account_id and e.version = s.version
        )
      from sealed_holds s
      where s.leaf = i
    ) l on true
    where (
      l.is_right and l.node = (select n.hash from seal_nodes n where n.level = 0 and n.index = i)
    ) is not true
  );
  -- Leaves have no gaps. What somebody wrote beyond one may be so far away that this check would never end,
  -- and no other have its turn.
  if not exists (select from seal_nodes n where n.level = 0 and n.index between first and beyond - 1)
    and not exists (select from sealed s where s.leaf between first and beyond - 1)
    and not exists (select from sealed_holds s where s.leaf between first and beyond - 1)
  then
    perform end_walk(
      walk, false, jsonb_build_object('leaves', w.entries, 'faults', w.faults + wrong),
      '00000000-0000-0000-0000-000000000000'
    );
    return row(true, '{}')::check_step;
  end if;
  -- The nodes that these leaves complete.
  while beyond >> height > 1 loop
    height := height + 1;
    wrong := wrong + (
      select count(*)
      from generate_series(first >> height, (beyond >> height) - 1) i
      where (
        (select n.hash from seal_nodes n where n.level = height and n.index = i) = node_hash(
          (select n.hash from seal_nodes n where n.level = height - 1 and n.index = 2 * i),
          (select n.hash from seal_nodes n where n.level = height - 1 and n.index = 2 * i + 1)
        )
      ) is not true
    );
  end loop;
  -- A root needs all nodes.
  if w.faults + wrong = 0 then
    wrong := (
      select count(*) from seals s where s.size > first and s.size <= beyond and s.root <> tree_root(0, s.size)
    );
  end if;
  update check_walks c
  set place_version = beyond, entries = w.entries + beyond - first, faults = w.faults + wrong
  where c.name = walk;
  return row(false, '{}')::check_step;
end
$$;

-- Returns which of the night's checks is to go on; null if each has been made in this night. One that is
-- under way is ended first, and otherwise the one whose last end is the longest ago begins: so each has its
-- turn, even if a night is too short for all. `failed` are those that can't go on now.
create function walk_due(failed text[] default '{}') returns text
language sql stable
begin atomic
  select due.name
  from (
    select n.name, u.is_under_way, c.checked_at, n.place
    from unnest(array['chains', 'hold_chains', 'hold_entries', 'changes', 'outflows', 'seals', 'counts'])
      with ordinality n (name, place)
    join check_walks w on w.name = n.name
    left join ledger_checks c on c.name = n.name
    cross join lateral (
      select w.place > '00000000-0000-0000-0000-000000000000' or w.partly is not null or w.counts <> '{}'
        or w.counted_until is not null or w.place_version > 0
    ) u (is_under_way)
    where u.is_under_way or coalesce(c.checked_at < now() - interval '20 hours' or c.checked_at > now(), true)
    union all
    select 'all_transactions', false, 'infinity', 7
    from ledger_checks counts
    left join ledger_checks c on c.name = 'all_transactions'
    where counts.name = 'counts' and not counts.ok and (c.checked_at is null or c.checked_at < counts.checked_at)
  ) due
  where due.name <> all (failed)
  order by due.is_under_way desc, due.checked_at nulls first, due.place
  limit 1;
end;

revoke execute on function count_transactions, step_through_seals from public;
grant execute on function count_transactions, step_through_seals to :functions_role;
grant select on check_walks to :functions_role;
