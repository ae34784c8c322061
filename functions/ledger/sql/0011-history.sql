-- Returns the number of an account's last entry at a moment; 0 before its first. It is a binary search with
-- one primary key look-up per step. That works because versions have no gaps, and the time of an entry is
-- never before that of the one before.
create function version_at(account accounts, moment timestamptz) returns bigint
language plpgsql stable
as $$
declare
  known bigint := 0;
  beyond bigint := account.version + 1;
  middle bigint;
begin
  while beyond - known > 1 loop
    middle := (known + beyond) / 2;
    if (select e.created_at <= moment from entries e where e.account_id = account.id and e.version = middle) then
      known := middle;
    else
      beyond := middle;
    end if;
  end loop;
  return known;
end
$$;

-- Returns the balance of an account at a moment, in minor units.
create function balance_at(account accounts, moment timestamptz) returns bigint
language sql stable
return coalesce((
  select e.balance_after
  from entries e
  where e.account_id = account.id
    -- As a subquery: otherwise Postgres would run the search once more while planning, to estimate the number
    -- of rows.
    and e.version = (select version_at(account, moment))
), 0);

-- Returns how much of an account was held at a moment, in minor units: a binary search like version_at(),
-- over the entries of its holds.
create function held_at(account accounts, moment timestamptz) returns bigint
language plpgsql stable
as $$
declare
  known bigint := 0;
  beyond bigint := 1 + coalesce((select max(e.version) from hold_entries e where e.account_id = account.id), 0);
  middle bigint;
begin
  while beyond - known > 1 loop
    middle := (known + beyond) / 2;
    if (
      select e.created_at <= moment from hold_entries e where e.account_id = account.id and e.version = middle
    ) then
      known := middle;
    else
      beyond := middle;
    end if;
  end loop;
  return coalesce(
    (select e.held_after from hold_entries e where e.account_id = account.id and e.version = known), 0);
end
$$;
