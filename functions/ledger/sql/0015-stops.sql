-- Stops: while a stop is open, nothing is posted in its currency. The guard stops a currency when the books
-- are wrong (see 0035-guard.sql), and an operator may stop one, or all, by hand. Reads go on.
create table ledger_stops (
  id uuid primary key default uuidv7(),
  at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  -- Null for all currencies.
  currency text,
  reason text not null,
  -- What is wrong, one object for each account, transaction or sum; null if an operator stopped the ledger.
  evidence jsonb,
  -- Null if the guard stopped it.
  stopped_by uuid,
  lifted_at timestamptz,
  lifted_by uuid,
  lift_reason text,
  -- What was still wrong when the stop was lifted, all of it on frozen accounts. The guard makes no new stop
  -- of it, as long as nothing more changes and the accounts stay frozen.
  accepted jsonb,

  constraint lifted_whole check (
    (lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null)
    and (lifted_at is not null or accepted is null)
  )
);

-- Empty if all is well, so that asking for an open stop costs next to nothing.
create index ledger_stops_open on ledger_stops (currency) where lifted_at is null;

create trigger append_only before delete or truncate on ledger_stops
for each statement execute function refuse_change();

-- A stop is lifted once; nothing else of it ever changes.
create trigger append_only_update before update on ledger_stops
for each row when (
  old.lifted_at is not null or new.lifted_at is null
  or (old.id, old.at, old.currency, old.reason, old.evidence, old.stopped_by)
    is distinct from (new.id, new.at, new.currency, new.reason, new.evidence, new.stopped_by)
)
execute function refuse_change();

-- Refuses a batch of which a currency is stopped: raises MB002 with the stopped currencies, separated by
-- commas, as its detail. settle() and request_transaction() call it. The error undoes the batch's claims, so
-- its idempotency keys stay unused.
create function refuse_if_stopped(requests posting_request[]) returns void
language plpgsql
as $$
declare
  stopped text;
begin
  if not exists (select from ledger_stops where lifted_at is null) then
    return;
  end if;
  select string_agg(distinct r.currency, ',') into stopped
  from unnest(requests) r
  where exists (
    select from ledger_stops s where s.lifted_at is null and (s.currency is null or s.currency = r.currency)
  );
  if stopped is not null then
    raise 'the ledger has stopped' using errcode = 'MB002', detail = stopped;
  end if;
end
$$;

-- Stores an event of the ledger as a whole, in the transaction of the fact that it tells. Its row of
-- outbox_pending belongs to nobody, so that the next sweep of any process publishes it.
create function emit_ledger_event(type text, subject uuid, partitionkey text, traceparent text, data json)
returns void
language plpgsql
as $$
declare
  event_id constant uuid := uuidv7();
begin
  insert into outbox (id, type, source, subject, dataschema, partitionkey, traceparent, data)
  values (
    event_id, type, '/microbank/ledger', subject::text, 'https://microbank.dev/events/' || type || '/1',
    partitionkey, traceparent, data
  );
  insert into outbox_pending (id, event_ids, claimed_until) values (event_id, array[event_id], now());
end
$$;

-- Stops a currency, or all if it is null, and states it: `ledger.stopped` if a user stops it, `ledger.broken`
-- if the guard does. Returns the stop.
create function stop_ledger(
  currency text, reason text, evidence jsonb, stopped_by uuid default null, traceparent text default null
) returns ledger_stops
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  stop ledger_stops;
begin
  insert into ledger_stops (currency, reason, evidence, stopped_by)
  values (stop_ledger.currency, stop_ledger.reason, stop_ledger.evidence, stop_ledger.stopped_by)
  returning * into stop;
  perform emit_ledger_event(
    case when stopped_by is null then 'ledger.broken' else 'ledger.stopped' end,
    stop.id, coalesce(stop.currency, 'all'), traceparent,
    case
      when stopped_by is null then json_build_object(
        'stop_id', stop.id, 'currency', stop.currency, 'reason', stop.reason,
        'accounts', array(
          select distinct e ->> 'account_id' from jsonb_array_elements(stop.evidence) e
          where e ? 'account_id' order by 1
        ),
        'timestamp', moment_text(stop.at)
      )
      else json_build_object(
        'stop_id', stop.id, 'currency', stop.currency, 'reason', stop.reason,
        'stopped_by', stop.stopped_by, 'timestamp', moment_text(stop.at)
      )
    end
  );
  return stop;
end
$$;

-- What makes a fault the same one as before: not the problem that is seen first, and not what is held, which
-- changes when holds of a frozen account end (see held_excess()).
create function essence(fault jsonb) returns jsonb
language sql immutable
return fault - '{entry,problem,held}'::text[];

-- Says whether an account is still as wrong as an operator has accepted it: it is frozen, and neither its
-- number of entries nor its balance has changed. `fault` is of a stop's `accepted`.
create function is_still_accepted(fault jsonb) returns boolean
language sql stable
return exists (
  select from accounts a
  where a.id = (fault ->> 'account_id')::uuid and a.status = 'frozen'
    and (not fault ? 'version' or (a.version, a.balance::text) = ((fault ->> 'version')::bigint, fault ->> 'balance'))
);

-- Says whether a wrong sum of a currency can be that of accounts whose faults were accepted.
create function is_sum_excused(currency text) returns boolean
language sql stable
return exists (
  select from ledger_stops s cross join lateral jsonb_array_elements(s.accepted) fault
  where s.currency = is_sum_excused.currency and fault ? 'account_id' and is_still_accepted(fault)
);

-- Says whether a fault needs no new stop: an open stop of its currency has it already; or an operator has
-- lifted a stop in spite of it, the account is still frozen, and its row has not changed but for its holds.
create function is_known_fault(fault jsonb) returns boolean
language sql stable
return exists (
  select from ledger_stops s
  where s.lifted_at is null and s.currency = fault ->> 'currency'
    and s.evidence @> case
      when fault ? 'transaction_id'
        then jsonb_build_array(jsonb_build_object('transaction_id', fault -> 'transaction_id'))
      when fault ? 'account_id' then jsonb_build_array(jsonb_build_object('account_id', fault -> 'account_id'))
      -- A sum, which follows from whatever else is wrong in the currency.
      else '[]'
    end
) or (
  exists (select from ledger_stops s where s.accepted @> jsonb_build_array(essence(fault)))
  and case
    when fault ? 'account_id' then is_still_accepted(fault)
    else is_sum_excused(fault ->> 'currency')
  end
);

-- Stops the currencies of faults, each object of which says its currency. A stop has at most a hundred faults
-- and a currency at most ten stops: more would not help whoever mends the books. When the stops are lifted,
-- the guard finds what is left. Returns the new stops; none if all faults are known.
create function stop_for(faults jsonb[]) returns setof ledger_stops
language plpgsql
as $$
begin
  -- Two processes that find the same faults make one stop.
  perform pg_advisory_xact_lock(6927003);
  return query
  select stopped.*
  from (
    select fault ->> 'currency' as currency, jsonb_agg(fault) as evidence,
      'The books are wrong: ' || string_agg(distinct fault ->> 'problem', ', ') as reason
    from (
      select fault, row_number() over (partition by fault ->> 'currency') as n
      from unnest(faults) fault
      -- What belongs to no account has no currency, and no money hangs on it.
      where fault ->> 'currency' is not null and not is_known_fault(fault)
    ) unknown
    where n <= 100
    group by 1
  ) broken
  cross join lateral stop_ledger(broken.currency, reason, evidence) stopped
  where 10 > (
    select count(*) from ledger_stops s
    where s.lifted_at is null and s.evidence is not null and s.currency = broken.currency
  );
end
$$;

grant select on ledger_stops to :functions_role;
revoke execute on function stop_ledger from public;
grant execute on function stop_ledger to :functions_role;
