-- Accounts. A customer's account is the bank's liability: a positive balance is what the bank owes him. Money
-- that comes in from outside, or goes out, has its other side on the system account `cash` of its currency, so
-- that all balances of one currency always add up to zero.
create type account_kind as enum ('customer', 'system');
create type account_type as enum ('checking', 'savings', 'cash');
create type account_status as enum ('open', 'frozen', 'closed');

create table accounts (
  id uuid primary key default uuidv7(),
  kind account_kind not null default 'customer',
  -- Null for the bank's own.
  user_id uuid,
  account_type account_type not null,
  currency text not null,
  status account_status not null default 'open',
  -- Amounts are whole minor units.
  balance bigint not null default 0,
  -- Sum of the account's open holds: still in the balance, no longer available.
  held bigint not null default 0,
  overdraft_limit bigint not null default 0,
  -- Number, hash and time of the account's last entry.
  version bigint not null default 0,
  last_hash bytea not null default decode(repeat('00', 32), 'hex'),
  posted_at timestamptz not null default '-infinity',
  created_at timestamptz not null default date_trunc('milliseconds', now()),

  -- One constraint, because Postgres reads each one's text again in every statement that posts.
  constraint within_limits check (
    held >= 0 and overdraft_limit >= 0 and (kind = 'system' or balance - held >= -overdraft_limit)
  )
)
-- Every posting writes a new version of the row; free space in the page lets it stay there, off the indexes.
with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

create index accounts_by_user on accounts (user_id, id) where kind = 'customer';

-- The id of the cash account of a currency. It follows from the currency's code, so that nobody has to look it
-- up, two first accounts of a currency opened at once can't make two, and it sorts before all others.
create function cash_account_id(currency text) returns uuid
language sql immutable strict parallel safe
return ('00000000-0000-7000-8000-' || lpad(encode(currency::bytea, 'hex'), 12, '0'))::uuid;

-- Opens a customer's account with a balance of zero, and the cash account where it is the currency's first.
create function open_account(
  user_id uuid, account_type account_type, currency text, overdraft_limit bigint
) returns accounts
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  opened accounts;
begin
  insert into accounts (id, kind, account_type, currency)
  values (cash_account_id(open_account.currency), 'system', 'cash', open_account.currency)
  on conflict (id) do nothing;

  insert into accounts (user_id, account_type, currency, overdraft_limit)
  values (open_account.user_id, open_account.account_type, open_account.currency, open_account.overdraft_limit)
  returning * into opened;
  return opened;
end
$$;

-- Functions read accounts, and change them only through this schema's own functions.
grant select on accounts to :functions_role;
revoke execute on function open_account from public;
grant execute on function open_account to :functions_role;
