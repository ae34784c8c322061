-- Money set aside for a later capture. The sum of an account's open holds is in accounts.held, which postings
-- check.
create type hold_status as enum ('open', 'captured', 'released', 'expired');

create table holds (
  id uuid primary key default uuidv7(),
  account_id uuid not null references accounts (id),
  amount bigint not null check (amount > 0),
  status hold_status not null default 'open',
  expires_at timestamptz not null,
  created_at timestamptz not null default date_trunc('milliseconds', now())
);

create index holds_of_account on holds (account_id, id);

grant select on holds to :functions_role;
