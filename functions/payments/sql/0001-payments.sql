-- Payments: money that is held for a payee, and paid when it is executed.
create table payments (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  created_at timestamptz not null default date_trunc('milliseconds', now())
);

grant select, insert, update on payments to :functions_role;
