-- The facts of identity: see eventing/sql/0002-facts.sql.

insert into facts_totals (name, labels)
select 'microbank_events_total', jsonb_build_object('type', type)
from unnest(array[
  'email.changed', 'email.confirmation-requested', 'email.confirmed', 'login.failed', 'password.changed',
  'password.reset-failed', 'password.reset-requested', 'session.started', 'user.deleted', 'user.invited',
  'user.registered', 'user.updated'
]) type;

create function user_facts() returns setof sample
language sql stable security definer
set search_path = public, pg_temp
begin atomic
  select 'microbank_users', jsonb_build_object('role', r.role), count(u.id)
  from unnest(array['customer', 'operator']) r (role)
  left join users u on u.role = r.role and u.deleted_at is null
  group by r.role;
end;

create or replace function slow_facts() returns setof sample
language sql stable
begin atomic
  select 'pg_database_size_bytes', '{}'::jsonb, pg_database_size(current_database())
  union all select * from user_facts();
end;

revoke execute on function user_facts from public;
grant execute on function user_facts to :meter_role;
