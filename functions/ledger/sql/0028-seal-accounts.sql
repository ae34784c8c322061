-- Which accounts are sealed, and how: their entries, and their holds.

-- Where the next round over the accounts begins: after this one. Each step of a round moves it on, whether it
-- found something to seal or not. So however many accounts there are, and whatever ends a round, each account
-- has its turn.
create type sealed_kind as enum ('entries', 'holds');
create table seal_rounds (
  kind sealed_kind primary key,
  place uuid not null
);
insert into seal_rounds (kind, place) values
  ('entries', '00000000-0000-0000-0000-000000000000'), ('holds', '00000000-0000-0000-0000-000000000000');

-- One step of a round: how many leaves it appended, after which account the next step goes on (null if there
-- is none left), and the accounts whose entries do not follow from what was sealed before.
create type seal_step as (leaves bigint, next uuid, broken uuid[]);

-- An account as a step finds it: its last entry (`amount` is the balance after it, or what is held), its last
-- leaf (`since`), and up to which entry it is to be sealed.
create type seal_candidate as (
  id uuid, version bigint, hash bytea, amount bigint, since bigint, since_hash bytea, upto bigint
);

-- What is found of an account's entries from its last leaf on: whether they are right, and which of them
-- become leaves.
create type seal_finding as (id uuid, is_right boolean, versions bigint[], hashes bytea[]);

-- Returns the accounts above `beyond`, up to `until`, with their entries as far as the guard has checked them
-- (0016-check.sql): no others may be sealed.
create function accounts_with_entries(beyond uuid, until uuid, accounts_max integer) returns setof seal_candidate
language sql stable
begin atomic
  select c.account_id, c.version, c.hash, c.balance,
    coalesce(s.version, 0), coalesce(s.hash, decode(repeat('00', 32), 'hex')), c.version
  from (
    select * from checked c
    where c.account_id > beyond and c.account_id <= until
    order by c.account_id limit accounts_max
  ) c
  left join lateral (
    select s.version, s.hash from sealed s where s.account_id = c.account_id order by s.version desc limit 1
  ) s on true;
end;

-- The same, of accounts' entries of holds. It goes from one account that has ever held something to the next,
-- so accounts without holds cost nothing.
create function accounts_with_holds(beyond uuid, until uuid, accounts_max integer) returns setof seal_candidate
language sql stable
begin atomic
  with recursive passed (id, n) as (
    (
      select e.account_id, 1
      from hold_entries e
      where e.account_id > beyond and e.account_id <= until
      order by e.account_id limit 1
    )
    union all
    select following.id, p.n + 1
    from passed p
    cross join lateral (
      select e.account_id as id
      from hold_entries e
      where e.account_id > p.id and e.account_id <= until
      order by e.account_id limit 1
    ) following
    where p.n < accounts_max
  )
  select p.id, last.version, last.hash, a.held,
    coalesce(s.version, 0), coalesce(s.hash, first_hold_hash()), last.version
  from passed p
  -- An account that does not exist is not left out: a step that finds fewer than asked for ends the round.
  left join lateral (select b.held from accounts b where b.id = p.id offset 0) a on true
  cross join lateral (
    select e.version, e.hash from hold_entries e where e.account_id = p.id order by e.version desc limit 1
  ) last
  left join lateral (
    select s.version, s.hash from sealed_holds s where s.account_id = p.id order by s.version desc limit 1
  ) s on true;
end;

-- Checks entries from the last leaf on against each other and against that leaf, and the last one against the
-- account.
create function examine_entries(taken seal_candidate[]) returns setof seal_finding
language sql stable
begin atomic
  select t.id, history.*
  from unnest(taken) t
  left join lateral (
    select e.balance_after, e.created_at
    from entries e
    where e.account_id = t.id and e.version = t.since
    offset 0
  ) known on true
  cross join lateral (
    select
      count(*) = t.upto - t.since and bool_and(e.follows) and (
        t.upto < t.version or bool_or(e.version = t.version and e.hash = t.hash and e.balance_after = t.amount)
      ) as is_right,
      array_agg(e.version order by e.version) filter (where e.is_leaf) as versions,
      array_agg(e.hash order by e.version) filter (where e.is_leaf) as hashes
    from (
      select e.version, e.hash, e.balance_after,
        e.version = t.upto or (e.version - t.since) % 1000 = 0 as is_leaf,
        e.version = t.since + row_number() over history
        -- Amounts that were changed may be at the end of what a bigint can be.
        and e.balance_after
          = e.amount::numeric + lag(e.balance_after, 1, coalesce(known.balance_after, 0)) over history
        and e.created_at >= lag(e.created_at, 1, coalesce(known.created_at, '-infinity')) over history
        and e.hash = entry_hash(
          lag(e.hash, 1, t.since_hash) over history,
          e.account_id, e.version, e.transaction_id, e.amount, e.balance_after, e.created_at, e.value_date
        ) as follows
      from entries e
      where e.account_id = t.id and e.version > t.since and e.version <= t.upto
      window history as (order by e.version)
    ) e
  ) history;
end;

-- Checks entries of holds in the same way; also against the holds, and against the transactions that captured
-- them.
create function examine_holds(taken seal_candidate[]) returns setof seal_finding
language sql stable
begin atomic
  select t.id, history.*
  from unnest(taken) t
  left join lateral (
    select e.held_after, e.created_at
    from hold_entries e
    where e.account_id = t.id and e.version = t.since
    offset 0
  ) known on true
  cross join lateral (
    select
      count(*) = t.upto - t.since and bool_and(e.follows) and (
        t.upto < t.version or bool_or(e.version = t.version and e.hash = t.hash and e.held_after = t.amount)
      ) as is_right,
      array_agg(e.version order by e.version) filter (where e.is_leaf) as versions,
      array_agg(e.hash order by e.version) filter (where e.is_leaf) as hashes
    from (
      select e.version, e.hash, e.held_after,
        e.version = t.upto or (e.version - t.since) % 1000 = 0 as is_leaf,
        -- False, and not null, if the hold is missing.
        (
          e.version = t.since + row_number() over history
          -- Amounts that were changed may be at the end of what a bigint can be.
          and e.held_after = e.amount::numeric + lag(e.held_after, 1, coalesce(known.held_after, 0)) over history
          and e.created_at >= lag(e.created_at, 1, coalesce(known.created_at, '-infinity')) over history
          and h.account_id = e.account_id
          and case
            when e.id = e.hold_id then e.amount = h.amount and e.created_at = h.created_at
            else h.status <> 'open' and e.amount = -h.amount and e.created_at = h.ended_at and (
              h.status <> 'captured' or exists (
                select from transactions t
                where t.id = h.transaction_id and t.hold_id = h.id and t.account_id = h.account_id
                  and t.amount = h.captured and t.balance_after is not null
              )
            )
          end
          and e.hash = hold_hash(
            lag(e.hash, 1, t.since_hash) over history,
            e.account_id, e.version, e.hold_id, e.amount, e.held_after, e.created_at,
            case when e.id = e.hold_id then 'open' else h.status end, h.captured, h.transaction_id
          )
        ) is true as follows
      from hold_entries e
      left join lateral (select * from holds where holds.id = e.hold_id offset 0) h on true
      where e.account_id = t.id and e.version > t.since and e.version <= t.upto
      window history as (order by e.version)
    ) e
  ) history;
end;

-- Appends the leaves of some accounts, of their entries or of their holds, in the order of the accounts' ids:
-- those above `beyond`, up to `until`. It looks at no more than accounts_max accounts and entries_max
-- entries, so it ends soon however many there are. An account with more entries is sealed up to where the
-- step got; the next step goes on with it. (A round that ends before has given it its turn: the next begins
-- after it.)
--
-- Each account gets a leaf for its last version, and one for every thousandth since the last leaf. So a proof
-- of one transaction never needs more than a thousand entries.
--
-- If anything is wrong with an account's entries, or while its currency is stopped, it gets no leaf.
--
-- It must run in a REPEATABLE READ transaction. If two run at once, one of them fails with
-- serialization_failure, and is to be repeated.
create function seal_accounts(kind sealed_kind, beyond uuid, until uuid, accounts_max integer, entries_max integer)
returns seal_step
language plpgsql strict security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  old_size constant bigint := tree_size();
  passed seal_candidate[];
  looked_at seal_candidate[];
  taken seal_candidate[];
  last_taken seal_candidate;
  renewed seal_candidate[];
  findings seal_finding[];
  is_unfinished boolean;
  step seal_step;
begin
  if kind = 'entries' then
    passed := array(select c from accounts_with_entries(beyond, until, accounts_max) c order by c.id);
  else
    passed := array(select c from accounts_with_holds(beyond, until, accounts_max) c order by c.id);
  end if;
  looked_at := array(
    select c
    from unnest(passed) c
    where not exists (
      select from ledger_stops s
      where s.lifted_at is null
        and (s.currency is null or s.currency = (select a.currency from accounts a where a.id = c.id))
    )
    order by c.id
  );
  -- As many as come before the first that would be too much, and of that one as much as there is room for.
  taken := array(
    select row(
      c.id, c.version, c.hash, c.amount, c.since, c.since_hash, least(c.version, c.since + entries_max - c.before)
    )::seal_candidate
    from (
      -- Not as a bigint: a version that was changed may be at the end of what that can be.
      select l.*, coalesce(sum(greatest(l.version - l.since, 0)) over earlier, 0) as before
      from unnest(looked_at) l
      window earlier as (order by l.id rows between unbounded preceding and 1 preceding)
    ) c
    where c.before < entries_max
    order by c.id
  );
  last_taken := taken[cardinality(taken)];

  renewed := array(select t from unnest(taken) t where t.upto <> t.since order by t.id);
  if kind = 'entries' then
    findings := array(select f from examine_entries(renewed) f);
  else
    findings := array(select f from examine_holds(renewed) f);
  end if;

  with leaves as materialized (
    select old_size + row_number() over (order by f.id, leaf.version) - 1 as leaf, f.id as account_id,
      leaf.version, leaf.hash
    from unnest(findings) f
    cross join lateral unnest(f.versions, f.hashes) leaf (version, hash)
    where f.is_right
  ),
  of_entries as (
    insert into sealed (leaf, account_id, version, hash) select l.* from leaves l where kind = 'entries'
  ),
  of_holds as (
    insert into sealed_holds (leaf, account_id, version, hash) select l.* from leaves l where kind = 'holds'
  )
  insert into seal_nodes (level, index, hash)
  select 0, l.leaf, case kind
    when 'entries' then leaf_hash(l.account_id, l.version, l.hash)
    else hold_leaf_hash(l.account_id, l.version, l.hash)
  end
  from leaves l;
  get diagnostics step.leaves = row_count;
  perform grow_tree(old_size, old_size + step.leaves);

  step.broken := array(select f.id from unnest(findings) f where f.is_right is not true order by f.id);
  -- It can only be the last one. (A wrong one would be wrong again.)
  is_unfinished := last_taken.upto < last_taken.version and last_taken.id <> all (step.broken);
  step.next := case
    when is_unfinished then coalesce((taken[cardinality(taken) - 1]).id, beyond)
    when cardinality(taken) < cardinality(looked_at) then last_taken.id
    when cardinality(passed) = accounts_max then (passed[cardinality(passed)]).id
  end;
  insert into seal_rounds (kind, place)
  values (seal_accounts.kind, case when is_unfinished then last_taken.id else coalesce(step.next, until) end)
  on conflict on constraint seal_rounds_pkey do update set place = excluded.place;
  return step;
exception when unique_violation then
  raise 'another process is sealing' using errcode = 'serialization_failure';
end
$$;

grant select on seal_rounds to :functions_role;
revoke execute on function
  accounts_with_entries, accounts_with_holds, examine_entries, examine_holds, seal_accounts from public;
grant execute on function seal_accounts to :functions_role;
