-- Posting: many transactions in one round trip and one commit. What comes, what is made of it on the way, and
-- what goes back.

-- One transaction that is asked for. Amount in minor units.
create type posting_request as (
  id uuid,
  -- Of the event that states what became of it.
  event_id uuid,
  -- True where it was answered with 202 before: it may be here again, and its refusal is a fact of its own.
  -- Its id is what tells it from others; a key is not looked at.
  requested boolean,
  operation text,
  type transaction_type,
  account_id uuid,
  to_account_id uuid,
  amount bigint,
  currency text,
  -- Decimals of the currency, for amounts in events.
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

-- A request as money that goes from one account to another, one of which may be cash. The accounts are given
-- by their places among those that the batch has locked. With the refusal that it comes to whatever the
-- balances.
create type movement as (
  refusal text,
  payer integer,
  payee integer,
  -- Owners of account_id and to_account_id.
  user_id uuid,
  to_user_id uuid
);

-- A request as it was judged: 'posted', 'replay' or the name of a refusal; where it is posted, with the two
-- entries that it comes to.
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

-- What became of the request at place `n`: posted, or the name of a refusal; `replayed` where a request
-- before had the same key (or id) and this is what became of that one. The event is the one that is to be
-- published now.
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

-- Data of the events, as eventing/contracts/ describes them.
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

-- An amount of minor units as a decimal string: decimal_amount(20000, 2) is '200.00'. (A product has as many
-- decimals as its factors together. Not `strict`, which would keep the planner from inlining it.)
create function decimal_amount(minor_units bigint, exponent smallint) returns text
language sql immutable parallel safe
return (minor_units * (array[1, 0.1, 0.01, 0.001, 0.0001])[exponent + 1])::text;
