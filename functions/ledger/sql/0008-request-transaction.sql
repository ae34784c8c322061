-- Notes a transaction that was asked for with `Prefer: respond-async`, and will be posted later under the same
-- id. `body` is one posting_request. The outcome is 'pending', with the id of the request that came first with
-- this key; or the refusal that the key came to before.
create function request_transaction(body json) returns posting_outcome
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  request constant posting_request := json_populate_record(null::posting_request, body);
  at constant timestamptz := date_trunc('milliseconds', clock_timestamp());
  verdict constant text := (claim(array[request]))[1];
  earlier posting_outcome;
begin
  if verdict = 'replay' then
    earlier := earlier_outcome(request, 1);
    if earlier.transaction_id is not null then
      earlier.outcome := 'pending';
    end if;
    return earlier;
  end if;
  if verdict is not null then
    return row(1, verdict, false, null, null, null, null, null)::posting_outcome;
  end if;

  insert into transactions (
    id, type, status, account_id, to_account_id, amount, currency, description, metadata, user_id, created_at
  )
  values (
    request.id, request.type, 'pending', request.account_id, request.to_account_id, request.amount,
    request.currency, request.description, request.metadata, request.caller_id, at
  )
  on conflict (id) do nothing;
  return row(1, 'pending', false, request.id, null, at, null, null)::posting_outcome;
end
$$;

revoke execute on function request_transaction from public;
grant execute on function request_transaction to :functions_role;
