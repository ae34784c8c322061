-- Documents that users have uploaded. Their bytes are in a store.
create table documents (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  created_at timestamptz not null default date_trunc('milliseconds', now())
);

grant select, insert, update on documents to :functions_role;
