-- The audit of the books. A transaction says who asked for it, so no row of the audit repeats it: the rows
-- are derived. What else changes in the ledger has its rows in `audit`, orders too.

-- Writes into the audit who placed and released holds. A capture is a transaction.
create function audit_holds(requests posting_request[], judgements judgement[]) returns void
language sql
begin atomic
  insert into audit (
    caller_id, caller_role, via, operation, route, subject, owner_id, address, trace_id, outcome, details
  )
  select caller_id, caller_role, via, operation,
    case step when 'place' then 'POST /holds' else 'POST /holds/{id}/release' end,
    hold_id, user_id, address, substr(traceparent, 4, 32)::uuid, 'changed',
    jsonb_build_object(
      'account_id', account_id, 'amount', decimal_amount(hold_amount, currency_exponent(currency)),
      'currency', currency
    )
  from rows from (unnest(requests), unnest(judgements))
  where step in ('place', 'release') and outcome = 'posted';
end;

-- What others than the owner asked for, and what was refused. Transfers never touch this index; the
-- transactions that owners asked for themselves are found by walking over all.
create index transactions_asked on transactions (coalesce(caller_id, user_id), id)
where caller_id is not null or status = 'rejected';

-- A transaction that waits to be posted is not here: the row of its order says who asked for it.
create view audit_of_transactions as
select
  t.id,
  -- When it was asked for. (Ids that are not of version 7 have no time.)
  coalesce(uuid_extract_timestamp(t.id), t.created_at) as at,
  coalesce(t.caller_id, nullif(t.user_id, '00000000-0000-0000-0000-000000000000')) as caller_id,
  case
    -- Only operators move the money of others.
    when t.caller_id is not null then 'operator'
    when t.user_id = '00000000-0000-0000-0000-000000000000' then 'bank'
  end as caller_role,
  t.via,
  case
    when t.reverses is not null then 'reverse-transaction'
    when t.to_account_id = clearing_account_id(t.currency) then 'clearing'
    when t.hold_id is not null then 'capture-hold'
    when t.type = 'withdrawal' then 'withdraw'
    else t.type::text
  end as operation,
  null::text as route,
  t.id::text as subject,
  -- The user of a transaction that was refused is who asked for it, and need not own the account.
  case when t.status <> 'rejected' then
    nullif(t.user_id, '00000000-0000-0000-0000-000000000000')
  end as owner_id,
  t.address,
  t.trace_id,
  -- A transaction that was reversed later was completed all the same.
  case t.status when 'reversed' then 'completed' else t.status::text end as outcome,
  jsonb_strip_nulls(jsonb_build_object(
    'account_id', t.account_id, 'to_account_id', t.to_account_id,
    'amount', decimal_amount(t.amount, currency_exponent(t.currency)), 'currency', t.currency,
    'refusal', t.refusal, 'reverses', t.reverses, 'hold_id', t.hold_id
  )) as details
from transactions t
where t.status <> 'pending';

create or replace view audit_log as
select
  id, at, caller_id, caller_role, via, operation, route, subject, owner_id, address, trace_id, outcome, details
from audit
union all
select
  id, at, caller_id, caller_role, via, operation, route, subject, owner_id, address, trace_id, outcome, details
from audit_of_transactions;

grant select on audit_of_transactions to :functions_role;
