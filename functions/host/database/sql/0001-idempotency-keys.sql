-- The outcome of every request that carried an Idempotency-Key, written in the same database transaction as
-- its effect.
create table idempotency_keys (
  id uuid primary key,
  request_hash bytea not null,
  operation text not null,
  -- What the operation needs to give the first answer again: the id of what it made, or the outcome itself;
  -- both null only inside the transaction that writes it.
  subject uuid,
  outcome jsonb,
  created_at timestamptz not null default now()
);

create index idempotency_keys_by_age on idempotency_keys (created_at);

-- A key together with its owner, so that two users' keys never meet, as 128 bits of SHA-256: a fraction of
-- their length, which is what an index with ids in no order has to be.
create function idempotency_id(owner text, key text) returns uuid
language sql stable parallel safe
return encode(substr(sha256(convert_to(owner || chr(31) || key, 'UTF8')), 1, 16), 'hex')::uuid;

grant select, insert, update, delete on idempotency_keys to :functions_role;
