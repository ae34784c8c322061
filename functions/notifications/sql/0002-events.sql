-- The event of a notification. The notification's row says all that it does, so it is not stored: it is
-- derived from that row, byte for byte the same each time. storeNotifications() makes the same event from
-- what it has stored; a test compares the two.

-- Data of the event, as described in eventing/contracts/.
create type notification_stored as (
  notification_id uuid,
  user_id uuid,
  event_id text,
  event_type text,
  channel text,
  message text,
  "timestamp" text
);

create function notification_event(n notifications) returns setof outbox
language sql stable
begin atomic
  select
    event_id_of(n.id), 'notification.stored', '/microbank/notifications', n.id::text, n.created_at,
    'https://microbank.dev/events/notification.stored/1', n.user_id::text, null::text,
    row_to_json(row(
      n.id, n.user_id, n.event_id, n.event_type, n.channel, case when n.by_web_hook then n.message end,
      to_char(n.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    )::notification_stored),
    case when n.by_web_hook then jsonb_build_object('channel', 'webhook') end;
end;

create or replace view events as
select * from outbox
union all
select e.* from notifications n cross join lateral notification_event(n) e;

-- The settings are those of the function that this one replaces.
create or replace function events_by_id(ids uuid[]) returns setof outbox
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select * from outbox where id = any (ids)
  union all
  select e.* from notifications n cross join lateral notification_event(n) e where n.id = any (fact_ids_of(ids));
end;
