-- The outcome of every request that carried an Idempotency-Key, written in the same database transaction as
-- its effect. The owner is part of the key: two users' keys never meet.
create table idempotency_keys (
  owner text not null,
  key text not null,
  request_hash bytea not null,
  operation text not null,
  -- What the operation needs to give the first answer again; null only inside the transaction that writes it.
  outcome jsonb,
  created_at timestamptz not null default now(),
  primary key (owner, key)
);

grant select, insert, update on idempotency_keys to :functions_role;
