-- Payment orders: transfers that a customer has ordered for a moment to come, or for each day, week or
-- month. (The ledger calls something else an order: a transaction that is posted after its answer.)
create table payment_orders (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  account_id uuid not null,
  to_account_id uuid not null,
  -- In minor units.
  amount bigint not null check (amount > 0),
  currency text not null,
  description text,
  -- The name by which the customer knows the payee. Nobody checks it.
  payee_name text,
  -- When it is due: once, or by rules that functions/payments/orders/calendar.ts explains.
  run_at timestamptz,
  every text check (every in ('day', 'week', 'month')),
  on_day integer,
  at_time text,
  time_zone text,
  from_date date,
  until_date date,
  run_count integer check (run_count > 0),
  check ((run_at is null) <> (every is null)),
  check (every is null or (at_time, time_zone, from_date) is not null),
  check (every is null or (every = 'day') = (on_day is null)),
  -- Of runs that are found late: whether each is paid, or only the last.
  missed_runs text not null check (missed_runs in ('each', 'last')),
  status text not null default 'active'
    check (status in ('active', 'paused', 'stopped', 'completed', 'cancelled')),
  -- Why the bank has stopped it: the name of the ledger's refusal.
  stop_reason text,
  check ((status = 'stopped') = (stop_reason is not null)),
  -- The run to come; null if there is none.
  next_number integer,
  next_due_at timestamptz,
  check ((next_number is null) = (next_due_at is null)),
  -- Until then it waits, because no runs could be made of it. So it keeps no other from being paid.
  set_aside_until timestamptz,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  -- When the token of whoever made it was issued. A new owner of the address may be known later than it was
  -- made.
  token_issued_at timestamptz not null default now()
);

-- What is due is found by these two indexes, however many orders and runs there are.
create index payment_orders_due on payment_orders (next_due_at) where status = 'active' and next_due_at is not null;
create index payment_orders_of_user on payment_orders (user_id, id desc);
create index payment_orders_by_status on payment_orders (user_id, status, id desc);
-- For operators, who look through everybody's.
create index payment_orders_of_all_by_status on payment_orders (status, id desc);
-- What an operator is told before they freeze or close an account.
create index payment_orders_of_account on payment_orders (account_id);
create index payment_orders_to_account on payment_orders (to_account_id);
-- How many orders a customer has open, however many have ended.
create index payment_orders_open on payment_orders (user_id) where status not in ('completed', 'cancelled');

grant select, insert, update on payment_orders to :functions_role;

-- One row for each time that an order is due, written before the ledger is called. It has a copy of what is
-- to be paid: a repeated call must ask for the same, even if the order was changed in between.
create table payment_order_runs (
  id uuid primary key default uuidv7(),
  order_id uuid not null references payment_orders,
  number integer not null,
  due_at timestamptz not null,
  account_id uuid not null,
  to_account_id uuid not null,
  amount bigint not null,
  currency text not null,
  description text,
  status text not null default 'pending' check (status in ('pending', 'paid', 'failed', 'skipped')),
  -- Part of the idempotency key. It grows when the ledger has refused: a key keeps its refusal.
  attempt integer not null default 1,
  -- When the ledger was first called with this key; null if it was not.
  called_at timestamptz,
  -- When to call next. A runner that has taken the run moves it on, so that no other takes it for now.
  next_attempt_at timestamptz not null default now(),
  transaction_id uuid unique,
  check ((status = 'paid') = (transaction_id is not null)),
  -- The ledger's last refusal.
  problem text,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  ended_at timestamptz,
  check ((status = 'pending') = (ended_at is null)),
  unique (order_id, due_at)
);

create index payment_order_runs_pending on payment_order_runs (next_attempt_at) where status = 'pending';
create index payment_order_runs_pending_of_order on payment_order_runs (order_id, due_at) where status = 'pending';
create index payment_order_runs_of_order on payment_order_runs (order_id, id desc);

grant select, insert, update on payment_order_runs to :functions_role;
