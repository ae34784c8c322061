-- The transactional outbox: each event, written in the same database transaction as the fact that it states.
-- Functions never change or remove rows, so an event that was lost downstream can be emitted again.
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

-- Events that are not published yet. The process that writes an event also publishes it, and has until
-- claimed_until to do so; after that any sweep may take the row. A claim from the future (the clock was set
-- back) is over too: nobody can know who holds it, and an event that comes twice does less harm than one that
-- waits for hours.
--
-- This is a narrow table of its own, because a delete here is far cheaper than a new version of the wide
-- outbox row, and because it is empty when all is well.
create table outbox_pending (
  event_id uuid primary key,
  attempts integer not null default 0,
  claimed_at timestamptz not null default now(),
  claimed_until timestamptz not null default now() + interval '10 seconds'
)
with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

grant select, insert on outbox to :functions_role;
grant select, insert, update, delete on outbox_pending to :functions_role;

-- The inbox of consumers: a row for each event that an operation has handled, inserted in the same database
-- transaction as its effect. The consumer is part of the key: two operations of one context may consume the
-- same event, and each takes effect once.
create table inbox (
  source text not null,
  event_id text not null,
  consumer text not null,
  received_at timestamptz not null default now(),
  primary key (source, event_id, consumer)
);

grant select, insert on inbox to :functions_role;
