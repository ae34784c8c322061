-- Fees. They are policies with versions: a new version is added, and none is ever changed or removed. So what
-- a transaction cost at any moment of the past is still known.

-- What a deposit, withdrawal or transfer in a currency costs. `rules` in minor units, the share in millionths
-- of the amount: {"fixed": 30, "share": 29000, "minimum": null, "maximum": 1000, "tiers": [...]}. A tier has
-- the same fields and `from`, the smallest amount that it is for. If `rules` is null, there is no fee.
create table fee_policies (
  version bigint generated always as identity primary key,
  currency text not null,
  type transaction_type not null check (type in ('deposit', 'withdrawal', 'transfer')),
  valid_from timestamptz not null,
  rules jsonb,
  set_by uuid not null,
  set_at timestamptz not null,
  reason text not null
);

-- By this the policy in force is found: the last one before a moment.
create index fee_policies_in_time on fee_policies (currency, type, valid_from, version);

create trigger append_only before update or delete or truncate on fee_policies
for each statement execute function refuse_change();

grant select on fee_policies to :functions_role;

-- Returns the id of the account that gets a currency's fees. Like the id of its cash account, it follows from
-- the currency's code, and sorts before the ids of all customers' accounts.
create function fees_account_id(currency text) returns uuid
language sql immutable strict parallel safe
return ('00000000-0000-7000-8001-' || lpad(encode(currency::bytea, 'hex'), 12, '0'))::uuid;

-- Returns the fee for an amount, in minor units; 0 if there are no rules. The terms are those of the highest
-- tier that begins at or below the amount, or the rules' own. They are for the whole amount. A share is
-- rounded to the nearest minor unit, and half a unit up. (The product is exact; a division would not be.)
create function fee_of(rules jsonb, amount bigint) returns bigint
language sql immutable parallel safe
return (
  select coalesce(
    least(
      greatest(
        (terms ->> 'fixed')::numeric + round(amount * (terms ->> 'share')::numeric * 0.000001),
        (terms ->> 'minimum')::numeric
      ),
      (terms ->> 'maximum')::numeric
    ),
    0
  )::bigint
  from (
    select coalesce(
      (
        select tier from jsonb_array_elements(rules -> 'tiers') tier
        where (tier ->> 'from')::numeric <= amount
        order by (tier ->> 'from')::numeric desc limit 1
      ),
      rules
    ) as terms
  ) chosen
);

-- Returns the rules in force at a moment; null if there is no fee.
create function fee_rules_at(currency text, type transaction_type, moment timestamptz) returns jsonb
language sql stable
return (
  select p.rules from fee_policies p
  where p.currency = fee_rules_at.currency and p.type = fee_rules_at.type and p.valid_from <= moment
  order by p.valid_from desc, p.version desc limit 1
);

-- Returns the ids of the accounts to which the requests of a batch may have to pay fees, or which may have to
-- give fees back; null if there are none. Fees that begin within the batch's time count too.
create function fees_accounts_of(requests posting_request[]) returns uuid[]
language sql
set enable_seqscan = off
return (
  select array_agg(distinct fees_account_id(c.currency))
  from (
    select k.currency
    from (
      select distinct currency, coalesce(type, 'transfer') as type from unnest(requests)
      where step is distinct from 'release' and reverses is null
    ) k
    where fee_rules_at(k.currency, k.type, date_trunc('milliseconds', clock_timestamp())) is not null
      or exists (
        select from fee_policies p
        where p.currency = k.currency and p.type = k.type and p.valid_from > now() and p.rules is not null
      )
    union all
    -- What is reversed may be an order that is being posted now: its fee can't be seen yet.
    select r.currency
    from unnest(requests) r
    where r.reverses is not null and exists (select from fee_policies p where p.currency = r.currency)
  ) c
);

-- Returns the fee of each request of a batch at a moment; null if it has none. A capture is a transfer, and a
-- hold has the fee that its capture would bear now. A reversal gives back the fee of the transaction that it
-- reverses.
create function fees_due(requests posting_request[], at timestamptz) returns bigint[]
language sql
set enable_seqscan = off
return (
  select array_agg(
    case
      when r.reverses is not null then -(select t.fee from transactions t where t.id = r.reverses)
      when r.step is distinct from 'release' then nullif(fee_of(k.rules, r.amount), 0)
    end
    order by r.ordinality
  )
  from unnest(requests) with ordinality r
  left join (
    select d.currency, d.type, fee_rules_at(d.currency, d.type, at) as rules
    from (select distinct currency, coalesce(type, 'transfer') as type from unnest(requests)) d
  ) k on k.currency = r.currency and k.type = coalesce(r.type, 'transfer')
);

-- Returns the two entries of a request's fee, which follow on the given entries of its account and of the
-- account for fees.
create function charge(
  request posting_request, fee bigint, at timestamptz,
  own_id uuid, own_version bigint, own_balance bigint, own_hash bytea,
  till_id uuid, till_version bigint, till_balance bigint, till_hash bytea
) returns fee_posting
language plpgsql
as $$
begin
  -- If it were missing, money would get lost.
  if till_id is distinct from fees_account_id(request.currency) then
    raise 'the account for fees in % is not locked', request.currency;
  end if;
  return row(
    fee,
    own_id, own_version + 1, own_balance - fee,
    entry_hash(
      own_hash, own_id, own_version + 1, request.id, -fee, own_balance - fee, at, request.value_date),
    till_id, till_version + 1, till_balance + fee,
    entry_hash(
      till_hash, till_id, till_version + 1, request.id, fee, till_balance + fee, at, request.value_date)
  )::fee_posting;
end
$$;

-- Writes the entries of the fees of a batch.
create function write_fees(requests posting_request[], judgements judgement[]) returns void
language sql
begin atomic
  insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, value_date, hash)
  select e.account_id, e.version, j.id, e.amount, e.balance_after, j.posted_at, j.value_date, e.hash
  from rows from (unnest(requests), unnest(judgements)) j
  cross join lateral (
    values
      ((j.fee).own_id, (j.fee).own_version, -(j.fee).amount, (j.fee).own_balance, (j.fee).own_hash),
      ((j.fee).till_id, (j.fee).till_version, (j.fee).amount, (j.fee).till_balance, (j.fee).till_hash)
  ) e (account_id, version, amount, balance_after, hash)
  where (j.fee).amount is not null;
end;

-- Adds a version of a fee, and opens the account for the currency's fees if there is none yet. It holds from
-- `valid_from`, or from now if that is null. Returns null if `valid_from` is not in the future.
--
-- A batch of postings locks this table in a mode that lets other batches and backups in, but not this. So
-- this waits for all batches that judge by the policies before, and those that come later wait for this. Then
-- the clock goes on to the next millisecond, because postings round theirs down. So every posting was judged
-- by the policies that were in force at its time.
create function set_fee(
  currency text, type transaction_type, rules jsonb, valid_from timestamptz, set_by uuid, reason text
) returns fee_policies
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
-- Postings wait as long as this waits.
set lock_timeout = '2s'
as $$
declare
  added fee_policies;
  at timestamptz;
begin
  -- Before the lock, as whoever opens an account with a deposit inserts `cash` first, and then asks for it.
  insert into accounts (id, kind, account_type, currency)
  values
    (cash_account_id(set_fee.currency), 'system', 'cash', set_fee.currency),
    (fees_account_id(set_fee.currency), 'system', 'fees', set_fee.currency)
  on conflict (id) do nothing;
  lock table fee_policies in exclusive mode;
  at := date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond';
  valid_from := date_trunc('milliseconds', valid_from);
  if valid_from < at then
    return null;
  end if;
  while clock_timestamp() < at loop
    perform pg_sleep(0.001);
  end loop;
  insert into fee_policies (currency, type, valid_from, rules, set_by, set_at, reason)
  values (
    set_fee.currency, set_fee.type, coalesce(valid_from, at), set_fee.rules, set_fee.set_by, at, set_fee.reason
  )
  returning * into added;
  return added;
end
$$;

-- Returns the fees in force at a moment, and those to come, by currency, type and time.
create function fees_from(moment timestamptz) returns setof fee_policies
language sql stable
begin atomic
  select p.*
  from fee_policies p
  where p.valid_from > moment or p.version = (
    select now.version from fee_policies now
    where now.currency = p.currency and now.type = p.type and now.valid_from <= moment
    order by now.valid_from desc, now.version desc limit 1
  )
  order by p.currency, p.type, p.valid_from, p.version;
end;

-- Returns what the transactions of a time have cost, and what they would have cost by other rules. Reads at
-- most `count_max` transactions of the bank, the newest ones; `is_complete` says whether these were all.
-- Ids begin with their time, so the primary key gives the newest first.
create function fee_trial(
  currency text, type transaction_type, rules jsonb, since timestamptz, count_max integer
)
returns table (
  transaction_count bigint, amount_sum numeric, fee_sum numeric, proposed_sum numeric, proposed_max bigint,
  is_complete boolean
)
language sql stable
set enable_seqscan = off
begin atomic
  with newest as materialized (
    select t.type, t.status, t.currency, t.amount, t.fee
    from transactions t
    where t.id > (
      lpad(to_hex((extract(epoch from since) * 1000)::bigint), 12, '0') || '70008000000000000000'
    )::uuid
    order by t.id desc limit count_max
  )
  select
    count(*) filter (where is_meant), coalesce(sum(n.amount) filter (where is_meant), 0),
    coalesce(sum(n.fee) filter (where is_meant), 0),
    coalesce(sum(fee_of(fee_trial.rules, n.amount)) filter (where is_meant), 0),
    coalesce(max(fee_of(fee_trial.rules, n.amount)) filter (where is_meant), 0),
    count(*) < count_max
  from (
    select *, n.type = fee_trial.type and n.currency = fee_trial.currency
      and n.status in ('completed', 'reversed') as is_meant
    from newest n
  ) n;
end;

revoke execute on function set_fee from public;
grant execute on function set_fee to :functions_role;
