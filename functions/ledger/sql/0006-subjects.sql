-- The subjects of requests: holds, and transactions to reverse.

-- Judges the hold of a request, or the transaction to reverse. Its accounts must be locked. `ended` are the
-- holds and transactions that earlier requests of the batch ended, `endings` the refusals of doing so again.
-- A hold placed in the same batch is not found: nobody knows its id yet.
create function judge_subject(request posting_request, at timestamptz, ended uuid[], endings text[])
returns subject
language plpgsql
as $$
declare
  open_holds_max constant bigint := 1000;
  hold holds;
  ending constant text := endings[array_position(ended, coalesce(request.hold_id, request.reverses))];
  refusal text;
begin
  if request.reverses is not null then
    refusal := coalesce(ending, (
      select case t.status when 'reversed' then 'already-reversed' when 'completed' then null
        else 'not-completed' end
      from transactions t
      where t.id = request.reverses
    ));
    return row(refusal, null, null, null, 'already-reversed')::subject;
  elsif request.step is null then
    return null;
  elsif request.step = 'place' then
    -- Many holds that fall due at once would keep others waiting while they are ended.
    refusal := case when open_holds_max <= (
      select count(*)
      from (select from holds h where h.account_id = request.account_id and h.status = 'open' limit open_holds_max) o
    ) then 'too-many-holds' end;
    return row(refusal, request.amount, request.amount, request.id, null)::subject;
  end if;

  select * into hold from holds h where h.id = request.hold_id;
  refusal := case
    when hold.id is null and ending is null then 'hold-not-found'
    when request.caller_role <> 'operator'
      and (hold.placed_by <> request.caller_id or hold.via is distinct from request.via) then 'hold-not-yours'
    when ending is not null then ending
    when hold.status in ('captured', 'released') then 'hold-' || hold.status
    when hold.status = 'expired' or hold.expires_at <= at then 'hold-expired'
    when request.amount > hold.amount then 'more-than-held'
  end;
  return row(
    refusal, -hold.amount, hold.amount,
    case request.step when 'release' then request.id else uuidv7() end,
    case request.step when 'release' then 'hold-released' else 'hold-captured' end
  )::subject;
end
$$;

-- Returns the status that a hold has after a step.
create function status_after(step hold_step) returns hold_status
language sql immutable parallel safe
return case step
  when 'place' then 'open'::hold_status
  when 'capture' then 'captured'
  when 'release' then 'released'
end;

-- Writes what a batch did to holds, and marks the transactions that it reversed.
create function write_subjects(requests posting_request[], judgements judgement[]) returns void
language sql
begin atomic
  insert into holds (
    id, account_id, amount, currency, description, user_id, placed_by, via, created_at, expires_at
  )
  select id, account_id, amount, currency, description, user_id, caller_id, via, posted_at,
    posted_at + expires_in * interval '1 second'
  from rows from (unnest(requests), unnest(judgements))
  where step = 'place' and outcome = 'posted';

  insert into hold_entries (id, account_id, version, hold_id, amount, held_after, created_at, hash)
  select hold_entry_id, account_id, hold_version, hold_id,
    case step when 'place' then hold_amount else -hold_amount end, held, posted_at, hold_hash
  from rows from (unnest(requests), unnest(judgements))
  where hold_entry_id is not null;

  with ended as materialized (
    select hold_id, posted_at,
      case step when 'capture' then amount end as captured,
      case step when 'capture' then id end as transaction_id
    from rows from (unnest(requests), unnest(judgements))
    where hold_entry_id is not null and step <> 'place'
  )
  update holds h
  set (status, ended_at, captured, transaction_id) = (
    select case when e.captured is null then 'released'::hold_status else 'captured' end,
      e.posted_at, e.captured, e.transaction_id
    from ended e
    where e.hold_id = h.id
  )
  where h.id = any (array(select hold_id from ended));

  with reversed as materialized (
    select id, reverses
    from rows from (unnest(requests), unnest(judgements))
    where reverses is not null and outcome = 'posted'
  )
  update transactions t
  set status = 'reversed', reversed_by = (select id from reversed r where r.reverses = t.id)
  where t.id = any (array(select reverses from reversed));
end;

-- Writes what an account holds after its last hold entry; nothing if there is no entry. It is called once for
-- an account, because each update leaves a row behind that the next has to pass.
create function set_held(last hold_entries, at timestamptz) returns void
language sql
begin atomic
  update accounts set held = last.held_after, posted_at = at where id = last.account_id;
end;

-- Accounts whose due holds could not be ended, because their books are wrong. They are tried again after a
-- quarter of an hour; all others go on. A row goes when the account's holds have ended.
create table stuck_holds (
  account_id uuid primary key,
  failed_at timestamptz not null,
  error text not null
);

grant select on stuck_holds to :functions_role;

-- Says whether an account's holds could not be ended a short while ago.
create function has_stuck_holds(account_id uuid) returns boolean
language sql stable
return exists (
  select from stuck_holds s
  where s.account_id = has_stuck_holds.account_id and s.failed_at between now() - interval '15 minutes' and now()
);

-- Ends holds of these accounts that are due, at most 5,000, and returns their number. The accounts' rows must
-- be locked. Raises an error if the books of one of them are wrong. Nobody publishes the events at once; the
-- next sweep does.
create function end_holds(account_ids uuid[], at timestamptz) returns integer
language plpgsql
as $$
declare
  due holds;
  last hold_entries;
  new_ids uuid[] := '{}';
begin
  for due in
    select * from holds h
    where h.status = 'open' and h.account_id = any (account_ids) and h.expires_at <= at
    order by h.account_id, h.expires_at, h.id
    limit 5000
  loop
    if last.account_id is distinct from due.account_id then
      perform set_held(last, at);
      select * into strict last from hold_entries e
      where e.account_id = due.account_id
      order by e.version desc limit 1;
    end if;
    last.id := uuidv7();
    last.version := last.version + 1;
    last.hold_id := due.id;
    last.amount := -due.amount;
    last.held_after := last.held_after - due.amount;
    last.created_at := at;
    last.hash := hold_hash(
      last.hash, last.account_id, last.version, last.hold_id, last.amount, last.held_after, at, 'expired');
    insert into hold_entries select last.*;
    update holds set status = 'expired', ended_at = at where id = due.id;
    new_ids := new_ids || last.id;
  end loop;
  perform set_held(last, at);
  insert into outbox_pending (event_ids, claimed_until)
  select array_agg(event_id_of(id) order by n), now()
  from unnest(new_ids) with ordinality due (id, n)
  group by (n - 1) / 100;
  return cardinality(new_ids);
end
$$;

-- Ends due holds like end_holds(). An account whose books are wrong keeps its holds, and is noted in
-- stuck_holds: it must keep neither the holds of others from ending nor the payments of others from being
-- posted. An error that is not about the books (a deadlock, a full disk) is raised.
create function end_due_holds(account_ids uuid[], at timestamptz) returns integer
language plpgsql
as $$
declare
  due_ids constant uuid[] := array(
    select i.id
    from (select distinct unnest(account_ids) as id) i
    where exists (
      select from holds h where h.status = 'open' and h.account_id = i.id and h.expires_at <= end_due_holds.at
    ) and not has_stuck_holds(i.id)
    order by i.id
  );
  one uuid;
  message text;
  -- As many are ended at once as by end_holds(), one account's more at most.
  ended_max constant integer := 5000;
  ended integer := 0;
begin
  if cardinality(due_ids) = 0 then
    return 0;
  end if;
  -- Nearly always all is well, and one savepoint is enough.
  begin
    ended := end_holds(due_ids, at);
    delete from stuck_holds s where s.account_id = any (due_ids);
    return ended;
  exception when data_exception or integrity_constraint_violation or plpgsql_error then
    null;
  end;
  foreach one in array due_ids loop
    exit when ended >= ended_max;
    begin
      ended := ended + end_holds(array[one], at);
      delete from stuck_holds s where s.account_id = one;
    exception when data_exception or integrity_constraint_violation or plpgsql_error then
      get stacked diagnostics message = message_text;
      insert into stuck_holds (account_id, failed_at, error) values (one, now(), message)
      on conflict (account_id) do update set failed_at = excluded.failed_at, error = excluded.error;
    end;
  end loop;
  return ended;
end
$$;

-- Ends holds that are due, whatever their accounts; returns how many. Each call ends some, as long as there
-- are any that can be ended. While postings of a currency are stopped, its holds stay: somebody is looking
-- at its books.
create function expire_holds() returns integer
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  account_ids uuid[];
  at timestamptz;
  ended integer;
begin
  -- Each round passes over the stuck accounts that the one before has found.
  for round in 1 .. 10 loop
    account_ids := array(
      select distinct due.account_id
      -- The ids of the cash accounts are below all others.
      from (select currency from accounts where id < '00000000-0000-7000-8001-000000000000' offset 0) c
      cross join lateral (
        select h.account_id
        from holds h
        where h.status = 'open' and h.currency = c.currency and h.expires_at <= now()
          and not has_stuck_holds(h.account_id)
        order by h.expires_at, h.id limit 500
      ) due
      where not exists (
        select from ledger_stops s where s.lifted_at is null and (s.currency is null or s.currency = c.currency)
      )
      limit 500
    );
    exit when cardinality(account_ids) = 0;
    select greatest(date_trunc('milliseconds', clock_timestamp()), max(posted_at)) into at
    from (
      select posted_at from accounts where id = any (account_ids) order by id for no key update
    ) locked;
    ended := end_due_holds(account_ids, at);
    if ended > 0 then
      return ended;
    end if;
  end loop;
  return 0;
end
$$;

revoke execute on function expire_holds from public;
grant execute on function expire_holds to :functions_role;
