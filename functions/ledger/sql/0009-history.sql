-- Number of the last entry that an account had at a moment; 0 before its first. A binary search, one look-up
-- by the primary key a step, because versions have no gaps and times never go back from one to the next.
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

-- Balance of an account at a moment, in minor units.
create function balance_at(account accounts, moment timestamptz) returns bigint
language sql stable
return coalesce((
  select e.balance_after
  from entries e
  where e.account_id = account.id
    -- In a query of its own: else Postgres would search once more while it plans, to guess how many rows
    -- there are.
    and e.version = (select version_at(account, moment))
), 0);
