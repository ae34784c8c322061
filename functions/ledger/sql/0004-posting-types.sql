-- Posting: many transactions in one round trip and one commit. These are the types of the input, the steps in
-- between, and the output.

-- What a request does to a hold. A capture also posts a transfer.
create type hold_step as enum ('place', 'capture', 'release');

-- One transaction to post, or one step of a hold. The amount is in minor units.
create type posting_request as (
  id uuid,
  -- Id of the row of outbox_pending for the event that will tell the outcome. Up to a hundred requests of a
  -- batch share a row.
  pending_id uuid,
  -- True if the request is an order, already answered with 202. The same order may come more than once, and
  -- its refusal is stored as a rejected transaction. Orders are told apart by id; their key is not read.
  requested boolean,
  operation text,
  type transaction_type,
  account_id uuid,
  to_account_id uuid,
  amount bigint,
  currency text,
  description text,
  metadata jsonb,
  caller_id uuid,
  caller_role text,
  -- Idempotency-Key, its owner and the hash of the request; null without a key.
  key_owner text,
  key text,
  request_hash bytea,
  traceparent text,
  -- The client's address.
  address inet,
  value_date date,
  -- Of a hold: the step, and the hold. A new hold has the id of its request.
  step hold_step,
  hold_id uuid,
  -- Seconds.
  expires_in integer,
  -- Of a reversal: the transaction to reverse, and whether the money leaves account_id.
  reverses uuid,
  is_debit boolean,
  -- The context that asks on behalf of the caller.
  via text
);

-- Says whether a request may name an account of the bank's own: only `clearing`, by the operation that is for
-- it, and when what that one did is reversed.
create function may_name(bank_account_id uuid, currency text, operation text, reverses uuid) returns boolean
language sql immutable parallel safe
return bank_account_id = clearing_account_id(currency) and (operation = 'clearing' or reverses is not null);

-- A request as money that goes from one account to another; one of them may be cash. Accounts are given by
-- their places among those that the batch has locked. `refusal` is set if the request is refused whatever the
-- balances.
create type movement as (
  refusal text,
  payer integer,
  payee integer,
  -- Owners of account_id and to_account_id.
  user_id uuid,
  to_user_id uuid
);

-- What the hold of a request, or the transaction to reverse, says about it.
create type subject as (
  -- Null if the request may go on.
  refusal text,
  -- How much accounts.held changes: by the whole hold, if it ends.
  held_change bigint,
  hold_amount bigint,
  hold_entry_id uuid,
  -- What to answer to later requests of the batch for the same hold or transaction.
  ending text
);

-- The limits of an account at a moment, and how much has gone out of it. What is left can be negative: the
-- limit was lowered.
create type limit_room as (
  version integer,
  valid_from timestamptz,
  transaction_max bigint,
  day_max bigint,
  month_max bigint,
  time_zone text,
  today date,
  day_used bigint,
  month_used bigint
);

-- The fee of a transaction: two entries more, the first of account_id, whose owner pays it, the second of the
-- system account `fees`. If the transaction is a reversal, the fee is given back, and the amount is negative.
create type fee_posting as (
  amount bigint,
  own_id uuid,
  own_version bigint,
  own_balance bigint,
  own_hash bytea,
  till_id uuid,
  till_version bigint,
  till_balance bigint,
  till_hash bytea
);

-- A request after it was judged: 'posted', 'replay' or the name of a refusal. If it is posted, also its two
-- entries, or the entry of its hold, or both.
create type judgement as (
  outcome text,
  posted_at timestamptz,
  user_id uuid,
  to_user_id uuid,
  payer_id uuid,
  payer_version bigint,
  payer_balance bigint,
  payer_hash bytea,
  payee_id uuid,
  payee_version bigint,
  payee_balance bigint,
  payee_hash bytea,
  hold_entry_id uuid,
  hold_version bigint,
  hold_amount bigint,
  held bigint,
  hold_hash bytea,
  fee fee_posting
);

-- The outcome of the request at place `n`: 'posted' or the name of a refusal. `replayed` is true if an
-- earlier request had the same key (or id); then this is the outcome of the earlier one. `status` is that of
-- the transaction which was written now, and whose event is to be published; null if none was.
create type posting_outcome as (
  n integer,
  outcome text,
  replayed boolean,
  transaction_id uuid,
  balance_after bigint,
  posted_at timestamptz,
  status transaction_status,
  user_id uuid,
  to_user_id uuid,
  to_balance_after bigint,
  -- Of a hold: the id of its entry, whose event is to be published, and the whole amount of the hold.
  hold_entry_id uuid,
  hold_amount bigint,
  fee bigint,
  -- Whether the events are offered to web hooks.
  offered boolean
);

-- Users who have, or may have, web hooks for events of postings and holds. Most such events concern nobody
-- who has one, and what is not offered costs nothing. The context payments keeps this: it watches before it
-- stores a hook, and ends the watch some time after the last has gone. So here may be one too many, and never
-- one too few.
create table posting_watches (
  user_id uuid primary key,
  -- Grows with each new watch of the user. A watch ends only by its version, so whoever ends one does not end
  -- another that has begun meanwhile.
  version bigint not null,
  -- An operator's hook gets the events of everybody.
  sees_all boolean not null
);

create index posting_watches_of_all on posting_watches (user_id) where sees_all;

grant select, insert, update, delete on posting_watches to :functions_role;

-- Says whether an event that concerns these users is to be offered to web hooks. In plpgsql, so that its plan
-- is kept.
create function is_watched(user_ids uuid[]) returns boolean
language plpgsql stable
as $$
begin
  return exists (select from posting_watches where user_id = any (user_ids))
    or exists (select from posting_watches where sees_all);
end
$$;
