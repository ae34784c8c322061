-- The outcome of every request that carried an Idempotency-Key. It is written in the same database
-- transaction as the request's effect.
create table idempotency_keys (
  id uuid primary key,
  request_hash bytea not null,
  operation text not null,
  -- What the operation needs to give the first answer again: the id of what it made, or the outcome itself.
  -- Both are null only inside the transaction that writes the row.
  subject uuid,
  outcome jsonb,
  created_at timestamptz not null default now()
);

create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Returns the id of a key together with its owner, so that the keys of two users never meet. It is 128 bits
-- of SHA-256: the index holds ids in no order, so they should be short.
create function idempotency_id(owner text, key text) returns uuid
language sql stable parallel safe
return encode(substr(sha256(convert_to(owner || chr(31) || key, 'UTF8')), 1, 16), 'hex')::uuid;

grant select, insert, update, delete on idempotency_keys to :functions_role;
