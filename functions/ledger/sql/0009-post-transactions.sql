-- Posts a batch of transactions in one round trip and one commit. Returns one outcome per request, in any
-- order. A refusal is an outcome. An error means a defect, or a database in trouble; then nothing of the
-- batch is posted. `has_subjects` must be true if a request concerns a hold, or reverses a transaction.
--
-- Two batches can't deadlock: both lock idempotency keys first, in their order, and then accounts, in the
-- order of their ids.
create function post_transactions(requests posting_request[], has_subjects boolean default false)
returns setof posting_outcome
language plpgsql security definer
set search_path = public, pg_temp
-- Plans are kept for the life of a connection, and may be made while the tables are still empty. With these
-- settings they also suit full tables, if no statement joins a table that grows. Statements look rows up with
-- `any (array(...))` instead, by an index.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  verdicts text[];
  judgements judgement[];
  at timestamptz;
begin
  verdicts := claim(requests);
  -- A caller repeats the request of a pending order without `respond-async`: post the order now.
  if 'pending' = any (verdicts) then
    requests := as_orders(requests, verdicts);
    verdicts := claim(requests);
  end if;
  judgements := settle(requests, verdicts, has_subjects, false);
  at := judgements[1].posted_at;
  return query
  with judged as materialized (
    select *,
      case
        when outcome = 'posted' then case when payer_id is not null then 'completed'::transaction_status end
        when requested and outcome <> 'replay' then 'rejected'
      end as status,
      coalesce(user_id, caller_id) as owner_id,
      case
        when (fee).own_balance is not null then (fee).own_balance
        when type = 'deposit' or not is_debit then payee_balance
        else payer_balance
      end as balance_after,
      -- The balance of the bank's own account concerns no customer.
      case when to_user_id is not null then case when is_debit is false then payer_balance else payee_balance end
        end as to_balance_after
    from rows from (unnest(requests), unnest(judgements)) with ordinality
  ),
  new_transactions as (
    insert into transactions (
      id, type, status, account_id, to_account_id, amount, currency, description, metadata,
      user_id, to_user_id, balance_after, to_balance_after, refusal, created_at,
      value_date, fee, hold_id, reverses, caller_id, trace_id, address, via
    )
    select id, type, status, account_id, to_account_id, amount, currency, description, metadata,
      owner_id, to_user_id, balance_after, to_balance_after, case status when 'rejected' then outcome end, at,
      value_date, (fee).amount, hold_id, reverses, nullif(caller_id, owner_id), substr(traceparent, 4, 32)::uuid, address, via
    from judged
    where status is not null
  ),
  new_entries as (
    insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, value_date, hash)
    select payer_id, payer_version, id, -amount, payer_balance, at, value_date, payer_hash from judged
    where status = 'completed'
    union all
    select payee_id, payee_version, id, amount, payee_balance, at, value_date, payee_hash from judged
    where status = 'completed'
  ),
  -- See 0025-search.sql.
  new_searchable as (
    insert into search_queue (created_at, transaction_id, user_id, to_user_id)
    select at, id, owner_id, to_user_id
    from judged
    where status is not null and (description is not null or metadata is not null)
  ),
  -- The events themselves are derived from the transactions and the entries of holds; see transaction_event()
  -- and hold_event().
  new_pending as (
    insert into outbox_pending (id, event_ids, traceparents)
    select pending_id, array_agg(event_id_of(fact_id)),
      case
        when min(traceparent collate "C") = max(traceparent collate "C") then array[min(traceparent collate "C")]
        else array_agg(traceparent)
      end
    from (
      select pending_id, id as fact_id, traceparent from judged where status is not null
      union all
      select pending_id, hold_entry_id, traceparent from judged where hold_entry_id is not null
    ) facts
    group by pending_id
  )
  select ordinality::integer, outcome, false, id, balance_after, at, status, owner_id, to_user_id, to_balance_after,
    hold_entry_id, hold_amount, (fee).amount,
    -- This statement begins after the posting has, so it sees every watch that was there by then.
    (select exists (select from posting_watches)) and is_watched(array[owner_id, to_user_id])
  from judged
  where outcome <> 'replay';

  if has_subjects then
    perform write_subjects(requests, judgements);
    perform audit_holds(requests, judgements);
  end if;
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
