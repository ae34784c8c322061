-- Posts a batch of transactions: one round trip, one commit. `body` is a JSON array of posting_request; the
-- outcomes come in its order. A refusal is an outcome; only a defect, or a database in trouble, is an error, and
-- then nothing of the batch has happened.
--
-- Two batches never wait for each other in a circle: both take idempotency keys first, in their order, and then
-- accounts, in the order of their ids.

-- Takes the idempotency keys of a batch, and finds what came before. Returns per request null where it is the
-- first with its key and id; 'replay' or 'idempotency-key-reused' where it is not; null altogether where all are
-- first. A key that another database transaction has just taken is waited for.
create function claim(requests posting_request[]) returns text[]
language plpgsql
as $$
declare
  claimed bigint;
  verdicts text[];
begin
  insert into idempotency_keys (owner, key, request_hash, operation, outcome)
  select key_owner, key, request_hash, operation, jsonb_build_object('transaction_id', id)
  from unnest(requests)
  where key is not null
  order by key_owner, key
  on conflict do nothing;
  get diagnostics claimed = row_count;

  if claimed = (select count(key) from unnest(requests)) and not (select bool_or(requested) from unnest(requests)) then
    return null;
  end if;

  -- A requested transaction that is still pending is written anew, as what becomes of it now.
  delete from transactions
  where id = any (array(select id from unnest(requests) where requested)) and status = 'pending';

  select array_agg(
    case
      when r.requested and (t.id is not null or r.repetition > 1) then 'replay'
      when k.outcome ->> 'transaction_id' = r.id::text then null
      when k.request_hash <> r.request_hash then 'idempotency-key-reused'
      when k.request_hash is not null then 'replay'
    end
    order by r.ordinality
  )
  into verdicts
  from (
    select *, row_number() over (partition by id order by ordinality) as repetition
    from unnest(requests) with ordinality
  ) r
  left join idempotency_keys k on k.owner = r.key_owner and k.key = r.key
  left join transactions t on t.id = r.id and r.requested;
  return verdicts;
end
$$;

-- What became of the request that came before this one with the same key, or the same id.
create function earlier_outcome(request posting_request) returns posting_outcome
language sql
return (
  select row(
    coalesce(
      k.outcome ->> 'refusal',
      t.refusal,
      case when t.balance_after is null then 'idempotency-key-in-use' else 'posted' end
    ),
    true, t.id, t.balance_after, t.created_at, null, null
  )::posting_outcome
  from (values (request.id)) this (id)
  left join idempotency_keys k on k.owner = request.key_owner and k.key = request.key
  left join transactions t on t.id = coalesce((k.outcome ->> 'transaction_id')::uuid, this.id)
);

create function post_transactions(body json) returns setof posting_outcome
language plpgsql security definer
set search_path = public, pg_temp
-- Plans are kept for the life of a connection, and the first ones may be made while the tables are empty; these
-- settings leave only plans that are right when they are full: one look-up by index for each row of the batch.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  requests posting_request[];
  verdicts text[];
  locked accounts[];
  at timestamptz;
  outcomes posting_outcome[];
begin
  requests := array(select r from json_populate_recordset(null::posting_request, body) r);
  verdicts := claim(requests);

  -- The time is taken when the locks are held, and never before an account's last entry, so that an account's
  -- entries are in the order of time even where the clock is not.
  select array_agg(account), greatest(date_trunc('milliseconds', clock_timestamp()), max((account).posted_at))
  into locked, at
  from (
    select accounts as account
    from accounts
    where id = any (array(
      select account_id from unnest(requests)
      union all
      select coalesce(to_account_id, cash_account_id(currency)) from unnest(requests)
    ))
    order by id
    for no key update
  ) found;

  if verdicts is null then
    return query select * from write_down(requests, judge(requests, verdicts, locked, at), at);
    return;
  end if;

  outcomes := array(select o from write_down(requests, judge(requests, verdicts, locked, at), at) o);
  for n in 1 .. cardinality(requests) loop
    if verdicts[n] = 'replay' then
      outcomes[n] := earlier_outcome(requests[n]);
    end if;
  end loop;
  return query select * from unnest(outcomes);
end
$$;

revoke execute on function post_transactions from public;
grant execute on function post_transactions to :functions_role;
