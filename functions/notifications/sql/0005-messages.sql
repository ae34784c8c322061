-- What a user chose: their language, and over which channels they hear of which events.
create table preferences (
  user_id uuid primary key,
  language text not null default 'en',
  -- By type of event and channel, where it differs from what is usual:
  -- {"transaction.completed": {"email": true}}
  choices jsonb not null default '{}'
);

-- The browsers and phones that a user wants push messages on (RFC 8030).
create table push_subscriptions (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  endpoint text not null,
  -- Keys of the browser, in base64url (RFC 8291).
  p256dh text not null,
  auth text not null,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  -- When the token of whoever made it was issued. A new owner of the address may be known later than it was
  -- made.
  token_issued_at timestamptz not null default now(),
  unique (user_id, endpoint)
);

create index push_subscriptions_of_endpoint on push_subscriptions (endpoint);

-- When a user is deleted, their address and what an operator wrote to them is erased from notifications.
grant update (message, read_at) on notifications to :functions_role;
grant select, insert, update, delete on preferences, push_subscriptions to :functions_role;

-- The messages of a notification that leave the bank: one for each channel, of email for each address and of
-- push for each subscription. They are written in the transaction of the notification.
create table messages (
  id uuid primary key default uuidv7(),
  notification_id uuid not null references notifications,
  user_id uuid not null,
  channel text not null check (channel in ('email', 'sms', 'push')),
  -- What it counts with for the most that a user gets in a day.
  kind text not null,
  -- Where an email goes, if not to the user's own address.
  address text,
  subscription_id uuid,
  -- What it says: an event with its data, a notice, or a text in the words of an operator. It becomes text
  -- when it is sent, in the user's language of that moment. When the message is sent or has failed, neither
  -- this nor the address is needed any more, so both are erased.
  content json not null,
  status text not null default 'stored' check (status in ('stored', 'sent', 'failed')),
  attempts integer not null default 0,
  -- SHA-256 of where an email goes if nobody has shown that this address is the user's: few such mails of a
  -- kind go to one address in a day, whoever caused them.
  unproven_to bytea,
  -- When it may be tried again. An attempt moves it to the moment at which the attempt counts as dead.
  next_attempt_at timestamptz not null default now(),
  -- When a sweep puts its event into the outbox again. Until then an event of it waits in the Broker, or an
  -- attempt runs, or the next one is not due.
  wake_at timestamptz not null default now() + interval '1 hour',
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  finished_at timestamptz
);

create index messages_to_wake on messages (wake_at) where status = 'stored';
create index messages_of_notification on messages (notification_id);
-- For the most that a user gets in a day.
create index messages_of_user on messages (user_id, channel, kind, created_at);
create index messages_to_unproven on messages (unproven_to, kind, created_at) where unproven_to is not null;
-- The sweep deletes what ended long ago.
create index messages_finished on messages (finished_at) where finished_at is not null;

create table message_attempts (
  message_id uuid not null references messages on delete cascade,
  attempt integer not null,
  started_at timestamptz not null default now(),
  -- Null while it runs, and for ever if its process died: then nobody knows whether it arrived.
  finished_at timestamptz,
  -- 'unsure' if the whole message was given away, and nobody said that it arrived.
  outcome text check (outcome in ('sent', 'failed', 'later', 'unsure')),
  -- What the provider said, shortened.
  answer text,
  primary key (message_id, attempt)
);

grant select, insert, update, delete on messages to :functions_role;
grant select, insert, update on message_attempts to :functions_role;

-- The event that makes a channel's function send a message; like notification_event(), it is derived. A sweep
-- publishes it again when an attempt is due.
create type message_due as (
  message_id uuid,
  notification_id uuid,
  user_id uuid,
  channel text,
  "timestamp" text
);

create function message_event(m messages) returns setof outbox
language sql stable
begin atomic
  select
    event_id_of(m.id), 'message.due', '/microbank/notifications', m.id::text, m.created_at,
    'https://microbank.dev/events/message.due/1', m.user_id::text, null::text,
    row_to_json(row(
      m.id, m.notification_id, m.user_id, m.channel,
      to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    )::message_due),
    -- Triggers choose by it, so that each channel has a queue of its own.
    jsonb_build_object('channel', m.channel);
end;

create or replace view events as
select * from outbox
union all
select e.* from notifications n cross join lateral notification_event(n) e
union all
select e.* from messages m cross join lateral message_event(m) e;

-- The settings are those of the function that this one replaces.
create or replace function events_by_id(ids uuid[]) returns setof outbox
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select * from outbox where id = any (ids)
  union all
  select e.* from notifications n cross join lateral notification_event(n) e where n.id = any (fact_ids_of(ids))
  union all
  select e.* from messages m cross join lateral message_event(m) e where m.id = any (fact_ids_of(ids));
end;
