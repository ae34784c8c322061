-- The audit: who did what, when, from where. A row for each request that changed something, written in the
-- database transaction of the change, and for each in which an operator read another's data. Nothing here is
-- ever changed or removed. A context whose own tables tell of changes (the ledger's transactions) derives
-- their rows; see the view below.
create table audit (
  -- The order of ids is the order in time.
  id uuid primary key default uuidv7(),
  at timestamptz generated always as (uuid_extract_timestamp(id)) virtual,
  -- Null if the request had no token, and nobody proved who they are.
  caller_id uuid,
  caller_role text not null check (caller_role in ('customer', 'operator', 'anyone')),
  -- The context that asked on behalf of the customer; null if they asked themselves.
  via text,
  -- The function, and the route as declared: `DELETE /users/{id}`.
  operation text not null,
  route text not null,
  -- Id of the thing; null if there is none, as for a list.
  subject text,
  -- Whose data it is; null if it is nobody's, or everybody's.
  owner_id uuid,
  -- The client's; null if unknown.
  address inet,
  trace_id uuid not null,
  outcome text not null,
  -- Filters and fields of the request, without secrets and personal data.
  details jsonb
);

-- For each filter an index that has the rows in the order of the pages.
create index audit_by_caller on audit (caller_id, id);
create index audit_by_owner on audit (owner_id, id) where owner_id is not null;
create index audit_by_subject on audit (subject, id) where subject is not null;
create index audit_by_operation on audit (operation, id);

-- Everything that the audit of this context says. A context that derives rows from its own tables replaces
-- this view in its migrations.
create view audit_log as
select
  id, at, caller_id, caller_role, via, operation, route, subject, owner_id, address, trace_id, outcome, details
from audit;

-- Refuses a change of rows that must stay as they are. Grants keep the functions' role from changing them.
-- Triggers with this function keep the owner and superusers from doing it by mistake.
create function refuse_change() returns trigger
language plpgsql
as $$
begin
  raise '% of % is refused: the table is append-only', tg_op, tg_table_name using errcode = 'MB001';
end
$$;

create trigger append_only before update or delete or truncate on audit
for each statement execute function refuse_change();

grant select, insert on audit to :functions_role;
grant select on audit_log to :functions_role;
