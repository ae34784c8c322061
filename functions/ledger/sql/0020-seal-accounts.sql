-- Which accounts are sealed, and how.

-- What may be sealed: accounts, and how far their history is known to be right. This is the one place that
-- decides it.
create view sealable as
select a.id, a.version, a.last_hash as hash, a.balance from accounts a;

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
  old_size constant bigint := coalesce((select max(s.leaf) + 1 from sealed s), 0);
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
  linked as (
    select e.account_id, e.version, e.hash, e.balance_after, t.since, t.upto,
      e.version = t.since + row_number() over history
      and e.balance_after = e.amount + lag(e.balance_after, 1, t.since_balance) over history
      and e.created_at >= lag(e.created_at, 1, t.since_time) over history
      and e.hash = entry_hash(
        lag(e.hash, 1, t.since_hash) over history,
        e.account_id, e.version, e.transaction_id, e.amount, e.balance_after, e.created_at, e.value_date
      ) as follows
    from (
      select t.*, coalesce(b.balance_after, 0) as since_balance,
        coalesce(b.created_at, '-infinity') as since_time
      from taken t
      left join entries b on b.account_id = t.id and b.version = t.since
      where t.upto > t.since
    ) t
    join lateral (
      select * from entries e where e.account_id = t.id and e.version > t.since and e.version <= t.upto
    ) e on true
    window history as (partition by e.account_id order by e.version)
  ),
  right_ones as (
    select t.id
    from taken t
    join linked l on l.account_id = t.id
    group by t.id, t.since, t.upto, t.version, t.hash, t.balance
    having count(*) = t.upto - t.since and bool_and(l.follows)
      and (t.upto < t.version or bool_or(l.version = t.version and l.hash = t.hash and l.balance_after = t.balance))
  ),
  new_leaves as (
    insert into sealed (leaf, account_id, version, hash)
    select old_size + row_number() over (order by l.account_id, l.version) - 1, l.account_id, l.version, l.hash
    from linked l
    where l.account_id in (select id from right_ones) and (l.version = l.upto or (l.version - l.since) % 1000 = 0)
    returning sealed.*
  ),
  new_nodes as (
    insert into seal_nodes (level, index, hash)
    select 0, leaf, leaf_hash(account_id, version, hash) from new_leaves
  )
  select
    (select count(*) from new_leaves),
    case
      when bool_or(is_unfinished) then coalesce((array_agg(t.id order by t.id desc) filter (where not is_unfinished))[1], after)
      when count(*) = accounts_max or count(*) < (select count(*) from looked_at) then (array_agg(t.id order by t.id desc))[1]
    end,
    coalesce(array_agg(t.id order by t.id) filter (where is_wrong), '{}')
  into step
  from (
    -- A wrong account is finished: it would be wrong again.
    select t.id, t.upto < t.version and r.id is not null as is_unfinished, t.upto <> t.since and r.id is null as is_wrong
    from taken t
    left join right_ones r on r.id = t.id
  ) t;

  perform grow_tree(old_size, old_size + step.leaves);
  return step;
exception when unique_violation then
  raise 'another process is sealing' using errcode = 'serialization_failure';
end
$$;

revoke execute on function seal_accounts from public;
grant execute on function seal_accounts to :functions_role;
