-- Changes of an account that move no money: who froze, unfroze or closed it, or changed its overdraft limit,
-- when and why. A frozen or closed account takes nothing and gives nothing; settle() refuses it.
create type account_field as enum ('status', 'overdraft_limit');

-- Every change, numbered per account without gaps. Nothing here is ever changed or removed.
create table account_changes (
  id uuid primary key default uuidv7(),
  account_id uuid not null references accounts (id),
  version bigint not null,
  at timestamptz not null,
  -- The user who asked for it: the account's owner, or an operator.
  by uuid not null,
  field account_field not null,
  -- The values before and after, as text; overdraft limits in minor units.
  "from" text not null,
  "to" text not null,
  -- Null if the owner gave none.
  reason text,
  constraint account_changes_by_version unique (account_id, version)
);

create index account_changes_by_field on account_changes (account_id, field, version);

create trigger append_only before update or delete or truncate on account_changes
for each statement execute function refuse_change();

create type account_action as enum ('freeze', 'unfreeze', 'close', 'change-overdraft');

-- The account afterwards, and the change. Or null, and the name of the refusal. There is no change if the
-- overdraft limit was already the one that was asked for.
create type changed_account as (refusal text, account accounts, change account_changes);

-- Freezes, unfreezes or closes a customer's account, or sets its overdraft limit (in minor units; null for
-- the other actions). `owner_id` is null if the caller may change any customer's account. The refusals, in
-- their order of precedence:
-- - account-not-found, account-closed;
-- - account-frozen: it can't be frozen twice, and is unfrozen before it is closed;
-- - account-not-frozen;
-- - account-not-empty, account-has-holds: only an account without money is closed;
-- - overdraft-in-use: the account would be below its limit.
create function change_account(
  action account_action, account_id uuid, owner_id uuid, overdraft_limit bigint, changed_by uuid, reason text
) returns changed_account
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  account accounts;
  refusal text;
  last account_changes;
  change account_changes;
begin
  -- The lock that postings take. So each posting comes either before the change, and counts here, or after
  -- it, and is judged by it.
  select * into account
  from accounts a
  where a.id = change_account.account_id and a.kind = 'customer' and (owner_id is null or a.user_id = owner_id)
  for no key update;

  -- A hold that is due keeps nobody from anything, so it ends first.
  if account.held > 0 and action in ('close', 'change-overdraft') and end_due_holds(
    array[account.id], greatest(date_trunc('milliseconds', clock_timestamp()), account.posted_at)
  ) > 0 then
    select * into account from accounts a where a.id = account.id;
  end if;

  refusal := case
    when account.id is null then 'account-not-found'
    when account.status = 'closed' then 'account-closed'
    when account.status = 'frozen' and action in ('freeze', 'close') then 'account-frozen'
    when account.status <> 'frozen' and action = 'unfreeze' then 'account-not-frozen'
    when action = 'close' and account.balance <> 0 then 'account-not-empty'
    when action = 'close' and account.held <> 0 then 'account-has-holds'
    when action = 'change-overdraft' and account.balance - account.held < -change_account.overdraft_limit
      then 'overdraft-in-use'
  end;
  if refusal is not null then
    return row(refusal, null, null)::changed_account;
  end if;

  change.field := case action when 'change-overdraft' then 'overdraft_limit' else 'status' end;
  change."from" := case action when 'change-overdraft' then account.overdraft_limit::text else account.status::text end;
  change."to" := case action
    when 'freeze' then 'frozen'
    when 'unfreeze' then 'open'
    when 'close' then 'closed'
    else change_account.overdraft_limit::text
  end;
  if change."from" = change."to" then
    return row(null, account, null)::changed_account;
  end if;

  update accounts a
  set status = case change.field when 'status' then change."to"::account_status else a.status end,
    overdraft_limit = coalesce(change_account.overdraft_limit, a.overdraft_limit)
  where a.id = account.id
  returning a.* into account;

  -- As for entries, the time is read while the lock is held, and never goes back, even if the clock does.
  select * into last from account_changes c where c.account_id = account.id order by c.version desc limit 1;
  insert into account_changes (account_id, version, at, by, field, "from", "to", reason)
  values (
    account.id, coalesce(last.version, 0) + 1,
    greatest(date_trunc('milliseconds', clock_timestamp()), account.posted_at, last.at),
    changed_by, change.field, change."from", change."to", change_account.reason
  )
  returning * into change;
  return row(null, account, change)::changed_account;
end
$$;

-- Gives a customer's account another name; null takes it away. A name has no effect on money, so it is not
-- among the account's changes. `owner_id` is null if the caller may change any customer's account. Refuses
-- with `account-not-found`, or `account-closed`.
create function rename_account(account_id uuid, owner_id uuid, name text) returns changed_account
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  account accounts;
begin
  update accounts a
  set name = rename_account.name
  where a.id = rename_account.account_id and a.kind = 'customer' and (owner_id is null or a.user_id = owner_id)
    and a.status <> 'closed'
  returning a.* into account;
  if found then
    return row(null, account, null)::changed_account;
  end if;
  return row(
    case when exists (
      select from accounts a
      where a.id = rename_account.account_id and a.kind = 'customer' and (owner_id is null or a.user_id = owner_id)
    ) then 'account-closed' else 'account-not-found' end,
    null, null
  )::changed_account;
end
$$;

-- Returns the overdraft limit of an account at a moment, in minor units: what the first change after it
-- replaced, or else the present one. For a moment before the account was opened, it is the limit that the
-- account was opened with.
create function overdraft_at(account accounts, moment timestamptz) returns bigint
language sql stable
return coalesce((
  select c."from"::bigint
  from account_changes c
  where c.account_id = account.id and c.field = 'overdraft_limit' and c.at > moment
  order by c.version
  limit 1
), account.overdraft_limit);

-- Proof of the changes, as those of 0012-verify.sql: changes that do not follow from the account's change
-- before, accounts whose status or overdraft limit is not that of their last change, and closed accounts with
-- money or holds.
create function verify_changes() returns table (account_id uuid, problem text)
language sql stable
begin atomic
  with linked as (
    select c.*,
      lag(c.version, 1, 0::bigint) over by_account as version_before,
      lag(c.at) over by_account as at_before,
      lag(c."to") over (partition by c.account_id, c.field order by c.version) as known,
      lead(c.version) over (partition by c.account_id, c.field order by c.version) is null as is_last
    from account_changes c
    window by_account as (partition by c.account_id order by c.version)
  ),
  found as (
    select l.account_id,
      case
        when l.version <> l.version_before + 1 then 'gap'
        when l.at < l.at_before then 'time'
        when l."from" <> coalesce(l.known, case l.field when 'status' then 'open' else l."from" end) then 'from'
      end as problem
    from linked l
    union all
    select a.id,
      case
        when a.status::text <> coalesce(status."to", 'open') then 'status'
        when a.overdraft_limit::text <> overdraft."to" then 'overdraft_limit'
        when a.status = 'closed' and (a.balance <> 0 or a.held <> 0) then 'closed'
      end
    from accounts a
    left join linked status on status.account_id = a.id and status.field = 'status' and status.is_last
    left join linked overdraft
      on overdraft.account_id = a.id and overdraft.field = 'overdraft_limit' and overdraft.is_last
  )
  select f.account_id, f.problem from found f where f.problem is not null;
end;

grant select on account_changes to :functions_role;
revoke execute on function change_account, rename_account from public;
grant execute on function change_account, rename_account to :functions_role;
