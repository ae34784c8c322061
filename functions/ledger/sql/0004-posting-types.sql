-- Posting: many transactions in one round trip and one commit. These are the types of the input, the steps in
-- between, and the output.

-- One transaction to post. The amount is in minor units.
create type posting_request as (
  id uuid,
  -- Id of the event that will tell the outcome.
  event_id uuid,
  -- True if the request is an order, already answered with 202. The same order may come more than once, and
  -- its refusal is stored as a rejected transaction. Orders are told apart by id; their key is not read.
  requested boolean,
  operation text,
  type transaction_type,
  account_id uuid,
  to_account_id uuid,
  amount bigint,
  currency text,
  -- Number of decimals of the currency, for amounts in events.
  currency_exponent smallint,
  description text,
  metadata jsonb,
  caller_id uuid,
  caller_role text,
  -- Idempotency-Key, its owner and the hash of the request; null without a key.
  key_owner text,
  key text,
  request_hash bytea,
  traceparent text
);

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

-- A request after it was judged: 'posted', 'replay' or the name of a refusal. If it is posted, also its two
-- entries.
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
  payee_hash bytea
);

-- The outcome of the request at place `n`: 'posted' or the name of a refusal. `replayed` is true if an
-- earlier request had the same key (or id); then this is the outcome of the earlier one. The event is the one
-- to publish now.
create type posting_outcome as (
  n integer,
  outcome text,
  replayed boolean,
  transaction_id uuid,
  balance_after bigint,
  posted_at timestamptz,
  event_id uuid,
  event_data text
);

-- Data of the events, as described in eventing/contracts/.
create type transaction_completed as (
  transaction_id uuid,
  transaction_type transaction_type,
  user_id uuid,
  account_id uuid,
  to_account_id uuid,
  to_user_id uuid,
  amount text,
  currency text,
  new_balance text,
  to_new_balance text,
  description text,
  "timestamp" text
);

create type transaction_rejected as (
  transaction_id uuid,
  transaction_type transaction_type,
  user_id uuid,
  account_id uuid,
  to_account_id uuid,
  amount text,
  currency text,
  description text,
  refusal text,
  "timestamp" text
);

-- Formats an amount in minor units as a decimal string: decimal_amount(20000, 2) is '200.00'. (A product has
-- as many decimals as its factors together. The function is not `strict`, because Postgres could then not
-- inline it.)
create function decimal_amount(minor_units bigint, exponent smallint) returns text
language sql immutable parallel safe
return (minor_units * (array[1, 0.1, 0.01, 0.001, 0.0001])[exponent + 1])::text;
