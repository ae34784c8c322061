-- Money from and to the world outside the bank, by way of a payment provider: top-ups and withdrawals.
--
-- Here too, each step is stored before anybody is asked, with all that the question says, and the keys of the
-- questions follow from the id. So whoever finds it there can ask again, and it happens once.
create type provider_transfer_kind as enum ('top-up', 'withdrawal');

-- A withdrawal begins with `placing`: its money is to be held. Then, as for a top-up from the beginning, the
-- provider is `asking`-ed, and `pending` until it settles. What it has settled is `crediting` or `capturing`:
-- the ledger is to book it. Money of a withdrawal that it refused is `releasing`.
create type provider_transfer_status as enum (
  'placing', 'asking', 'pending', 'crediting', 'capturing', 'completed', 'releasing', 'failed'
);

create table provider_transfers (
  id uuid primary key default uuidv7(),
  kind provider_transfer_kind not null,
  user_id uuid not null,
  account_id uuid not null,
  -- Minor units.
  amount bigint not null check (amount > 0),
  currency text not null,
  description text,
  -- Of a withdrawal: who gets it, and their account outside the bank as the provider writes it.
  payee_name text,
  payee_account text,
  provider text not null,
  status provider_transfer_status not null,
  -- Why it failed: as the provider or the ledger says, or we.
  failure text,
  -- The provider's own id of it, and where the customer goes on.
  provider_id text,
  next_url text,
  hold_id uuid unique,
  transaction_id uuid unique,
  -- What does not fit together, or can't be booked. An operator has to look.
  dispute text,
  -- A refusal of the ledger is kept under its key, so the next attempt has another. `asked_at` says since
  -- when the ledger is asked with this one.
  attempt integer not null default 1,
  asked_at timestamptz not null default now(),
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  ended_at timestamptz,
  -- When it was last worked on, and when it is to be looked after next.
  taken_at timestamptz not null default now(),
  next_at timestamptz not null default now() + interval '1 minute',

  constraint well_formed check (
    (kind = 'withdrawal') = (payee_name is not null)
    and (kind = 'withdrawal') = (payee_account is not null)
    and (kind = 'withdrawal' or status not in ('placing', 'capturing', 'releasing') and hold_id is null)
    and (kind = 'top-up' or status <> 'crediting')
    and (kind = 'top-up' or status in ('placing', 'failed') or hold_id is not null)
    and (status in ('completed', 'failed')) = (ended_at is not null)
    and (status in ('releasing', 'failed')) = (failure is not null)
    and (status = 'completed') = (transaction_id is not null)
  )
);

create index provider_transfers_of_user on provider_transfers (user_id, kind, id);
create index provider_transfers_by_status on provider_transfers (user_id, kind, status, id);
create index provider_transfers_of_kind on provider_transfers (kind, id);
-- For operators, who look through everybody's.
create index provider_transfers_of_all_by_status on provider_transfers (kind, status, id);
-- How many a customer has under way is counted whenever they ask for another.
create index provider_transfers_open_of_user on provider_transfers (user_id) where ended_at is null;
create index provider_transfers_disputed on provider_transfers (kind, id) where dispute is not null;
create index provider_transfers_under_way on provider_transfers (next_at) where ended_at is null;

-- It only goes forward, and what it is about never changes. Of one that has ended, only a dispute is noted.
create function is_next_step(old provider_transfer_status, new provider_transfer_status) returns boolean
language sql immutable parallel safe
return old = new or case old
  when 'placing' then new in ('asking', 'failed')
  when 'asking' then new in ('pending', 'crediting', 'capturing', 'releasing', 'failed')
  when 'pending' then new in ('crediting', 'capturing', 'releasing', 'failed')
  -- `failed` if the ledger can never book it.
  when 'crediting' then new in ('completed', 'failed')
  when 'capturing' then new in ('completed', 'failed')
  when 'releasing' then new = 'failed'
  else false
end;

-- Says whether an update only erases what the customer wrote in a transfer that has ended; see
-- 0007-left-customers.sql.
create function is_forgotten(old provider_transfers, new provider_transfers) returns boolean
language sql immutable
return old.ended_at is not null and to_jsonb(new) = to_jsonb(old) || jsonb_build_object(
  'description', null, 'next_url', null, 'payee_name', case when old.payee_name is not null then '-' end,
  'payee_account', case when old.payee_account is not null then '-' end
);

create trigger step_by_step before update on provider_transfers
for each row when (
  not is_forgotten(old, new) and (not is_next_step(old.status, new.status)
  or old.ended_at is not null and to_jsonb(old) - 'dispute' <> to_jsonb(new) - 'dispute'
  or old.hold_id <> new.hold_id
  or old.provider_id <> new.provider_id
  or (old.kind, old.user_id, old.account_id, old.amount, old.currency, old.provider, old.created_at)
    <> (new.kind, new.user_id, new.account_id, new.amount, new.currency, new.provider, new.created_at)
  or (old.payee_name, old.payee_account, old.description)
    is distinct from (new.payee_name, new.payee_account, new.description))
)
execute function refuse_change();

create trigger append_only before delete or truncate on provider_transfers
for each statement execute function refuse_change();

-- The inbox of what providers have sent: each web hook counts once.
create table provider_hooks (
  provider text not null,
  hook_id text not null,
  transfer_id uuid not null,
  -- What the provider said; and null if it was believed, or why not.
  state text not null,
  dispute text,
  received_at timestamptz not null default now(),
  primary key (provider, hook_id)
);

create index provider_hooks_by_age on provider_hooks (received_at);

grant select, insert, update on provider_transfers to :functions_role;
grant select, insert, delete on provider_hooks to :functions_role;

-- What the sandbox provider remembers. Only sandbox-provider uses it, and production does not deploy that.
create table sandbox_transfers (
  -- The bank's id of it.
  reference uuid primary key,
  kind text not null,
  amount bigint not null,
  currency text not null,
  state text not null check (state in ('pending', 'settled', 'failed')),
  reason text,
  settles_at timestamptz not null,
  created_at timestamptz not null default now()
);

grant select, insert, update on sandbox_transfers to :functions_role;
