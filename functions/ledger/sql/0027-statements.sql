-- Waits until nobody is posting to an account. An entry gets its time while its account is locked, a moment
-- before it can be seen; so after this, no entry appears whose time is before the call.
create function await_postings(account_id uuid) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
begin
  perform from accounts a where a.id = await_postings.account_id for no key update;
end
$$;

revoke execute on function await_postings from public;
grant execute on function await_postings to :functions_role;

-- Returns the balance of an account at the end of a day, by value date: of all entries that count from that
-- day or before, as far as they were known when the account had `known` entries. In minor units.
--
-- Nearly all entries count from the day they were posted. So this is the balance that was booked by then,
-- without what was booked by then and counts later, and with what was booked later and counts by then.
create function balance_by_value(account accounts, day date, known bigint) returns bigint
language plpgsql stable
as $$
declare
  booked constant bigint := least(
    known, version_at(account, (day + 1)::timestamp at time zone 'UTC' - interval '1 microsecond'));
begin
  return
    coalesce((select e.balance_after from entries e where e.account_id = account.id and e.version = booked), 0)
    - coalesce((
      select sum(e.amount) from entries e
      where e.account_id = account.id and e.value_date > day and e.version <= booked
    ), 0)
    + coalesce((
      select sum(e.amount) from entries e
      where e.account_id = account.id and e.value_date <= day and e.version > booked and e.version <= known
    ), 0);
end
$$;
