-- Proofs of the ledger. Each returns what is wrong; an empty result is good. They read everything and lock
-- nothing. In one REPEATABLE READ transaction they all see the ledger at the same moment.

-- Currencies whose balances do not add up to zero.
create function verify_sums() returns table (currency text, balance_sum numeric)
language sql stable
begin atomic
  select a.currency, sum(a.balance) from accounts a group by a.currency having sum(a.balance) <> 0;
end;

-- Transactions whose entries do not add up to zero, or are not two (four with a fee); and entries without a
-- completed transaction.
create function verify_transactions() returns table (transaction_id uuid, entry_count bigint, entry_sum numeric)
language sql stable
begin atomic
  select coalesce(t.id, e.transaction_id), coalesce(e.entry_count, 0), coalesce(e.entry_sum, 0)
  from (
    select e.transaction_id, count(*) as entry_count, sum(e.amount) as entry_sum
    from entries e
    group by e.transaction_id
  ) e
  full join (
    select t.id, case when t.fee is null then 2 else 4 end as expected from transactions t where t.balance_after is not null
  ) t on t.id = e.transaction_id
  where t.id is null or e.entry_count is distinct from t.expected or e.entry_sum <> 0;
end;

-- Accounts whose balance, number of entries or last hash differs from their entries.
create function verify_balances()
returns table (account_id uuid, balance bigint, entry_sum numeric, version bigint, entry_count bigint)
language sql stable
begin atomic
  select coalesce(a.id, e.account_id), a.balance, coalesce(e.entry_sum, 0), a.version, coalesce(e.entry_count, 0)
  from accounts a
  full join (
    select e.account_id, sum(e.amount) as entry_sum, count(*) as entry_count
    from entries e
    group by e.account_id
  ) e on e.account_id = a.id
  left join entries last_entry on last_entry.account_id = a.id and last_entry.version = a.version
  where a.balance is distinct from coalesce(e.entry_sum, 0)
    or a.version is distinct from coalesce(e.entry_count, 0)
    or a.version > 0 and last_entry.hash is distinct from a.last_hash;
end;

-- Entries that do not follow from the account's entry before: a gap in the versions, a balance other than the
-- one before plus the amount, an earlier time, or a hash that does not match the content. The entry before is
-- found by a hash join with all entries. A window function would need them sorted by account and version; for
-- ten million entries that takes six times as long.
create function verify_chains() returns table (account_id uuid, version bigint, problem text)
language sql stable
begin atomic
  select c.account_id, c.version, c.problem
  from (
    select e.account_id, e.version,
      case
        when (e.version = 1) <> (before.version is null) then 'gap'
        when e.balance_after <> coalesce(before.balance_after, 0) + e.amount then 'balance'
        when e.created_at < before.created_at then 'time'
        when e.hash <> entry_hash(
          coalesce(before.hash, decode(repeat('00', 32), 'hex')),
          e.account_id, e.version, e.transaction_id, e.amount, e.balance_after, e.created_at, e.value_date
        ) then 'hash'
      end as problem
    from entries e
    left join entries before on before.account_id = e.account_id and before.version = e.version - 1
  ) c
  where c.problem is not null;
end;

-- Accounts whose held amount is not the sum of their open holds.
create function verify_holds() returns table (account_id uuid, held bigint, hold_sum numeric)
language sql stable
begin atomic
  select a.id, a.held, coalesce(h.hold_sum, 0)
  from accounts a
  left join (
    select h.account_id, sum(h.amount) as hold_sum from holds h where h.status = 'open' group by h.account_id
  ) h on h.account_id = a.id
  where a.held <> coalesce(h.hold_sum, 0);
end;

-- Entries of holds that do not follow from the account's entry of a hold before, as in verify_chains(); and
-- accounts whose held amount is not the one after their last.
create function verify_hold_chains() returns table (account_id uuid, version bigint, problem text)
language sql stable
begin atomic
  select c.account_id, c.version, c.problem
  from (
    select e.account_id, e.version,
      case
        when (e.version = 1) <> (before.version is null) then 'gap'
        when e.held_after <> coalesce(before.held_after, 0) + e.amount then 'held'
        when e.created_at < before.created_at then 'time'
        when e.hash <> hold_hash(
          coalesce(before.hash, first_hold_hash()),
          e.account_id, e.version, e.hold_id, e.amount, e.held_after, e.created_at,
          case when e.id = e.hold_id then 'open' else h.status end, h.captured, h.transaction_id
        ) then 'hash'
      end as problem
    from hold_entries e
    left join hold_entries before on before.account_id = e.account_id and before.version = e.version - 1
    left join holds h on h.id = e.hold_id
  ) c
  where c.problem is not null
  union all
  select a.id, last.version, 'account'
  from accounts a
  left join (
    select distinct on (e.account_id) e.account_id, e.version, e.held_after
    from hold_entries e
    order by e.account_id, e.version desc
  ) last on last.account_id = a.id
  where a.held <> coalesce(last.held_after, 0);
end;

-- Holds that do not agree with their entries: one when it was placed and, unless it is open, one when it
-- ended; nor with the transaction that captured them.
create function verify_hold_entries() returns table (hold_id uuid, problem text)
language sql stable
begin atomic
  select coalesce(h.id, e.hold_id),
    case
      when h.id is null or e.hold_id is null then 'missing'
      when e.placed is distinct from h.amount then 'placed'
      when e.ended is distinct from case when h.status <> 'open' then -h.amount end then 'ended'
      else 'captured'
    end
  from holds h
  full join (
    select e.hold_id, count(*) as count, sum(e.amount) filter (where e.id = e.hold_id) as placed,
      sum(e.amount) filter (where e.id <> e.hold_id) as ended
    from hold_entries e
    group by e.hold_id
  ) e on e.hold_id = h.id
  left join transactions t on t.id = h.transaction_id
  where h.id is null or e.hold_id is null
    or e.placed is distinct from h.amount
    or e.ended is distinct from case when h.status <> 'open' then -h.amount end
    or h.status = 'captured' and (t.hold_id is distinct from h.id or t.amount is distinct from h.captured);
end;

-- Reversed transactions and reversals that do not name each other, or differ in what they moved, between
-- which accounts and at which fee; and those after which an account does not have what it had before.
create function verify_reversals() returns table (transaction_id uuid, other_id uuid)
language sql stable
begin atomic
  select t.id, coalesce(t.reverses, t.reversed_by)
  from transactions t
  where t.reverses is not null and not exists (
    select from transactions o
    where o.id = t.reverses and o.reversed_by = t.id and (o.amount, o.currency) = (t.amount, t.currency)
      and o.account_id = t.account_id and o.to_account_id is not distinct from t.to_account_id
      and o.fee is not distinct from -t.fee
  )
  or t.reversed_by is not null and not exists (
    select from transactions r where r.id = t.reversed_by and r.reverses = t.id
  )
  union
  select r.id, r.reverses
  from (
    select t.id, t.reverses, e.account_id, e.amount
    from transactions t join entries e on e.transaction_id = t.id
    where t.reverses is not null
    union all
    select t.id, t.reverses, e.account_id, e.amount
    from transactions t join entries e on e.transaction_id = t.reverses
    where t.reverses is not null
  ) r
  group by r.id, r.reverses, r.account_id
  having sum(r.amount) <> 0;
end;
