-- The guard of the accounts of postings: see 0016-check.sql for what is examined.

-- Checks accounts from where the last check ended, and keeps how far they are right. Returns those that are
-- wrong, and those without a problem that have more entries. Each is checked up to 200 entries with all
-- others, which bounds the memory that this takes; those with more go on alone, up to 50,000.
create function check_accounts(ids uuid[]) returns setof examination
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  examined examination[] := array(select e from examine_accounts(checked_until(ids), 200) e);
  busy_ids constant uuid[] := array(
    select e.account_id from unnest(examined) e where e.problem is null and not e.is_complete
  );
  busy_id uuid;
begin
  perform keep_checked(examined);
  return query select * from unnest(examined) e where e.problem is not null;
  foreach busy_id in array busy_ids loop
    examined := array(select e from examine_accounts(checked_until(array[busy_id]), 50000) e);
    perform keep_checked(examined);
    return query select * from unnest(examined) e where e.problem is not null or not e.is_complete;
  end loop;
end
$$;

-- Checks accounts, and the cash of some currencies, and stops the currencies of those that are wrong. Returns
-- the new stops.
create function guard_accounts(ids uuid[], currencies text[]) returns setof ledger_stops
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  faults constant jsonb[] := array(
    select fault
    from check_accounts(ids || array(select cash_account_id(currency) from unnest(currencies) currency))
    where fault is not null
  );
begin
  if cardinality(faults) > 0 then
    return query select * from stop_for(faults);
  end if;
end
$$;

revoke execute on function check_accounts, guard_accounts from public;
grant execute on function check_accounts, guard_accounts to :functions_role;
