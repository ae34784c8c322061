-- The transactional outbox: each event, written in the same database transaction as the fact that it states.
-- Functions never change or remove rows, so an event that was lost downstream can be emitted again. An event
-- that only repeats what another table says has no row here: it is derived from that table; see
-- events_by_id().
create table outbox (
  id uuid primary key default uuidv7(),
  type text not null,
  source text not null,
  subject text not null,
  time timestamptz not null default now(),
  dataschema text not null,
  partitionkey text not null,
  traceparent text,
  data json not null,
  -- Further CloudEvents attributes: an object of strings; null if there are none.
  extensions jsonb
);

-- Every event of this context, also those without a row in the outbox. A context that derives events from its
-- own tables replaces this view, and the function below, in its migrations.
create view events as select * from outbox;

-- Returns events by their ids. It is a function, because a view could not look up derived events by an index.
--
-- Its plan is kept for the life of a connection, and may be made while the tables are still empty. With these
-- settings it also suits full tables.
create function events_by_id(ids uuid[]) returns setof outbox
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select * from outbox where id = any (ids);
end;

-- Returns the id of the event that tells a fact, for a fact with one event. The fact's id is a UUID of
-- version 7; the event's has the same digits, but its version is 8. So everybody who derives the event gives
-- it the same id, and no other event has it.
create function event_id_of(fact_id uuid) returns uuid
language sql immutable parallel safe
return overlay(fact_id::text placing '8' from 15 for 1)::uuid;

-- Returns the ids of the facts that events are derived from, and nothing for events that are stored.
-- event_id_of() turned around: it finds only facts whose id is of version 7.
create function fact_ids_of(event_ids uuid[]) returns uuid[]
language sql immutable parallel safe
return array(
  select overlay(id::text placing '7' from 15 for 1)::uuid from unnest(event_ids) id
  where uuid_extract_version(id) = 8
);

-- Events that are not published yet, as many in a row as were written together. The process that writes
-- events also publishes them, and has until claimed_until to do so; after that any sweep may take the row. A
-- claim from the future (the clock was set back) is over too: nobody can know who holds it, and an event that
-- comes twice does less harm than one that waits for hours.
--
-- A row only ever loses events, so whoever has published all events that they read in it may delete it.
--
-- This is a narrow table of its own, because a delete here is far cheaper than a new version of a wide row,
-- and because it is empty when all is well.
create table outbox_pending (
  id uuid primary key default uuidv7(),
  event_ids uuid[] not null,
  -- In the order of event_ids; only one if all have the same; null if the outbox has them.
  traceparents text[],
  attempts integer not null default 0,
  claimed_at timestamptz not null default now(),
  claimed_until timestamptz not null default now() + interval '10 seconds'
)
-- A row of a hundred events fits into a page. It should stay there: it is deleted a moment later.
with (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

grant select, insert on outbox to :functions_role;
grant select on events to :functions_role;
grant select, insert, update, delete on outbox_pending to :functions_role;

-- The inbox of consumers: a row for each event that an operation has handled, inserted in the same database
-- transaction as its effect. An effect that is itself a row, unique per event and consumer, needs none. The
-- consumer is part of the key: two operations of one context may consume the same event, and each takes
-- effect once.
create table inbox (
  source text not null,
  event_id text not null,
  consumer text not null,
  received_at timestamptz not null default now(),
  primary key (source, event_id, consumer)
);

grant select, insert on inbox to :functions_role;
