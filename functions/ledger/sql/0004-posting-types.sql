-- Posting: many transactions in one round trip and one commit. These are the types of the input, the steps in
-- between, and the output.

-- One transaction to post. The amount is in minor units.
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
  to_balance_after bigint
);
