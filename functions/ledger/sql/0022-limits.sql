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

-- What went out of an account on a calendar day of its time zone: transfers, captures of holds, and
-- withdrawals. Only for accounts that have limits. It follows from the books; see outflows_of(). Sums end at
-- 10^18, more than any limit, so that they fit into a bigint however often the same money goes round.
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
  select (t.created_at at time zone time_zone)::date, least(sum(t.amount), 1000000000000000000)::bigint
  from entries e
  join transactions t on t.id = e.transaction_id
  where e.account_id = (account).id
    and e.version > (
      select version_at(account, (since::timestamp at time zone time_zone) - interval '1 microsecond')
    )
    -- The entry of the amount, and not that of a fee.
    and t.account_id = e.account_id and e.balance_after = t.balance_after + coalesce(t.fee, 0)
    and t.type in ('withdrawal', 'transfer')
  group by 1;
end;

-- Returns the limits of an account at a moment, and what they leave; null if the account has never had any.
-- What is held can be captured on any day, so it counts for each until the hold ends.
create function limit_room_of(account_id uuid, at timestamptz) returns limit_room
language sql stable
return (
  select row(
    l.version, l.valid_from, l.transaction_max, l.day_max, l.month_max, z.time_zone, z.today,
    used.day + z.held, used.month + z.held
  )::limit_room
  from (
    select last.time_zone, (at at time zone last.time_zone)::date as today,
      (select a.held from accounts a where a.id = last.account_id) as held
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
    select least(coalesce(sum(o.amount), 0), 1000000000000000000)::bigint as month,
      coalesce(max(o.amount) filter (where o.day = z.today), 0) as day
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

-- Returns the name of the refusal if a request takes more out of its account than the limits leave. Fees and
-- reversals are not limited. A capture was judged when its hold was placed.
create function limit_refusal(room limit_room, request posting_request) returns text
language sql immutable
return case
  when request.step in ('capture', 'release') or request.step is null and request.type in ('deposit', 'reversal')
    then null
  when request.amount > room.transaction_max then 'transaction-limit-exceeded'
  when request.amount > room.day_max - room.day_used then 'day-limit-exceeded'
  when request.amount > room.month_max - room.month_used then 'month-limit-exceeded'
end;

-- Returns what the limits leave after a request, which changes what is held by `held_change`.
create function room_after(room limit_room, request posting_request, held_change bigint) returns limit_room
language plpgsql immutable
as $$
declare
  used constant bigint := coalesce(held_change, 0)
    + case when request.type in ('withdrawal', 'transfer') then request.amount else 0 end;
begin
  room.day_used := room.day_used + used;
  room.month_used := room.month_used + used;
  return room;
end
$$;

-- Counts what the posted requests of a batch took out of accounts that have limits.
create function count_outflows(requests posting_request[], judgements judgement[], at timestamptz) returns void
language sql
begin atomic
  insert into outflows (account_id, day, amount)
  select o.account_id, (count_outflows.at at time zone z.time_zone)::date, least(o.amount, 1000000000000000000)
  from (
    select r.account_id, sum(r.amount) as amount
    from rows from (unnest(requests), unnest(judgements)) r
    where r.outcome = 'posted' and r.type in ('withdrawal', 'transfer')
    group by r.account_id
  ) o
  cross join lateral (
    select l.time_zone from account_limits l where l.account_id = o.account_id order by l.version desc limit 1
  ) z
  where (select a.has_limits from accounts a where a.id = o.account_id)
  order by o.account_id
  on conflict (account_id, day) do update
    set amount = least(outflows.amount + excluded.amount, 1000000000000000000);
end;
