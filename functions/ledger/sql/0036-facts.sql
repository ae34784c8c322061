-- The ledger's facts: see eventing/sql/0002-facts.sql.

-- The id of a transaction, or of an entry of a hold, is made when it is requested, and `created_at` is read
-- when it is posted. An order may be posted hours after its request, and its id is then before everything
-- that was counted. So what was posted more than 30 seconds after its id counts by the time of its posting,
-- which is never before its database transaction. These are few, and have indexes of their own.
create function is_late(id uuid, created_at timestamptz) returns boolean
language sql immutable parallel safe
return coalesce(created_at - uuid_extract_timestamp(id) > interval '30 seconds', true);

create index transactions_late on transactions (created_at)
where status <> 'pending' and is_late(id, created_at);
create index hold_entries_late on hold_entries (created_at) where is_late(id, created_at);

-- Returns an amount in minor units in units of its currency: 20000 cents are 200.
create function major_units(minor_units numeric, currency text) returns numeric
language sql immutable parallel safe
return minor_units * (array[1, 0.1, 0.01, 0.001, 0.0001])[currency_exponent(currency) + 1];

-- Transactions with an outcome, by their keys. A transfer of the bank's own is none of a customer's, and has
-- no event; see transaction_event().
create function outcomes_since(after uuid, until uuid) returns setof transactions
language sql stable
begin atomic
  select * from transactions
  where id > after and id <= until and status <> 'pending' and not is_late(id, created_at)
    and user_id <> '00000000-0000-0000-0000-000000000000'
  union all
  select * from transactions
  where created_at > moment_of_id(after) and created_at <= moment_of_id(until)
    and status <> 'pending' and is_late(id, created_at) and user_id <> '00000000-0000-0000-0000-000000000000';
end;

-- Counts transactions, their amounts in units of the currency, and their events. What was reversed later was
-- completed all the same.
create function transactions_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  with outcomes as materialized (
    select t.type, t.balance_after is not null as is_completed, t.currency, count(*) as count, sum(t.amount) as amount
    from outcomes_since(after, until) t
    group by 1, 2, 3
  )
  select 'microbank_transactions_total', jsonb_build_object(
    'type', type, 'status', case when is_completed then 'completed' else 'rejected' end, 'currency', currency
  ), count
  from outcomes
  union all
  select 'microbank_transaction_amount_total', jsonb_build_object('type', type, 'currency', currency),
    major_units(amount, currency)
  from outcomes
  where is_completed
  union all
  select 'microbank_events_total', jsonb_build_object('type', e.type), sum(e.count)
  from (
    select count, case
      when not is_completed then 'transaction.rejected'
      when type = 'reversal' then 'transaction.reversed'
      else 'transaction.completed'
    end as type
    from outcomes
  ) e
  group by e.type;
end;

-- Counts the events of holds; see hold_event().
create function holds_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  select 'microbank_events_total', jsonb_build_object('type', e.type), count(*)
  from (
    select case when e.id = e.hold_id then 'hold.placed' else 'hold.' || h.status end as type
    from (
      select * from hold_entries where id > after and id <= until and not is_late(id, created_at)
      union all
      select * from hold_entries
      where created_at > moment_of_id(after) and created_at <= moment_of_id(until) and is_late(id, created_at)
    ) e
    join holds h on h.id = e.hold_id
  ) e
  group by e.type;
end;

insert into facts_totals (name, labels)
select 'microbank_events_total', jsonb_build_object('type', type)
from unnest(array[
  'account.closed', 'account.frozen', 'account.opened', 'account.unfrozen', 'fees.changed', 'hold.captured',
  'hold.expired', 'hold.placed', 'hold.released', 'ledger.broken', 'ledger.resumed', 'ledger.sealed', 'ledger.stopped',
  'ledger.verified', 'limits.changed', 'overdraft.changed', 'transaction.completed', 'transaction.rejected',
  'transaction.requested', 'transaction.reversed'
]) type;

-- Returns the currencies that have accounts. These are the ids of cash accounts; see cash_account_id().
create function currencies() returns setof text
language sql stable
begin atomic
  select currency from accounts
  where id between '00000000-0000-7000-8000-000000000000' and '00000000-0000-7000-8000-ffffffffffff';
end;

-- Returns, with 0, the series of transactions that have no total yet: all of a currency that is new.
create function new_series() returns setof sample
language sql stable
begin atomic
  select s.name, s.labels, 0
  from currencies() currency
  cross join unnest(enum_range(null::transaction_type)) type
  cross join lateral (
    select 'microbank_transactions_total', jsonb_build_object('type', type, 'status', status, 'currency', currency)
    from unnest(array['completed', 'rejected']) status
    union all
    select 'microbank_transaction_amount_total', jsonb_build_object('type', type, 'currency', currency)
  ) s (name, labels)
  where not exists (select from facts_totals t where t.name = s.name and t.labels = s.labels);
end;

create or replace function facts_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  select * from outbox_since(after, until)
  union all select * from transactions_since(after, until)
  union all select * from holds_since(after, until)
  union all select * from new_series();
end;

create or replace function facts_until(after uuid, horizon uuid, rows_max integer) returns uuid
language sql stable
begin atomic
  select least(
    horizon, outbox_until(after, horizon, rows_max),
    (select id from transactions where id > after and id <= horizon order by id offset rows_max - 1 limit 1),
    (select id from hold_entries where id > after and id <= horizon order by id offset rows_max - 1 limit 1)
  );
end;

-- Which currencies are stopped. All that have accounts are told, so that a series is there before it is 1.
create function ledger_facts() returns setof sample
language sql stable security definer
set search_path = public, pg_temp
begin atomic
  select 'microbank_ledger_stopped', jsonb_build_object('currency', currency), exists (
    select from ledger_stops s where s.lifted_at is null and (s.currency is null or s.currency = c.currency)
  )::integer
  from currencies() c (currency);
end;

-- One look at all accounts: the balances of customers and of everybody, and who moved money lately.
create function account_facts() returns setof sample
language sql stable security definer
set search_path = public, pg_temp
begin atomic
  with groups as materialized (
    select a.kind, a.account_type, a.currency, a.status, count(*) as count, sum(a.balance) as balance,
      sum(a.held) as held,
      count(*) filter (where a.posted_at > now() - interval '1 day') as active_1d,
      count(*) filter (where a.posted_at > now() - interval '30 days') as active_30d
    from accounts a
    group by 1, 2, 3, 4
  )
  select 'microbank_accounts', jsonb_build_object(
    'account_type', account_type, 'currency', currency, 'status', status
  ), count
  from groups
  where kind = 'customer'
  union all
  select 'microbank_accounts_active', jsonb_build_object('window', w.name), w.count
  from (
    select coalesce(sum(active_1d), 0) as last_day, coalesce(sum(active_30d), 0) as last_30_days
    from groups where kind = 'customer'
  ) active
  cross join lateral (values ('1d', last_day), ('30d', last_30_days)) w (name, count)
  union all
  select 'microbank_deposits_held', jsonb_build_object('currency', currency), major_units(sum(balance), currency)
  from groups
  where kind = 'customer'
  group by currency
  union all
  select 'microbank_holds_amount', jsonb_build_object('currency', currency), major_units(sum(held), currency)
  from groups
  where kind = 'customer'
  group by currency
  union all
  select 'microbank_ledger_imbalance', jsonb_build_object('currency', currency), sum(balance)
  from groups
  group by currency;
end;

-- What the checks of the books have found when each last came to its end; see stops/findings.ts. A fault
-- without a number counts as one.
create function check_facts() returns setof sample
language sql stable security definer
set search_path = public, pg_temp
begin atomic
  select 'microbank_ledger_violations', jsonb_build_object('check', name),
    case when ok then 0 else greatest(coalesce((figures ->> 'faults')::numeric, 1), 1) end
  from ledger_checks
  union all
  -- When the night's checks have all ended. The others run every few minutes, but one only if it is needed.
  select 'microbank_ledger_verified_timestamp_seconds', '{}'::jsonb, extract(epoch from min(checked_at))
  from ledger_checks
  where name <> 'all_transactions'
  having bool_or(name = 'chains');
end;

create or replace function facts() returns setof sample
language sql stable
begin atomic
  select * from database_facts()
  union all select * from ledger_facts()
  union all select * from check_facts();
end;

create or replace function slow_facts() returns setof sample
language sql stable
begin atomic
  select 'pg_database_size_bytes', '{}'::jsonb, pg_database_size(current_database())
  union all select * from account_facts();
end;

revoke execute on function ledger_facts, account_facts, check_facts from public;
grant execute on function ledger_facts, account_facts, check_facts to :meter_role;
