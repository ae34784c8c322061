-- Posts a batch of transactions in one round trip and one commit. Returns one outcome per request, in any
-- order. A refusal is an outcome. An error means a defect, or a database in trouble; then nothing of the
-- batch is posted.
--
-- Two batches can't deadlock: both lock idempotency keys first, in their order, and then accounts, in the
-- order of their ids.
create function post_transactions(requests posting_request[]) returns setof posting_outcome
language plpgsql security definer
set search_path = public, pg_temp
-- Plans are kept for the life of a connection, and may be made while the tables are still empty. With these
-- settings they also suit full tables, if no statement joins a table that grows. Statements look rows up with
-- `any (array(...))` instead, by an index.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  verdicts text[] := claim(requests);
  judgements judgement[];
  at timestamptz;
begin
  -- A caller repeats the request of a pending order without `respond-async`: post the order now.
  if 'pending' = any (verdicts) then
    requests := as_orders(requests, verdicts);
    verdicts := claim(requests);
  end if;
  judgements := settle(requests, verdicts);
  at := judgements[1].posted_at;
  return query
  with judged as materialized (
    select *,
      case
        when outcome = 'posted' then 'completed'::transaction_status
        when requested and outcome <> 'replay' then 'rejected'
      end as status,
      coalesce(user_id, caller_id) as owner_id,
      case type when 'deposit' then payee_balance else payer_balance end as balance_after,
      case when to_account_id is not null then payee_balance end as to_balance_after
    from rows from (unnest(requests), unnest(judgements)) with ordinality
  ),
  new_transactions as (
    insert into transactions (
      id, type, status, account_id, to_account_id, amount, currency, description, metadata,
      user_id, to_user_id, balance_after, to_balance_after, refusal, created_at
    )
    select id, type, status, account_id, to_account_id, amount, currency, description, metadata,
      owner_id, to_user_id, balance_after, to_balance_after, case status when 'rejected' then outcome end, at
    from judged
    where status is not null
  ),
  new_entries as (
    insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, hash)
    select payer_id, payer_version, id, -amount, payer_balance, at, payer_hash from judged
    where status = 'completed'
    union all
    select payee_id, payee_version, id, amount, payee_balance, at, payee_hash from judged
    where status = 'completed'
  ),
  -- The events themselves are derived from the transactions; see transaction_event().
  new_pending as (
    insert into outbox_pending (id, event_ids, traceparents)
    select pending_id, array_agg(event_id_of(id)),
      case
        when min(traceparent collate "C") = max(traceparent collate "C") then array[min(traceparent collate "C")]
        else array_agg(traceparent)
      end
    from judged
    where status is not null
    group by pending_id
  )
  select ordinality::integer, outcome, false, id, balance_after, at, status, owner_id, to_user_id, to_balance_after
  from judged
  where outcome <> 'replay';

  if verdicts is not null then
    return query
    select outcome.*
    from rows from (unnest(requests), unnest(verdicts)) with ordinality r
    cross join lateral earlier_outcome(requests[r.ordinality], r.ordinality::integer) outcome
    where r.unnest = 'replay';
  end if;
end
$$;

revoke execute on function post_transactions from public;
grant execute on function post_transactions to :functions_role;
