-- Payments: money that the ledger holds for a payee, and pays when the payer executes the payment.
--
-- A payment in a status that ends with -ing is under way: what it is going to ask of the ledger is decided
-- and stored, with all that the question says, and the idempotency keys of the questions follow from its id.
-- So whoever finds it there can ask again, and it happens once.
create type payment_status as enum (
  'placing', 'created', 'executing', 'executed', 'cancelling', 'cancelled', 'expiring', 'expired', 'failing', 'failed'
);

create table payments (
  id uuid primary key default uuidv7(),
  -- The payer.
  user_id uuid not null,
  account_id uuid not null,
  -- Minor units.
  amount bigint not null check (amount > 0),
  currency text not null,
  description text,
  -- As the payer gave it: one of both.
  payee_account_id uuid,
  payee_email text,
  -- Where the payer's browser goes afterwards. It is only kept for whoever shows the payment.
  return_url text,
  status payment_status not null default 'placing',
  -- Why it failed: the name of the ledger's refusal, or of ours.
  failure text,
  -- Null until the ledger holds the money.
  hold_id uuid unique,
  -- Where the money goes, from the moment the payment is executed, and whose that account is if it was found
  -- by the email address.
  to_account_id uuid,
  to_user_id uuid,
  transaction_id uuid,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  expires_at timestamptz not null,
  ended_at timestamptz,
  -- When a process last took it up.
  taken_at timestamptz not null default now(),

  constraint well_formed check (
    num_nonnulls(payee_account_id, payee_email) = 1
    and (status in ('executed', 'cancelled', 'expired', 'failed')) = (ended_at is not null)
    and (status in ('failing', 'failed')) = (failure is not null)
    and (status = 'placing') <= (hold_id is null)
    and (status not in ('placing', 'failed')) <= (hold_id is not null)
    and (status in ('executing', 'executed')) <= (to_account_id is not null)
    and (status = 'executed') = (transaction_id is not null)
  )
);

create index payments_of_user on payments (user_id, id);
-- For those of one status, which may be rare among all of a customer's, and among everybody's.
create index payments_by_status on payments (user_id, status, id);
create index payments_of_all_by_status on payments (status, id);
-- For the sweep, and for those that are due.
create index payments_under_way on payments (taken_at)
where status in ('placing', 'executing', 'cancelling', 'expiring', 'failing');
create index payments_open on payments (expires_at) where status = 'created';
-- How often a payer named an address that can't be paid.
create index payments_unreachable on payments (user_id, ended_at) where failure = 'payee-unreachable';

-- A payment goes its way step by step, and what it is about never changes.
create function is_next_step(old payment_status, new payment_status) returns boolean
language sql immutable parallel safe
return case old
  when 'placing' then new in ('placing', 'created', 'failed')
  when 'created' then new in ('executing', 'cancelling', 'expiring', 'failing')
  when 'executing' then new in ('executing', 'executed', 'failing', 'failed', 'expired')
  when 'cancelling' then new in ('cancelling', 'cancelled', 'failed')
  when 'expiring' then new in ('expiring', 'expired', 'failed')
  when 'failing' then new in ('failing', 'failed')
  else false
end;

-- Says whether an update only erases what the payer wrote in a payment that has ended; see
-- 0007-left-customers.sql.
create function is_forgotten(old payments, new payments) returns boolean
language sql immutable
return old.ended_at is not null and to_jsonb(new) = to_jsonb(old) || jsonb_build_object(
  'description', null, 'return_url', null, 'payee_email', case when old.payee_email is not null then '-' end
);

create trigger step_by_step before update on payments
for each row when (
  not is_forgotten(old, new) and (not is_next_step(old.status, new.status)
  or to_jsonb(old) - '{status,failure,hold_id,to_account_id,to_user_id,transaction_id,ended_at,taken_at}'::text[]
    <> to_jsonb(new) - '{status,failure,hold_id,to_account_id,to_user_id,transaction_id,ended_at,taken_at}'::text[]
  or old.hold_id <> new.hold_id)
)
execute function refuse_change();

create trigger append_only before delete or truncate on payments
for each statement execute function refuse_change();

grant select, insert, update on payments to :functions_role;
