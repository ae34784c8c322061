-- How limits are set and shown.

-- The limits that were set; or null, and the name of the refusal.
create type set_limits_outcome as (refusal text, limits account_limits);

-- Adds a version of an account's limits. It holds from `valid_from`, or from now if that is null. Refuses
-- with `account-not-found` or, if `valid_from` is past, with `in-the-past`. Raises invalid_parameter_value if
-- Postgres does not know the time zone.
--
-- The account's row is locked, so no posting is on its way. If the account had no limits or had another time
-- zone, what went out of it in the last 30 days is counted anew from the books.
create function set_limits(
  account_id uuid, transaction_max bigint, day_max bigint, month_max bigint, time_zone text,
  valid_from timestamptz, set_by uuid, reason text
) returns set_limits_outcome
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  account accounts;
  before account_limits;
  added account_limits;
  at timestamptz;
  today date;
  is_limited boolean;
begin
  select * into account
  from accounts a
  where a.id = set_limits.account_id and a.kind = 'customer'
  for no key update;
  if account.id is null then
    return row('account-not-found', null)::set_limits_outcome;
  end if;
  -- As postings read the time.
  at := greatest(date_trunc('milliseconds', clock_timestamp()), account.posted_at);
  today := (at at time zone set_limits.time_zone)::date;
  valid_from := coalesce(date_trunc('milliseconds', valid_from), at);
  if valid_from < at then
    return row('in-the-past', null)::set_limits_outcome;
  end if;

  select * into before from account_limits l where l.account_id = account.id order by l.version desc limit 1;
  insert into account_limits (
    account_id, version, valid_from, transaction_max, day_max, month_max, time_zone, set_by, set_at, reason
  )
  values (
    account.id, coalesce(before.version, 0) + 1, valid_from, set_limits.transaction_max, set_limits.day_max,
    set_limits.month_max, set_limits.time_zone, set_limits.set_by, at, set_limits.reason
  )
  returning * into added;

  is_limited := exists (
    select from limits_from(account.id, at) l
    where num_nonnulls(l.transaction_max, l.day_max, l.month_max) > 0
  );
  if not is_limited or not account.has_limits or before.time_zone <> added.time_zone then
    delete from outflows o where o.account_id = account.id;
    insert into outflows (account_id, day, amount)
    select account.id, o.day, o.amount
    from outflows_of(account, added.time_zone, today - 29) o
    where is_limited;
  end if;
  -- The time moves on, so that no posting is judged by the limits before, even if the clock is set back.
  update accounts a set has_limits = is_limited, posted_at = at where a.id = account.id;
  return row(null, added)::set_limits_outcome;
end
$$;

-- Returns the limits of an account that are in force at a moment, and those to come, by time.
create function limits_from(account_id uuid, moment timestamptz) returns setof account_limits
language sql stable
begin atomic
  select l.*
  from account_limits l
  where l.account_id = limits_from.account_id
    and (
      l.valid_from > moment
      or l.version = (
        select now.version from account_limits now
        where now.account_id = l.account_id and now.valid_from <= moment
        order by now.valid_from desc, now.version desc limit 1
      )
    )
  order by l.valid_from, l.version;
end;

-- Days of the last 30 on which more or less went out of an account with limits than outflows says.
create function verify_outflows() returns table (account_id uuid, day date, counted numeric, gone_out numeric)
language sql stable
begin atomic
  with limited as materialized (
    select a as account, z.time_zone,
      -- Today as postings read it: the clock may have been set back.
      (greatest(now(), a.posted_at) at time zone z.time_zone)::date - 29 as since
    from accounts a
    cross join lateral (
      select l.time_zone from account_limits l where l.account_id = a.id order by l.version desc limit 1
    ) z
    where a.has_limits
  )
  select d.account_id, d.day, sum(d.counted), sum(d.gone_out)
  from (
    select o.account_id, o.day, o.amount as counted, 0 as gone_out
    from limited l join outflows o on o.account_id = (l.account).id and o.day >= l.since
    union all
    select (l.account).id, b.day, 0, b.amount
    from limited l cross join lateral outflows_of(l.account, l.time_zone, l.since) b
  ) d
  group by d.account_id, d.day
  having sum(d.counted) <> sum(d.gone_out);
end;

revoke execute on function set_limits from public;
grant execute on function set_limits to :functions_role;
