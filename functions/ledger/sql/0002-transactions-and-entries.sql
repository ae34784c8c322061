-- What was asked of the ledger and became of it. A completed transaction is two or more entries that add up
-- to zero; `pending` and `rejected` are those asked for with `Prefer: respond-async`.
create type transaction_type as enum ('deposit', 'withdrawal', 'transfer');
create type transaction_status as enum ('completed', 'pending', 'rejected', 'reversed');

create table transactions (
  id uuid primary key,
  type transaction_type not null,
  status transaction_status not null,
  account_id uuid not null,
  to_account_id uuid,
  amount bigint not null,
  currency text not null,
  description text,
  metadata jsonb,
  -- Owner of account_id; of one that is not completed: who asked for it.
  user_id uuid not null,
  to_user_id uuid,
  balance_after bigint,
  to_balance_after bigint,
  -- Name of the refusal of a rejected transaction.
  refusal text,
  created_at timestamptz not null,

  constraint well_formed check (
    amount > 0
    and (type = 'transfer') = (to_account_id is not null)
    and (status in ('completed', 'reversed')) = (balance_after is not null)
    and (status = 'rejected') = (refusal is not null)
  )
);

-- Transactions without entries; those with entries are found through them. With all that a list may be
-- narrowed to: a page must not read past thousands of refused orders, one's own or a stranger's for the same
-- account.
create index transactions_without_entries on transactions (account_id, user_id, status, type, created_at, id)
where status in ('pending', 'rejected');

-- Orders that wait to be posted, for the sweep: empty when all is well.
create index transactions_pending on transactions (created_at, id) where status = 'pending';

-- The books: every change of every balance, numbered without gaps per account, each with the balance after it
-- and a hash that chains it to the account's entry before. Nothing here is ever changed or removed.
--
-- There are no foreign keys: post_transactions() is the only writer, and it has each account's row locked
-- while it writes; checking again would cost two look-ups for every entry.
create table entries (
  account_id uuid not null,
  version bigint not null,
  transaction_id uuid not null,
  amount bigint not null,
  balance_after bigint not null,
  hash bytea not null,
  created_at timestamptz not null,
  primary key (account_id, version)
);

-- The hash of an entry: SHA-256 over 96 bytes, integers big-endian, so that anybody can compute it again:
-- 32 hash of the account's entry before (zeros for the first), 16 account, 8 version, 16 transaction,
-- 8 amount, 8 balance after, 8 time in microseconds since 2000-01-01 UTC.
create function entry_hash(
  previous bytea, account_id uuid, version bigint, transaction_id uuid, amount bigint, balance_after bigint,
  created_at timestamptz
) returns bytea
language sql immutable parallel safe
return sha256(
  previous || uuid_send(account_id) || int8send(version) || uuid_send(transaction_id) || int8send(amount)
  || int8send(balance_after) || timestamptz_send(created_at)
);

-- Grants keep the functions' role from changing history; these triggers keep the owner and a superuser from
-- doing it by mistake. Whoever switches them off is found out by the hashes.
create function refuse_change() returns trigger
language plpgsql
as $$
begin
  raise '% of % is refused: the books are append-only', tg_op, tg_table_name using errcode = 'MB001';
end
$$;

create trigger append_only before update or delete or truncate on entries
for each statement execute function refuse_change();

create trigger append_only before truncate on transactions
for each statement execute function refuse_change();

-- A pending transaction may go, to be written again as what became of it, and a completed one may be marked
-- as reversed. Everything else about a transaction stands.
create trigger append_only_delete before delete on transactions
for each row when (old.status <> 'pending') execute function refuse_change();

create trigger append_only_update before update on transactions
for each row when (
  old.status <> 'completed' or new.status <> 'reversed'
  or to_jsonb(old) - 'status' <> to_jsonb(new) - 'status'
)
execute function refuse_change();

grant select on transactions, entries to :functions_role;
