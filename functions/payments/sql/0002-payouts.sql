-- Payouts: up to a thousand transfers from one account, asked for in one request and paid after its answer.
create table payouts (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  account_id uuid not null,
  currency text not null,
  status text not null default 'running' check (status in ('running', 'completed')),
  -- Until then a process is at it, and no other takes it up.
  claimed_until timestamptz not null default now(),
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  completed_at timestamptz,
  check ((status = 'completed') = (completed_at is not null))
);

create index payouts_running on payouts (claimed_until) where status = 'running';
-- How many payouts of a customer run, and which ended lately.
create index payouts_of_user on payouts (user_id, completed_at);
create index payouts_newest on payouts (user_id, id desc);

grant select, insert, update on payouts to :functions_role;

-- The place of an item in its payout is part of its idempotency key, so an item is paid once.
create table payout_items (
  payout_id uuid not null references payouts,
  number integer not null,
  -- The payee: an account, or an email address until its account is found. The account is stored before the
  -- ledger is called, because a repeated call must ask for the same.
  to_account_id uuid,
  email text,
  check (to_account_id is not null or email is not null),
  amount bigint not null check (amount > 0),
  note text,
  status text not null default 'pending' check (status in ('pending', 'paid', 'refused')),
  -- When the ledger was first called.
  called_at timestamptz,
  transaction_id uuid unique,
  check ((status = 'paid') = (transaction_id is not null)),
  -- Name of the refusal.
  problem text,
  check ((status = 'refused') = (problem is not null)),
  primary key (payout_id, number)
);

create index payout_items_pending on payout_items (payout_id, number) where status = 'pending';
-- How often a customer named an address that can't be paid.
create index payout_items_unreachable on payout_items (payout_id) where problem = 'payee-not-found';

grant select, insert, update on payout_items to :functions_role;
