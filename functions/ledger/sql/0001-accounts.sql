-- Accounts. A customer's account is the bank's liability: a positive balance is what the bank owes the
-- customer. Money that comes in from outside, or goes out, has its other side on the system account `cash` of
-- its currency. So all balances of one currency always add up to zero. Amounts too large for `cash` are
-- carried to system accounts `vault`. What customers pay for transactions is on the system account `fees`.
-- What payment providers collected and have not handed over, or have handed out for the bank, is on the
-- system account `clearing`: it is no cash, and it can be compared with what the provider says.
create type account_kind as enum ('customer', 'system');
create type account_type as enum ('checking', 'savings', 'cash', 'vault', 'fees', 'clearing');
create type account_status as enum ('open', 'frozen', 'closed');

-- Users who opened an account, or who left the bank. The ledger knows nothing else about them.
create table customers (
  user_id uuid primary key,
  -- When they left the bank; null if they have not.
  left_at timestamptz
);

create table accounts (
  id uuid primary key default uuidv7(),
  kind account_kind not null default 'customer',
  -- Null for the bank's own accounts.
  user_id uuid,
  account_type account_type not null,
  currency text not null,
  status account_status not null default 'open',
  -- What people write down to be paid; see account_number(). Null for the bank's own accounts.
  number bigint,
  -- What the owner calls the account; null if they gave it no name.
  name text,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  -- Sum of the account's open holds: still in the balance, but no longer available. In whole minor units,
  -- like all amounts.
  held bigint not null default 0,
  overdraft_limit bigint not null default 0,
  -- The highest balance that a payment may leave, and the largest deposit by the owner. Null for the bank's
  -- own accounts: all customers share them, so no customer may be able to bring one to a limit.
  balance_limit bigint,
  deposit_limit bigint,
  -- Whether there are limits for what goes out of the account; see 0022-limits.sql.
  has_limits boolean not null default false,
  -- What a posting changes stands together at the end, because Postgres logs a changed row from its first
  -- changed byte to its last.
  balance bigint not null default 0,
  -- Number, time and hash of the account's last entry. The time is later if a hold was placed or ended since.
  version bigint not null default 0,
  posted_at timestamptz not null default '-infinity',
  last_hash bytea not null default decode(repeat('00', 32), 'hex'),

  -- One constraint, because in every statement that posts, Postgres parses the text of each constraint again.
  constraint within_limits check (
    held >= 0 and overdraft_limit >= 0 and (kind = 'system' or balance - held >= -overdraft_limit)
  )
)
-- Every posting writes a new version of the row. Free space in the page lets it stay there, so that the
-- indexes need no change.
with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

create index accounts_by_user on accounts (user_id, id) where kind = 'customer';
-- Not by kind: a plan made while the table is empty would walk through it to count a customer's accounts.
create unique index accounts_by_number on accounts (number) where number is not null;
-- Accounts that are hard to find among all others. Postings never touch these indexes.
create index accounts_not_open on accounts (status, id) where kind = 'customer' and status <> 'open';

-- Returns the id of a currency's cash account. It follows from the currency's code. So nobody has to look it
-- up, two first accounts of a currency opened at once can't make two, and it sorts before all other ids.
create function cash_account_id(currency text) returns uuid
language sql immutable strict parallel safe
return ('00000000-0000-7000-8000-' || lpad(encode(currency::bytea, 'hex'), 12, '0'))::uuid;

-- Returns the id of a currency's clearing account, which follows from its code, too.
create function clearing_account_id(currency text) returns uuid
language sql immutable strict parallel safe
return ('00000000-0000-7000-8002-' || lpad(encode(currency::bytea, 'hex'), 12, '0'))::uuid;

-- Says whether an account is the clearing account of a currency. It is in plpgsql, because Postgres would put
-- the text of an SQL function into the constraint of `transactions`, and parse it for each batch.
create function is_clearing_account(account_id uuid, currency text) returns boolean
language plpgsql immutable parallel safe
-- A restore checks the constraint without a search path.
set search_path = public, pg_temp
as $$
begin
  return account_id = clearing_account_id(currency);
end
$$;

-- Returns the id of a currency's clearing account, which it opens if there is none.
create function open_clearing_account(currency text) returns uuid
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
begin
  insert into accounts (id, kind, account_type, currency)
  values (clearing_account_id(open_clearing_account.currency), 'system', 'clearing', open_clearing_account.currency)
  on conflict (id) do nothing;
  return clearing_account_id(open_clearing_account.currency);
end
$$;

-- Returns the account number of a serial of ten digits: the serial, then two check digits after ISO 7064,
-- MOD 97-10, as IBANs have them. Each wrong digit, and each swap of two neighbours, makes a number that is
-- none. functions/ledger/values/account-number.ts checks them.
create function account_number(serial bigint) returns bigint
language sql immutable strict parallel safe
return serial * 100 + 98 - serial * 100 % 97;

-- The account that was opened; or null, and the name of the refusal.
create type opened_account as (refusal text, account accounts);

-- Opens a customer's account with a balance of zero. Also opens the cash account if the currency has none
-- yet. Refuses with `customer-left`, or with `too-many-accounts` if the customer already has `accounts_max`
-- accounts. Closed accounts count too: they stay in the books, and in the customer's lists.
create function open_account(
  user_id uuid, account_type account_type, currency text, overdraft_limit bigint, balance_limit bigint,
  deposit_limit bigint, accounts_max integer, name text default null
) returns opened_account
language plpgsql security definer
set search_path = public, pg_temp
-- For the reasons given at post_transactions().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  since timestamptz;
  opened accounts;
begin
  -- This row stays locked until the end of the transaction. So openings for one customer, and the record that
  -- they left, happen one after the other, and each sees the accounts opened before.
  insert into customers (user_id) values (open_account.user_id) on conflict do nothing;
  select left_at into since from customers c where c.user_id = open_account.user_id for update;
  if since is not null then
    return row('customer-left', null)::opened_account;
  end if;
  if accounts_max <= (
    select count(*) from accounts a where a.user_id = open_account.user_id and a.kind = 'customer'
  ) then
    return row('too-many-accounts', null)::opened_account;
  end if;

  insert into accounts (id, kind, account_type, currency)
  values (cash_account_id(open_account.currency), 'system', 'cash', open_account.currency)
  on conflict (id) do nothing;

  -- Numbers are drawn by lot, so that nobody can count the bank's accounts or guess the next number.
  loop
    insert into accounts (
      user_id, account_type, currency, overdraft_limit, balance_limit, deposit_limit, name, number
    )
    values (
      open_account.user_id, open_account.account_type, open_account.currency, open_account.overdraft_limit,
      open_account.balance_limit, open_account.deposit_limit, open_account.name,
      account_number(random(1000000000::bigint, 9999999999))
    )
    on conflict (number) where number is not null do nothing
    returning * into opened;
    exit when found;
  end loop;
  return row(null, opened)::opened_account;
end
$$;

-- Records that a customer left the bank; after that no account is opened for them. Returns the number of
-- their accounts that are not closed.
create function close_customer(user_id uuid, left_at timestamptz) returns bigint
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off
as $$
begin
  insert into customers (user_id, left_at) values (close_customer.user_id, close_customer.left_at)
  on conflict on constraint customers_pkey do update set left_at = least(customers.left_at, excluded.left_at);
  -- The accounts stay in the books. What their owner called them is nobody's business any more.
  update accounts a
  set name = null
  where a.user_id = close_customer.user_id and a.kind = 'customer' and a.name is not null;
  return (
    select count(*) from accounts a
    where a.user_id = close_customer.user_id and a.kind = 'customer' and a.status <> 'closed'
  );
end
$$;

-- Functions read accounts, and change them only through this schema's own functions.
grant select on accounts, customers to :functions_role;
revoke execute on function open_account, open_clearing_account, close_customer from public;
grant execute on function open_account, open_clearing_account, close_customer to :functions_role;
