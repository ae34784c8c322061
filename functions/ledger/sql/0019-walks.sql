-- The guard's checks of everything, in steps: each step ends in time, however large the books are, and the
-- next one goes on where it ended, in whatever process. If two processes call the same step at once, the
-- second does nothing.

-- Examines all holds of accounts. Their entries must follow one from the other and end in what the account
-- holds ('hold-chain'); and each hold must have one entry for its beginning and, unless it is open, one for
-- its end, and be what the transaction that captured it says ('hold').
create function examine_holds(ids uuid[]) returns setof jsonb
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select jsonb_build_object(
    'currency', a.currency, 'account_id', a.id, 'problem', p.problem, 'version', a.version,
    'balance', a.balance::text, 'held', a.held::text
  )
  from unnest(ids) wanted
  cross join lateral (select * from accounts where id = wanted offset 0) a
  cross join lateral (
    select case
      when exists (
        select
        from (
          select e.*, row_number() over w as n, lag(e.hash, 1, sha256('holds')) over w as hash_before,
            lag(e.held_after, 1, 0::bigint) over w as held_before, lag(e.created_at) over w as time_before
          from hold_entries e
          where e.account_id = a.id
          window w as (order by e.version)
        ) f
        where f.version <> f.n or f.held_after <> f.held_before + f.amount or f.created_at < f.time_before
          or f.hash <> sha256(
            f.hash_before || uuid_send(a.id) || int8send(f.version) || uuid_send(f.hold_id) || int8send(f.amount)
            || int8send(f.held_after) || timestamptz_send(f.created_at)
          )
      ) or a.held <> coalesce((
        select e.held_after from hold_entries e where e.account_id = a.id order by e.version desc limit 1
      ), 0) then 'hold-chain'
      when exists (
        select
        from (select * from holds where account_id = a.id) h
        full join (
          select e.hold_id, sum(e.amount) filter (where e.id = e.hold_id) as placed,
            sum(e.amount) filter (where e.id <> e.hold_id) as ended
          from hold_entries e
          where e.account_id = a.id
          group by e.hold_id
        ) e on e.hold_id = h.id
        where h.id is null or e.placed is distinct from h.amount
          or e.ended is distinct from case when h.status <> 'open' then -h.amount end
          or h.status = 'captured' and not exists (
            select from transactions t where t.id = h.transaction_id and t.hold_id = h.id and t.amount = h.captured
          )
      ) then 'hold'
    end as problem
  ) p
  where p.problem is not null;
end;

-- One step through all accounts by their ids: up to 20,000 accounts and some 50,000 entries. The walk
-- 'changes' checks accounts whose row is not what it was at its last check, from there. The walk 'everything'
-- checks all accounts from their first entry, and all their holds.
create function step_through_accounts(walk text) returns check_step
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
declare
  nothing constant bytea := decode(repeat('00', 32), 'hex');
  entries_max constant bigint := 50000;
  w check_walks;
  last_id uuid;
  ids uuid[];
  has_more boolean;
  examined examination[];
  unfinished examination;
  wrong jsonb[];
begin
  select * into w from check_walks c where c.name = walk for update skip locked;
  if not found then
    return row(null, '{}')::check_step;
  end if;
  last_id := (
    select id from (select id from accounts where id > w.place order by id limit 20000) page order by id desc limit 1
  );
  if last_id is null then
    perform end_walk(
      walk, w.faults = 0,
      jsonb_build_object('accounts', w.accounts, 'entries', w.entries, 'faults', w.faults, 'started_at', w.started_at),
      '00000000-0000-0000-0000-000000000000'
    );
    return row(true, '{}')::check_step;
  end if;

  -- As many as come before the first that would be too much.
  select coalesce(array_agg(id order by id) filter (where before < entries_max), '{}'),
    coalesce(bool_or(before >= entries_max), false)
  into ids, has_more
  from (
    select a.id,
      coalesce(sum(a.version - case walk when 'changes' then coalesce(c.version, 0) else 0 end) over (
        order by a.id rows between unbounded preceding and 1 preceding
      ), 0) as before
    from accounts a
    left join lateral (select * from checked where account_id = a.id offset 0) c on true
    where a.id > w.place and a.id <= last_id
      and (walk = 'everything' or (a.version, a.balance, a.last_hash)
        is distinct from (coalesce(c.version, 0), coalesce(c.balance, 0), coalesce(c.hash, nothing)))
  ) wanted;

  examined := array(
    select e
    from examine_accounts(
      case walk
        when 'changes' then checked_until(ids)
        else array(
          select case when (w.partly).account_id = id then w.partly else row(id, 0, 0, nothing)::checked end
          from unnest(ids) id
        )
      end,
      entries_max
    ) e
  );
  perform keep_checked(examined);
  wrong := array(select fault from unnest(examined) where fault is not null);
  if walk = 'everything' then
    wrong := wrong || array(select examine_holds(ids));
    -- What was found wrong from the first entry on must be checked from there until it is right.
    delete from checked
    where account_id = any (array(select account_id from unnest(examined) where fault is not null));
  end if;

  -- Only the last one can have more entries: all others together have fewer than the limit.
  select * into unfinished from unnest(examined) where problem is null and not is_complete;
  if unfinished.account_id is not null then
    has_more := true;
    ids := trim_array(ids, 1);
  end if;
  update check_walks c
  set place = case when has_more then coalesce(ids[cardinality(ids)], w.place) else last_id end,
    partly = case
      when unfinished.account_id is not null
        then row(unfinished.account_id, unfinished.version, unfinished.balance, unfinished.hash)::checked
    end,
    accounts = w.accounts + cardinality(ids),
    entries = w.entries + (select coalesce(sum(entry_count), 0) from unnest(examined)),
    faults = w.faults + cardinality(wrong)
  where c.name = walk;
  return row(false, array(select s from stop_for(wrong) s))::check_step;
end
$$;

revoke execute on function step_through_accounts from public;
grant execute on function step_through_accounts to :functions_role;

-- Says whether the night's check of everything is under way, or was not yet made in this night.
create function is_verification_due() returns boolean
language sql stable
begin atomic
  select w.place > '00000000-0000-0000-0000-000000000000' or w.partly is not null
    or coalesce(c.checked_at < now() - interval '20 hours' or c.checked_at > now(), true)
  from check_walks w
  left join ledger_checks c on c.name = w.name
  where w.name = 'everything';
end;
grant select on check_walks to :functions_role;
