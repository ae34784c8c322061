-- The facts of notifications: see eventing/sql/0002-facts.sql.

insert into facts_totals (name, labels)
select 'microbank_events_total', jsonb_build_object('type', type)
from unnest(array[
  'message.due', 'notification.failed', 'notification.sent', 'notification.stored', 'redrive.due'
]) type;

insert into facts_totals (name, labels)
select 'microbank_notifications_total', jsonb_build_object('channel', channel, 'status', status)
from (
  select 'in-app' as channel, 'stored' as status
  union all
  select * from unnest(array['email', 'sms', 'push']) channel cross join unnest(array['sent', 'failed']) status
) s
union all
select 'microbank_transactions_notified_total', '{}';

-- Counts notifications, and the events that are derived from them and from messages; see notification_event()
-- and message_event(). Their ids are made in the database, in the transaction that stores them.
-- microbank_transactions_notified_total counts those that tell of transactions: with what the ledger has
-- completed, it says whether any is missing.
create function notifications_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  with stored as materialized (
    select n.channel, n.consumer = 'notify' as is_of_transaction, count(*) as count
    from notifications n
    where n.id > after and n.id <= until
    group by 1, 2
  )
  select 'microbank_notifications_total', jsonb_build_object('channel', channel, 'status', 'stored'),
    sum(count)
  from stored group by channel
  union all
  select 'microbank_transactions_notified_total', '{}'::jsonb, sum(count)
  from stored where is_of_transaction having count(*) > 0
  union all
  select 'microbank_events_total', '{"type": "notification.stored"}'::jsonb, sum(count)
  from stored having count(*) > 0
  union all
  select 'microbank_events_total', '{"type": "message.due"}'::jsonb, count(*)
  from messages m where m.id > after and m.id <= until having count(*) > 0
  union all
  select 'microbank_notifications_total', jsonb_build_object(
    'channel', o.data ->> 'channel', 'status', split_part(o.type, '.', 2)
  ), count(*)
  from outbox o
  where o.id > after and o.id <= until and o.type in ('notification.sent', 'notification.failed')
  group by o.data ->> 'channel', o.type;
end;

create or replace function facts_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  select * from outbox_since(after, until)
  union all select * from notifications_since(after, until);
end;

create or replace function facts_until(after uuid, horizon uuid, rows_max integer) returns uuid
language sql stable
begin atomic
  select least(
    horizon, outbox_until(after, horizon, rows_max),
    (select id from notifications where id > after and id <= horizon order by id offset rows_max - 1 limit 1)
  );
end;

create function dead_letter_facts() returns setof sample
language sql stable security definer
set search_path = public, pg_temp
begin atomic
  -- Of each group there is one row, however many letters it has.
  select 'microbank_dead_letters', jsonb_build_object('destination', g.trigger), sum(g.stored)
  from dead_letter_groups g
  group by g.trigger
  union all
  select 'microbank_dead_letters_dropped', '{}'::jsonb, coalesce(sum(g.dropped), 0)
  from dead_letter_groups g;
end;

create or replace function slow_facts() returns setof sample
language sql stable
begin atomic
  select 'pg_database_size_bytes', '{}'::jsonb, pg_database_size(current_database())
  union all select * from dead_letter_facts();
end;

revoke execute on function dead_letter_facts from public;
grant execute on function dead_letter_facts to :meter_role;
