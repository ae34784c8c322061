-- The ledger's seals, as this context has seen them. It compares each with those that it has, so a ledger
-- that is rewritten, seals and all, no longer agrees with what stands here.
create table witnessed_seals (
  -- What the event says. The checkpoint does not sign it, so it may be wrong, and excludes no other seal.
  n bigint not null,
  size bigint primary key,
  root bytea not null,
  -- The signed checkpoint.
  note text not null,
  witnessed_at timestamptz not null default date_trunc('milliseconds', now())
);

create trigger append_only before update or delete or truncate on witnessed_seals
for each statement execute function refuse_change();

grant select, insert on witnessed_seals to :functions_role;
