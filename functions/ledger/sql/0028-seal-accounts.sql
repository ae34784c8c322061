-- Which accounts are sealed, and how; and their holds.

-- What may be sealed: each account, up to where its history was checked (0016-check.sql), unless its currency
-- is stopped. This is the one place that decides it.
create view sealable as
select c.account_id as id, c.version, c.hash, c.balance
from checked c
where not exists (select from ledger_stops s where s.lifted_at is null)
  or not exists (
    select from ledger_stops s
    join accounts a on a.id = c.account_id
    where s.lifted_at is null and (s.currency is null or s.currency = a.currency)
  );

-- One step of a round over the accounts: how many leaves it appended, after which account the next step goes
-- on (null if the round is over), and the accounts whose entries do not follow from what was sealed before.
create type seal_step as (leaves bigint, next uuid, broken uuid[]);

-- Appends the leaves of some accounts, in the order of their ids: those above `after`, up to `until`. It
-- looks at no more than accounts_max accounts and entries_max entries, so it ends soon however many there
-- are. An account with more entries is sealed up to where the step got; the next step goes on with it.
--
-- Each account gets a leaf for its last version, and one for every thousandth since the last leaf. So a proof
-- of one transaction never needs more than a thousand entries.
--
-- Before an account is sealed, its entries since the last leaf are checked against each other and against
-- that leaf, and the last one against the account. If anything is wrong, the account gets no leaf.
--
-- It must run in a REPEATABLE READ transaction. If two run at once, one of them fails with
-- serialization_failure, and is to be repeated.
create function seal_accounts(after uuid, until uuid, accounts_max integer, entries_max integer) returns seal_step
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  old_size constant bigint := tree_size();
  step seal_step;
begin
  with looked_at as (
    select a.id, a.version, a.hash, a.balance,
      coalesce(s.version, 0) as since,
      coalesce(s.hash, decode(repeat('00', 32), 'hex')) as since_hash,
      coalesce(sum(greatest(a.version - coalesce(s.version, 0), 0)) over earlier, 0)::bigint as entries_before
    from (
      select * from sealable a where a.id > after and a.id <= until order by a.id limit accounts_max
    ) a
    left join lateral (
      select s.version, s.hash from sealed s where s.account_id = a.id order by s.version desc limit 1
    ) s on true
    window earlier as (order by a.id rows between unbounded preceding and 1 preceding)
  ),
  taken as materialized (
    select *, least(version, since + entries_max - entries_before) as upto
    from looked_at
    where entries_before < entries_max
  ),
  judged as materialized (
    select t.id, t.version, t.since, t.upto, history.*
    from taken t
    left join entries known on known.account_id = t.id and known.version = t.since
    cross join lateral (
      select
        count(*) = t.upto - t.since and bool_and(e.follows) and (
          t.upto < t.version or bool_or(e.version = t.version and e.hash = t.hash and e.balance_after = t.balance)
        ) as is_right,
        array_agg(e.version order by e.version) filter (where e.is_leaf) as versions,
        array_agg(e.hash order by e.version) filter (where e.is_leaf) as hashes
      from (
        select e.version, e.hash, e.balance_after,
          e.version = t.upto or (e.version - t.since) % 1000 = 0 as is_leaf,
          e.version = t.since + row_number() over history
          and e.balance_after = e.amount + lag(e.balance_after, 1, coalesce(known.balance_after, 0)) over history
          and e.created_at >= lag(e.created_at, 1, coalesce(known.created_at, '-infinity')) over history
          and e.hash = entry_hash(
            lag(e.hash, 1, t.since_hash) over history,
            e.account_id, e.version, e.transaction_id, e.amount, e.balance_after, e.created_at, e.value_date
          ) as follows
        from entries e
        where e.account_id = t.id and e.version > t.since and e.version <= t.upto
        window history as (order by e.version)
      ) e
    ) history
    where t.upto <> t.since
  ),
  new_leaves as (
    insert into sealed (leaf, account_id, version, hash)
    select old_size + row_number() over (order by j.id, leaf.version) - 1, j.id, leaf.version, leaf.hash
    from judged j
    cross join lateral unnest(j.versions, j.hashes) leaf (version, hash)
    where j.is_right
    returning sealed.*
  ),
  new_nodes as (
    insert into seal_nodes (level, index, hash)
    select 0, leaf, leaf_hash(account_id, version, hash) from new_leaves
  )
  select
    (select count(*) from new_leaves),
    case
      -- An account that is not finished is the last one, and comes again. (A wrong one would be wrong again.)
      when exists (select from judged j where j.is_right and j.upto < j.version) then coalesce(
        (select t.id from taken t where t.upto >= t.version order by t.id desc limit 1), after
      )
      when (select count(*) from taken) = accounts_max or (select count(*) from taken) < (select count(*) from looked_at)
      then (select t.id from taken t order by t.id desc limit 1)
    end,
    array(select j.id from judged j where j.is_right is not true order by j.id)
  into step;

  perform grow_tree(old_size, old_size + step.leaves);
  return step;
exception when unique_violation then
  raise 'another process is sealing' using errcode = 'serialization_failure';
end
$$;

-- One step of a round over the accounts' holds: like seal_accounts(), of the entries of holds. It goes from
-- one account that has ever held something to the next, so accounts without holds cost nothing.
--
-- Before an account's holds are sealed, their entries since the last leaf are checked against each other,
-- against that leaf, and against the holds and the transactions that captured them; and the last one against
-- what the account holds. If anything is wrong, or while the account's currency is stopped, the account gets
-- no leaf of holds.
create function seal_holds(after uuid, until uuid, accounts_max integer, entries_max integer) returns seal_step
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  old_size constant bigint := tree_size();
  step seal_step;
begin
  with recursive passed (id, n) as (
    (
      select e.account_id, 1
      from hold_entries e
      where e.account_id > after and e.account_id <= until
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
  ),
  looked_at as materialized (
    select a.id, a.held, last.version, last.hash,
      coalesce(s.version, 0) as since, coalesce(s.hash, first_hold_hash()) as since_hash,
      coalesce(sum(greatest(last.version - coalesce(s.version, 0), 0)) over earlier, 0)::bigint as entries_before
    from passed p
    cross join lateral (select * from accounts where id = p.id offset 0) a
    cross join lateral (
      select e.version, e.hash from hold_entries e where e.account_id = p.id order by e.version desc limit 1
    ) last
    left join lateral (
      select s.version, s.hash from sealed_holds s where s.account_id = p.id order by s.version desc limit 1
    ) s on true
    where not exists (
      select from ledger_stops s where s.lifted_at is null and (s.currency is null or s.currency = a.currency)
    )
    window earlier as (order by a.id rows between unbounded preceding and 1 preceding)
  ),
  taken as materialized (
    select *, least(version, since + entries_max - entries_before) as upto
    from looked_at
    where entries_before < entries_max
  ),
  judged as materialized (
    select t.id, t.version, t.since, t.upto, history.*
    from taken t
    left join lateral (
      select e.held_after, e.created_at
      from hold_entries e
      where e.account_id = t.id and e.version = t.since
      offset 0
    ) known on true
    cross join lateral (
      select
        count(*) = t.upto - t.since and bool_and(e.follows) and (
          t.upto < t.version or bool_or(e.version = t.version and e.hash = t.hash and e.held_after = t.held)
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
        left join lateral (select * from holds where id = e.hold_id offset 0) h on true
        where e.account_id = t.id and e.version > t.since and e.version <= t.upto
        window history as (order by e.version)
      ) e
    ) history
    where t.upto <> t.since
  ),
  new_leaves as (
    insert into sealed_holds (leaf, account_id, version, hash)
    select old_size + row_number() over (order by j.id, leaf.version) - 1, j.id, leaf.version, leaf.hash
    from judged j
    cross join lateral unnest(j.versions, j.hashes) leaf (version, hash)
    where j.is_right
    returning sealed_holds.*
  ),
  new_nodes as (
    insert into seal_nodes (level, index, hash)
    select 0, leaf, hold_leaf_hash(account_id, version, hash) from new_leaves
  )
  select
    (select count(*) from new_leaves),
    case
      -- An account that is not finished is the last one, and comes again. (A wrong one would be wrong again.)
      when exists (select from judged j where j.is_right and j.upto < j.version) then coalesce(
        (select t.id from taken t where t.upto >= t.version order by t.id desc limit 1), after
      )
      when (select count(*) from taken) < (select count(*) from looked_at)
      then (select t.id from taken t order by t.id desc limit 1)
      when (select count(*) from passed) = accounts_max then (select p.id from passed p order by p.n desc limit 1)
    end,
    array(select j.id from judged j where j.is_right is not true order by j.id)
  into step;

  perform grow_tree(old_size, old_size + step.leaves);
  return step;
exception when unique_violation then
  raise 'another process is sealing' using errcode = 'serialization_failure';
end
$$;

revoke execute on function seal_accounts, seal_holds from public;
grant execute on function seal_accounts, seal_holds to :functions_role;
