-- Stores an order: a transaction requested with `Prefer: respond-async`, which will be posted later under the
-- same id. `body` is one posting_request. `event` is its transaction.requested, ready to publish. Both are
-- stored in one database transaction, so every order has its event, and is in the audit.
--
-- The outcome is 'pending', with the data of the order's event. If the key came before with an order, these
-- are the data of that order, whatever its outcome. If the key came before without `respond-async`, the
-- outcome is that request's.
create function request_transaction(body json, event json)
returns table (
  outcome text, replayed boolean, transaction_id uuid, balance_after bigint, posted_at timestamptz, order_data text,
  fee bigint
)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  request constant posting_request := json_populate_record(null::posting_request, body);
  requested constant outbox := json_populate_record(null::outbox, event);
  verdict text;
  earlier posting_outcome;
begin
  perform refuse_if_stopped(array[request]);
  verdict := (claim(array[request]))[1];
  if verdict = 'idempotency-key-reused' then
    return query select verdict, false, null::uuid, null::bigint, null::timestamptz, null, null::bigint;
    return;
  end if;
  if verdict is not null then
    earlier := earlier_outcome(request, 1);
    -- Only an order's event has the id of its transaction.
    select o.data::text into order_data from outbox o where o.id = earlier.transaction_id;
    return query select
      case when order_data is null then earlier.outcome else 'pending' end,
      true, earlier.transaction_id, earlier.balance_after, earlier.posted_at, order_data, earlier.fee;
    return;
  end if;

  insert into transactions (
    id, type, status, account_id, to_account_id, amount, currency, description, metadata, user_id, created_at,
    value_date, trace_id, address
  )
  values (
    request.id, request.type, 'pending', request.account_id, request.to_account_id, request.amount,
    request.currency, request.description, request.metadata, request.caller_id, requested.time,
    request.value_date, substr(request.traceparent, 4, 32)::uuid, request.address
  )
  on conflict (id) do nothing;
  -- An order without a key may be posted already: if storing it took too long, its event went straight to the
  -- Broker. Then nothing is left to do.
  if found then
    if request.description is not null or request.metadata is not null then
      insert into search_queue (created_at, transaction_id, user_id)
      values (requested.time, request.id, request.caller_id);
    end if;
    insert into outbox (id, type, source, subject, time, dataschema, partitionkey, traceparent, data, extensions)
    values (
      requested.id, requested.type, requested.source, requested.subject, requested.time, requested.dataschema,
      requested.partitionkey, requested.traceparent, requested.data, requested.extensions
    );
    insert into outbox_pending (id, event_ids) values (requested.id, array[requested.id]);
    insert into audit (caller_id, caller_role, operation, route, subject, address, trace_id, outcome, details)
    values (
      request.caller_id, request.caller_role, request.operation, 'POST /transactions', request.id, request.address,
      substr(request.traceparent, 4, 32)::uuid, 'ordered',
      jsonb_strip_nulls(jsonb_build_object(
        'account_id', request.account_id, 'to_account_id', request.to_account_id,
        'amount', decimal_amount(request.amount, currency_exponent(request.currency)), 'currency', request.currency
      ))
    );
  end if;
  return query select 'pending', false, request.id, null::bigint, requested.time, requested.data::text,
    null::bigint;
end
$$;

revoke execute on function request_transaction from public;
grant execute on function request_transaction to :functions_role;

-- Returns orders that have been pending longer than `age_max`, oldest first, after a given place in that
-- order. Their events were lost or could not be processed. An order from the future counts too, because a
-- clock was set back.
create function overdue_orders(age_max interval, after_time timestamptz, after_id uuid, count_max integer)
returns table (id uuid, created_at timestamptz, data text, traceparent text)
language sql stable
begin atomic
  select p.id, p.created_at, o.data::text, o.traceparent
  from (
    select t.id, t.created_at
    from transactions t
    where t.status = 'pending' and (t.created_at < now() - age_max or t.created_at > now() + age_max)
      and (after_id is null or (t.created_at, t.id) > (after_time, after_id))
    order by t.created_at, t.id
    limit count_max
  ) p
  join outbox o on o.id = p.id
  order by p.created_at, p.id;
end;
