-- Posting: many transactions in one round trip and one commit.

-- One transaction that is asked for. Amount in minor units.
create type posting_request as (
  id uuid,
  -- True where it was answered with 202 before: it may be here again, and its refusal is a fact of its own.
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

-- What became of it: posted, or the name of a refusal; `replayed` where a request before had the same key (or
-- id) and this is what became of that one. The event is the one that has to be published now.
create type posting_outcome as (
  outcome text,
  replayed boolean,
  transaction_id uuid,
  balance_after bigint,
  posted_at timestamptz,
  event_id uuid,
  event_data text
);

-- One request as it was judged, with the two entries that it comes to where it is `posted`: one on its own
-- account, one on the other side (the account that a transfer goes to, or cash).
create type judgement as (
  outcome text,
  user_id uuid,
  to_user_id uuid,
  own_amount bigint,
  own_version bigint,
  own_balance bigint,
  own_hash bytea,
  other_id uuid,
  other_version bigint,
  other_balance bigint,
  other_hash bytea
);

-- An amount of minor units as a decimal string: decimal_amount(20000, 2) is '200.00'. (A product has as many
-- decimals as its factors together. Not `strict`, which would keep the planner from inlining it.)
create function decimal_amount(minor_units bigint, exponent smallint) returns text
language sql immutable parallel safe
return (minor_units * (array[1, 0.1, 0.01, 0.001, 0.0001])[exponent + 1])::text;
