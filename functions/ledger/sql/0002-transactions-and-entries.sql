-- Every transaction requested from the ledger, and its outcome. A completed transaction has two or more
-- entries, which add up to zero. Only transactions requested with `Prefer: respond-async` can be `pending` or
-- `rejected`.
--
-- A reversal has the accounts of the transaction that it reverses; its money goes the other way. It can be
-- reversed in turn.
create type transaction_type as enum ('deposit', 'withdrawal', 'transfer', 'reversal');
create type transaction_status as enum ('completed', 'pending', 'rejected', 'reversed');

create table transactions (
  id uuid,
  type transaction_type not null,
  status transaction_status not null,
  account_id uuid not null,
  to_account_id uuid,
  amount bigint not null,
  currency text not null,
  description text,
  metadata jsonb,
  -- Owner of account_id; if the transaction is not completed, the user who requested it.
  user_id uuid not null,
  to_user_id uuid,
  balance_after bigint,
  to_balance_after bigint,
  -- Name of the refusal, if the transaction is rejected.
  refusal text,
  created_at timestamptz not null,
  -- The day from which the money counts, if it is not the day of the posting (UTC).
  value_date date,
  -- What the owner of account_id paid for the transaction; null if nothing.
  fee bigint,
  -- The hold that was captured.
  hold_id uuid,
  -- The transaction that this one reverses, and the one that reverses this.
  reverses uuid,
  reversed_by uuid,
  -- Who asked, if it was not user_id; the trace and the client's address of their request.
  caller_id uuid,
  trace_id uuid,
  address inet,
  -- The context that asked on behalf of user_id; null if nobody did.
  via text,

  -- The amount is in the index, so that a search by amount need not read rows that don't match. That costs a
  -- posting nothing that could be measured.
  primary key (id) include (amount),
  constraint well_formed check (
    amount > 0
    and (
      type = 'reversal' or (type = 'transfer') = (to_account_id is not null)
      -- A deposit that a payment provider has collected.
      or type = 'deposit' and is_clearing_account(to_account_id, currency)
    )
    and (type = 'reversal') = (reverses is not null)
    and (status in ('completed', 'reversed')) = (balance_after is not null)
    and (status = 'reversed') = (reversed_by is not null)
    and (status = 'rejected') = (refusal is not null)
  )
);

-- Transactions without entries; the others are found through their entries. The index has every column that a
-- list can filter by: a page must not read past thousands of refused orders, whether the owner's or a
-- stranger's for the same account.
create index transactions_without_entries on transactions (account_id, user_id, status, type, created_at, id)
where status in ('pending', 'rejected');

-- Orders that wait to be posted, for the sweep. Empty if all is well.
create index transactions_pending on transactions (created_at, id) where status = 'pending';

-- The books: every change of every balance. Entries are numbered per account without gaps. Each has the
-- balance after it, and a hash that chains it to the account's entry before. Nothing here is ever changed or
-- removed.
--
-- There are no foreign keys: post_transactions() is the only writer, and it holds the lock on each account's
-- row while it writes. Checking again would cost two look-ups per entry.
create table entries (
  account_id uuid not null,
  version bigint not null,
  transaction_id uuid not null,
  amount bigint not null,
  balance_after bigint not null,
  created_at timestamptz not null,
  -- The day from which the money counts, if it is not the day of created_at (UTC).
  value_date date,
  -- Last, because after it Postgres would fill up to a multiple of eight bytes.
  hash bytea not null,
  primary key (account_id, version) include (amount)
);

-- For statements by value date (see 0027-statements.sql). Nearly all entries count from the day they are
-- posted.
create index entries_with_value_date on entries (account_id, value_date, version) where value_date is not null;

-- Returns the hash of an entry: SHA-256 over 96 bytes, integers big-endian, so that anybody can compute it
-- again. The bytes are: 32 hash of the account's entry before (zeros for the first), 16 account, 8 version,
-- 16 transaction, 8 amount, 8 balance after, 8 time in microseconds since 2000-01-01 UTC. If the entry has a
-- value date, 4 more follow: its days since 2000-01-01.
create function entry_hash(
  previous bytea, account_id uuid, version bigint, transaction_id uuid, amount bigint, balance_after bigint,
  created_at timestamptz, value_date date default null
) returns bytea
language sql immutable parallel safe
return sha256(
  previous || uuid_send(account_id) || int8send(version) || uuid_send(transaction_id) || int8send(amount)
  || int8send(balance_after) || timestamptz_send(created_at) || coalesce(date_send(value_date), '')
);

-- See refuse_change(). If somebody switches these triggers off, the hashes show the change.
create trigger append_only before update or delete or truncate on entries
for each statement execute function refuse_change();

create trigger append_only before truncate on transactions
for each statement execute function refuse_change();

-- Only two changes of a transaction are allowed. A pending one may be deleted, to be written again with its
-- outcome. A completed one may be marked as reversed, with the id of the reversal.
create trigger append_only_delete before delete on transactions
for each row when (old.status <> 'pending') execute function refuse_change();

create trigger append_only_update before update on transactions
for each row when (
  old.status <> 'completed' or new.status <> 'reversed'
  or to_jsonb(old) - '{status,reversed_by}'::text[] <> to_jsonb(new) - '{status,reversed_by}'::text[]
)
execute function refuse_change();

grant select on transactions, entries to :functions_role;
