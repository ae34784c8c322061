-- Money set aside for a later capture. The sum of an account's open holds is in accounts.held, which postings
-- check. A hold is captured (all of it or part; the rest is released), released, or it expires.
create type hold_status as enum ('open', 'captured', 'released', 'expired');

create table holds (
  id uuid primary key,
  account_id uuid not null references accounts (id),
  amount bigint not null check (amount > 0),
  currency text not null,
  status hold_status not null default 'open',
  description text,
  -- Owner of the account.
  user_id uuid not null,
  -- Who placed the hold; only they and operators can capture or release it. If a context did on their behalf,
  -- only that context and operators can: its books must not differ from these.
  placed_by uuid not null,
  via text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  -- If it was captured: how much of it, and the transaction that moved the money.
  captured bigint,
  transaction_id uuid,

  constraint well_formed check (
    (status = 'open') = (ended_at is null)
    and (status = 'captured') = (captured is not null)
    and (status = 'captured') = (transaction_id is not null)
    and captured between 1 and amount
  )
);

create index holds_of_account on holds (account_id, id);
create index holds_of_user on holds (user_id, id);
-- For expiry: of a currency, and of one account. `is not null` keeps each from statements that don't say
-- which currency or account: a plan made while the table is empty would walk through all open holds of the
-- bank.
create index holds_open on holds (currency, expires_at, id) where status = 'open' and currency is not null;
create index holds_open_of_account on holds (account_id, expires_at, id)
where status = 'open' and account_id is not null;

-- The books of holds: every change of every accounts.held. They are numbered and chained per account like the
-- entries; see hold_hash(). So nobody can remove a hold or change how it ended unseen, and what was held is
-- known for any moment.
create table hold_entries (
  -- The hold's own id when it is placed. The hold's event is derived from the row; see hold_event().
  id uuid not null,
  account_id uuid not null,
  version bigint not null,
  hold_id uuid not null,
  amount bigint not null,
  held_after bigint not null,
  created_at timestamptz not null,
  hash bytea not null,
  primary key (account_id, version)
);

create unique index hold_entries_by_id on hold_entries (id);
-- A hold ends once.
create unique index hold_entries_of_ends on hold_entries (hold_id) where id <> hold_id;

-- Returns the hash that an account's first hold entry follows on. It is not the one of its first entry.
create function first_hold_hash() returns bytea
language sql immutable parallel safe
return sha256('holds');

-- Returns the hash of an entry of a hold: SHA-256 over the 96 bytes that entry_hash() takes (32 hash of the
-- account's entry of a hold before, 16 account, 8 version, 16 hold, 8 change of accounts.held, 8
-- accounts.held after it, 8 time), then 'hold.' and the status that the hold has from then on. If that is
-- 'captured', 24 bytes more follow: 8 how much was captured, 16 the transaction. No entry of an account is
-- hashed over as many bytes, so neither passes for the other.
create function hold_hash(
  previous bytea, account_id uuid, version bigint, hold_id uuid, amount bigint, held_after bigint,
  created_at timestamptz, status hold_status, captured bigint default null, transaction_id uuid default null
) returns bytea
language sql immutable parallel safe
return sha256(
  previous || uuid_send(account_id) || int8send(version) || uuid_send(hold_id) || int8send(amount)
  || int8send(held_after) || timestamptz_send(created_at)
  || case status
    when 'open' then 'hold.open'::bytea
    when 'captured' then 'hold.captured'::bytea || int8send(captured) || uuid_send(transaction_id)
    when 'released' then 'hold.released'::bytea
    when 'expired' then 'hold.expired'::bytea
  end
);

create trigger append_only before update or delete or truncate on hold_entries
for each statement execute function refuse_change();

create trigger append_only before delete or truncate on holds
for each statement execute function refuse_change();

-- An open hold may end, once.
create trigger append_only_update before update on holds
for each row when (
  old.status <> 'open' or new.status = 'open'
  or (
    old.id, old.account_id, old.amount, old.currency, old.description, old.user_id, old.placed_by, old.via,
    old.created_at, old.expires_at
  ) is distinct from (
    new.id, new.account_id, new.amount, new.currency, new.description, new.user_id, new.placed_by, new.via,
    new.created_at, new.expires_at
  )
)
execute function refuse_change();

grant select on holds, hold_entries to :functions_role;
