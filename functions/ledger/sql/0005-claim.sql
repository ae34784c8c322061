-- Idempotency of postings.

-- Claims the idempotency keys of a batch, and finds earlier requests with the same key or id. Returns null if
-- every request is the first with its key or id. Otherwise it returns one verdict per request:
-- - null if it is the first;
-- - 'replay' if the same request came before;
-- - 'idempotency-key-reused' if another request came before with the same key;
-- - 'pending' if the key belongs to an order that is not posted yet.
-- If another database transaction has just claimed a key, this waits until that one ends.
create function claim(requests posting_request[]) returns text[]
language plpgsql
as $$
declare
  claimed bigint;
  verdicts text[];
begin
  -- Nearly always all keys are new. Inserting them costs less than looking for each first; if one exists,
  -- this block is undone.
  begin
    insert into idempotency_keys (id, request_hash, operation, subject)
    select idempotency_id(key_owner, key) as key_id, request_hash, operation, id
    from unnest(requests)
    where key is not null and not requested
    order by key_id;
    get diagnostics claimed = row_count;
    if claimed = cardinality(requests)
      or claimed = (select count(*) from unnest(requests) where key is not null or requested) then
      return null;
    end if;
  exception when unique_violation then
    insert into idempotency_keys (id, request_hash, operation, subject)
    select idempotency_id(key_owner, key) as key_id, request_hash, operation, id
    from unnest(requests)
    where key is not null and not requested
    order by key_id
    on conflict do nothing;
  end;

  -- A pending order is deleted here and written again with its outcome. Its event, a sweep and a request with
  -- its key may all come at once: the first to lock the row posts it, and the others find it posted. Rows are
  -- locked in the order of their ids, so that two batches can't deadlock.
  perform from transactions
  where id = any (array(select id from unnest(requests) where requested)) and status = 'pending'
  order by id
  for update;
  delete from transactions
  where id = any (array(select id from unnest(requests) where requested)) and status = 'pending';

  with known as materialized (
    select *
    from idempotency_keys
    where id = any (array(
      select idempotency_id(key_owner, key) from unnest(requests) where key is not null and not requested
    ))
  ),
  earlier as materialized (
    select id from transactions where id = any (array(select id from unnest(requests) where requested))
  )
  select array_agg(
    case
      when earlier.id is not null or requested and repetition > 1 then 'replay'
      when known.subject = r.id then null
      when known.request_hash <> r.request_hash then 'idempotency-key-reused'
      when (select t.status = 'pending' from transactions t where t.id = known.subject) then 'pending'
      when known.request_hash is not null then 'replay'
    end
    order by ordinality
  )
  into verdicts
  from (
    select *, row_number() over (partition by id order by ordinality) as repetition
    from unnest(requests) with ordinality
  ) r
  left join known on known.id = idempotency_id(key_owner, key) and not requested
  left join earlier on earlier.id = r.id and requested;
  return verdicts;
end
$$;

-- Returns the requests of a batch; each one whose verdict is 'pending' becomes the order that its key belongs
-- to, to be posted under the id that was given out.
create function as_orders(requests posting_request[], verdicts text[]) returns posting_request[]
language plpgsql stable
as $$
begin
  for n in 1 .. cardinality(requests) loop
    if verdicts[n] = 'pending' then
      requests[n].id := (
        select k.subject from idempotency_keys k
        where k.id = idempotency_id(requests[n].key_owner, requests[n].key)
      );
      requests[n].requested := true;
    end if;
  end loop;
  return requests;
end
$$;

-- Returns the outcome of the earlier request with the same key, or with the same id.
create function earlier_outcome(request posting_request, n integer) returns posting_outcome
language plpgsql stable
as $$
declare
  earlier transactions;
  refusal text;
  transaction_id uuid := request.id;
begin
  if request.key is not null and not request.requested then
    select k.subject, k.outcome ->> 'refusal' into transaction_id, refusal
    from idempotency_keys k
    where k.id = idempotency_id(request.key_owner, request.key);
  end if;
  if request.step in ('place', 'release') then
    return (
      select row(
        n, coalesce(refusal, 'posted'), true, e.hold_id, null, e.created_at, null, null, null, null, null, null,
        null, null
      )::posting_outcome
      from (select) always left join hold_entries e on e.id = transaction_id
    );
  end if;
  select * into earlier from transactions t where t.id = transaction_id;
  refusal := coalesce(refusal, earlier.refusal);
  return row(
    n,
    case
      when refusal is not null then refusal
      when earlier.balance_after is null then 'idempotency-key-in-use'
      else 'posted'
    end,
    true, earlier.id, earlier.balance_after, earlier.created_at, null, null, null, null, null, null,
    earlier.fee, null
  )::posting_outcome;
end
$$;

-- Stores the refusals of requests that have a key.
create function remember_refusals(requests posting_request[], judgements judgement[]) returns void
language sql
begin atomic
  with refused as materialized (
    select idempotency_id(key_owner, key) as key_id, outcome
    from rows from (unnest(requests), unnest(judgements))
    where key is not null and not requested and outcome not in ('posted', 'replay', 'idempotency-key-reused')
  )
  update idempotency_keys k
  set outcome = (select jsonb_build_object('refusal', outcome) from refused where key_id = k.id)
  where id = any (array(select key_id from refused));
end;
