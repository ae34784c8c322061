-- Limits for what goes out of accounts. They are policies with versions, like fees.

-- How much may go out of an account: at once, on a calendar day, and in 30 such days. Null: no such limit.
-- The time zone, which says when a day begins, is that of the last version; it holds as soon as it is set.
create table account_limits (
  account_id uuid not null references accounts (id),
  version integer not null,
  valid_from timestamptz not null,
  transaction_max bigint check (transaction_max >= 0),
  day_max bigint check (day_max >= 0),
  month_max bigint check (month_max >= 0),
  time_zone text not null,
  set_by uuid not null,
  set_at timestamptz not null,
  reason text not null,
  primary key (account_id, version)
);

-- What went out of an account on a calendar day of its time zone: transfers, withdrawals, and holds on the
-- day on which they were placed. What a hold gives back counts as if it had never been set aside. Only for
-- accounts that have limits. It follows from the books; see outflows_of().
create table outflows (
  account_id uuid not null,
  day date not null,
  amount bigint not null,
  primary key (account_id, day)
)
with (fillfactor = 80);

create trigger append_only before update or delete or truncate on account_limits
for each statement execute function refuse_change();

grant select on account_limits, outflows to :functions_role;

-- Returns what went out of an account on each day since `since`, as the books have it.
create function outflows_of(account accounts, time_zone text, since date)
returns table (day date, amount bigint)
language sql stable
begin atomic
  select (o.at at time zone time_zone)::date, sum(o.amount)::bigint
  from (
    select t.created_at as at, t.amount
    from entries e
    join transactions t on t.id = e.transaction_id
    where e.account_id = (account).id
      and e.version > (
        select version_at(account, (since::timestamp at time zone time_zone) - interval '1 microsecond')
      )
      -- The entry of the amount, and not that of a fee.
      and t.account_id = e.account_id and e.balance_after = t.balance_after + coalesce(t.fee, 0)
      and t.type in ('withdrawal', 'transfer') and t.hold_id is null
    union all
    select h.created_at, case h.status when 'open' then h.amount else h.captured end
    from holds h
    where h.account_id = (account).id and h.created_at >= since::timestamp at time zone time_zone
      and h.status in ('open', 'captured')
  ) o
  group by 1;
end;

-- Adds amounts that went out of accounts at certain moments; negative ones are given back. Only accounts that
-- have limits are counted. What is older than any window is left out.
create function count_outflows(account_ids uuid[], moments timestamptz[], amounts bigint[], at timestamptz)
returns void
language sql
begin atomic
  insert into outflows (account_id, day, amount)
  select o.account_id, o.day, sum(o.amount)
  from (
    select g.account_id, (g.moment at time zone z.time_zone)::date as day, g.amount,
      (at at time zone z.time_zone)::date as today
    from unnest(account_ids, moments, amounts) g (account_id, moment, amount)
    cross join lateral (
      select l.time_zone from account_limits l where l.account_id = g.account_id order by l.version desc limit 1
    ) z
    where (select a.has_limits from accounts a where a.id = g.account_id)
  ) o
  where o.day > o.today - 30
  group by o.account_id, o.day
  order by o.account_id, o.day
  on conflict (account_id, day) do update set amount = outflows.amount + excluded.amount;
end;

-- Returns the limits of an account at a moment, and what they leave; null if the account has never had any.
create function limit_room_of(account_id uuid, at timestamptz) returns limit_room
language sql stable
return (
  select row(
    l.version, l.valid_from, l.transaction_max, l.day_max, l.month_max, z.time_zone, z.today,
    coalesce(used.day, 0), coalesce(used.month, 0)
  )::limit_room
  from (
    select last.time_zone, (at at time zone last.time_zone)::date as today
    from account_limits last
    where last.account_id = limit_room_of.account_id
    order by last.version desc limit 1
  ) z
  left join lateral (
    select *
    from account_limits a
    where a.account_id = limit_room_of.account_id and a.valid_from <= at
    order by a.valid_from desc, a.version desc limit 1
  ) l on true
  cross join lateral (
    select sum(o.amount)::bigint as month, sum(o.amount) filter (where o.day = z.today)::bigint as day
    from outflows o
    where o.account_id = limit_room_of.account_id and o.day > z.today - 30 and o.day <= z.today
  ) used
);

-- The same for the accounts of a batch; null for those without limits.
create function limit_rooms_of(account_ids uuid[], at timestamptz) returns limit_room[]
language sql stable
return array(
  select case when (select a.has_limits from accounts a where a.id = i.id) then limit_room_of(i.id, at) end
  from unnest(account_ids) with ordinality i (id, n)
  order by n
);

-- What a request takes out of its account as limits count it, and the moment for which it counts. What a hold
-- gives back is negative, and counts for the moment at which it was placed.
create type outflow as (at timestamptz, amount bigint);

-- Returns what a request takes out of its account, or gives back to it; null if neither. Fees and reversals
-- don't count.
create function outflow_of(request posting_request, at timestamptz) returns outflow
language plpgsql stable
as $$
begin
  if request.step in ('capture', 'release') then
    return (
      select row(
        h.created_at, case request.step when 'capture' then request.amount else 0 end - h.amount
      )::outflow
      from holds h
      where h.id = request.hold_id
    );
  elsif request.step = 'place' or request.type in ('withdrawal', 'transfer') then
    return row(at, request.amount)::outflow;
  end if;
  return null;
end
$$;

-- Returns the name of the refusal if a request takes more out of its account than the limits leave.
create function limit_refusal(room limit_room, request posting_request) returns text
language plpgsql stable
as $$
declare
  amount constant bigint := (outflow_of(request, null)).amount;
begin
  return case
    when amount <= 0 then null
    when amount > room.transaction_max then 'transaction-limit-exceeded'
    when amount > room.day_max - room.day_used then 'day-limit-exceeded'
    when amount > room.month_max - room.month_used then 'month-limit-exceeded'
  end;
end
$$;

-- Returns what the limits leave after a request.
create function room_after(room limit_room, request posting_request, at timestamptz) returns limit_room
language plpgsql stable
as $$
declare
  outflow constant outflow := outflow_of(request, at);
  day constant date := (outflow.at at time zone room.time_zone)::date;
begin
  if day = room.today then
    room.day_used := room.day_used + outflow.amount;
  end if;
  if day > room.today - 30 then
    room.month_used := room.month_used + outflow.amount;
  end if;
  return room;
end
$$;

-- Counts what the posted requests of a batch took out of accounts that have limits.
create function count_batch(requests posting_request[], judgements judgement[], at timestamptz) returns void
language sql
begin atomic
  select count_outflows(
    array_agg(o.account_id), array_agg((o.outflow).at), array_agg((o.outflow).amount), count_batch.at)
  from (
    select (r.request).account_id, outflow_of(r.request, count_batch.at) as outflow
    from (select request, row_number() over () as n from unnest(requests) request) r
    join (select outcome, ordinality as n from unnest(judgements) with ordinality) j using (n)
    where j.outcome = 'posted'
    offset 0
  ) o
  where (o.outflow).amount is not null;
end;
