-- The notifications of the users. One per event and consumer: the unique constraint makes the row its own
-- inbox, so an event that was handled needs no row there.
create table notifications (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  event_source text not null,
  event_id text not null,
  consumer text not null,
  event_type text not null,
  subject text not null,
  message text not null,
  channel text not null default 'in-app' check (channel in ('in-app', 'email', 'sms', 'push')),
  status text not null default 'stored' check (status in ('stored', 'sent', 'failed')),
  attempts integer not null default 0,
  -- Whether the user wants it by web hook. Then its event says so, and what the message is.
  by_web_hook boolean not null default false,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  -- When the user said that they have read the list down to it.
  read_at timestamptz,
  -- The transaction that stored it. Ids are not in the order of commits: a row with a lower id may become
  -- visible later. But when all transactions before one have ended, no row before it can appear any more. So
  -- (xact, id) is the order in which live streams send notifications.
  xact xid8 not null default pg_current_xact_id(),
  unique (event_source, event_id, consumer)
);

create index notifications_of_user on notifications (user_id, id desc);
create index notifications_in_order on notifications (xact, id);
create index notifications_unread on notifications (user_id, id desc) where read_at is null and channel = 'in-app';

-- restore.sh calls this. A new server counts its transactions from the beginning, so the numbers of another
-- can lie in its future. Then all that was restored counts as stored by one transaction, before all others.
create function after_restore() returns void
language sql
begin atomic
  update notifications set xact = '3'
  where exists (select from notifications where xact > pg_snapshot_xmin(pg_current_snapshot()));
end;
revoke execute on function after_restore from public;

grant select, insert on notifications to :functions_role;

-- Events that no consumer could process, as the Broker sent them after its last retry: one row per event and
-- failed consumer.
create table dead_letters (
  id uuid primary key default uuidv7(),
  event_source text not null,
  event_id text not null,
  event_type text not null,
  -- The whole event in the JSON format of CloudEvents, without what the Broker added. Not jsonb, which
  -- refuses NUL and rewrites the text: the event must be kept byte for byte, because its signature covers the
  -- bytes.
  event json not null,
  -- The consumer that could not process the event, and its last answer (the knativeerror* attributes).
  destination text not null,
  error_code text,
  error_data text,
  deliveries integer not null default 1,
  status text not null default 'stored' check (status in ('stored', 'redriven')),
  created_at timestamptz not null default now(),
  redriven_at timestamptz,
  -- SHA-256 of what the event states: a forged one may have another's source and id, and must not take its
  -- place.
  digest bytea not null,
  unique (event_source, event_id, destination, digest)
);

-- The sweep deletes old ones, because their data may be personal.
create index dead_letters_by_age on dead_letters (created_at);

grant select, insert, update, delete on dead_letters to :functions_role;
