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

grant select, insert, delete on notifications to :functions_role;

-- What dead letters have in common: the Trigger whose consumer failed, the type of the event, and how the
-- consumer answered, without what differs from event to event. count_dead_letters() keeps the counts, so
-- nobody has to count letters.
create table dead_letter_groups (
  id uuid primary key default uuidv7(),
  trigger text not null,
  event_type text not null,
  error_code text,
  error text,
  -- Letters by their status, and those that wait although they were sent again.
  stored integer not null default 0,
  redriven integer not null default 0,
  discarded integer not null default 0,
  came_back integer not null default 0,
  -- Letters that no context of the bank has signed, and their bytes. Both have a limit; `dropped` counts the
  -- letters that came beyond it and were not kept.
  unsigned integer not null default 0,
  unsigned_bytes bigint not null default 0,
  dropped bigint not null default 0,
  first_at timestamptz not null default now(),
  -- When the Broker last gave up on one of its events.
  last_at timestamptz not null default now()
);

-- An event's type can be longer than an index takes.
create unique index dead_letter_groups_once
  on dead_letter_groups (trigger, md5(event_type), error_code, error) nulls not distinct;

grant select, insert, update, delete on dead_letter_groups to :functions_role;

-- Returns the id of a group, which it makes if there is none yet. Anybody who reaches the Broker can make up
-- types and have consumers say what they like, so there is an end: from 1,000 groups on, new causes of a
-- Trigger and type are one group, and from 2,000 on, all that is new is in the group `other`.
create function dead_letter_group(of_trigger text, of_type text, code text, said text) returns uuid
language plpgsql
as $$
declare
  found_id uuid;
  known bigint;
begin
  select id into found_id from dead_letter_groups
  where trigger = of_trigger and md5(event_type) = md5(of_type) and error_code is not distinct from code
    and error is not distinct from said;
  if found_id is not null then
    return found_id;
  end if;
  select count(*) into known from dead_letter_groups;
  if known >= 1000 then
    code := null;
    said := 'Other causes';
  end if;
  if known >= 2000 then
    of_trigger := 'other';
    of_type := 'other';
  end if;
  -- Whoever is first, each statement after this sees the row.
  insert into dead_letter_groups (trigger, event_type, error_code, error) values (of_trigger, of_type, code, said)
  on conflict do nothing;
  return (
    select id from dead_letter_groups
    where trigger = of_trigger and md5(event_type) = md5(of_type) and error_code is not distinct from code
      and error is not distinct from said
  );
end;
$$;
revoke execute on function dead_letter_group from public;
grant execute on function dead_letter_group to :functions_role;

-- Redrives of many dead letters. The letters know which redrive they wait for.
create table dead_letter_redrives (
  id uuid primary key default uuidv7(),
  -- Null if the letters were named one by one. No foreign key: the group may go first.
  group_id uuid,
  requested_by uuid not null,
  per_second integer not null check (per_second > 0),
  -- Letters that it was asked for; of these, how many were published again, were refused by the Broker, and
  -- came back.
  total integer not null,
  sent integer not null default 0,
  failed integer not null default 0,
  came_back integer not null default 0,
  status text not null default 'running' check (status in ('running', 'completed', 'stopped')),
  -- The event that goes on with it has this number; any other is a repetition of an old one.
  turn integer not null default 1,
  -- When the next letters may go out.
  next_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  check ((status = 'running') = (ended_at is null))
);

create index dead_letter_redrives_running on dead_letter_redrives (group_id) where status = 'running';
create index dead_letter_redrives_by_age on dead_letter_redrives (created_at);

grant select, insert, update, delete on dead_letter_redrives to :functions_role;

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
  group_id uuid not null references dead_letter_groups,
  deliveries integer not null default 1,
  -- 'stored' is one that waits for somebody.
  status text not null default 'stored' check (status in ('stored', 'redriven', 'discarded')),
  created_at timestamptz not null default now(),
  -- When the Broker last gave up on it.
  last_at timestamptz not null default now(),
  redriven_at timestamptz,
  -- When it last came after it was sent again.
  came_back_at timestamptz,
  discarded_at timestamptz,
  discarded_by uuid,
  discard_reason text,
  check (status <> 'discarded' or (discarded_at, discarded_by, discard_reason) is not null),
  -- The redrive that it waits for while is_queued; after that, the one that sent it last.
  redrive_id uuid,
  is_queued boolean not null default false,
  -- How often the Broker did not take it since it was queued.
  tries integer not null default 0,
  check (not is_queued or redrive_id is not null),
  -- SHA-256 of what the event states: a forged one may have another's source and id, and must not take its
  -- place.
  digest bytea not null,
  -- Whether the context that its source names has signed it, and the bytes of the event.
  is_signed boolean not null default false,
  bytes integer not null default 0,
  unique (event_source, event_id, destination, digest)
);

-- The sweep deletes old ones, because their data may be personal.
create index dead_letters_by_age on dead_letters (created_at);
create index dead_letters_by_status on dead_letters (status, id);
create index dead_letters_of_group on dead_letters (group_id, status, id);
create index dead_letters_queued on dead_letters (redrive_id, id) where is_queued;

grant select, insert, update, delete on dead_letters to :functions_role;

-- Keeps the counts of groups. Its argument is a query of what has changed: letters with the sign 1, those as
-- they were before with -1. A statement that changes no count locks no group. Others lock theirs in the order
-- of their ids, so that two statements can't deadlock, and never against the foreign key of a letter that is
-- stored at the same time. Locking is a statement of its own: one that locks the newest version of a row and
-- then updates the version of its snapshot can deadlock with another on the same row.
create function count_dead_letters() returns trigger
language plpgsql
as $$
declare
  changes text := format($query$
    select group_id, max(last_at) filter (where sign = 1) as last_at,
      coalesce(sum(sign) filter (where status = 'stored'), 0) as stored,
      coalesce(sum(sign) filter (where status = 'redriven'), 0) as redriven,
      coalesce(sum(sign) filter (where status = 'discarded'), 0) as discarded,
      coalesce(sum(sign) filter (where status = 'stored' and came_back_at is not null), 0) as came_back,
      coalesce(sum(sign) filter (where not is_signed), 0) as unsigned,
      coalesce(sum(sign * bytes) filter (where not is_signed), 0) as unsigned_bytes
    from (%s) letters group by group_id
  $query$, tg_argv[0]);
  has_changed constant text :=
    '((c.stored, c.redriven, c.discarded, c.came_back, c.unsigned) <> (0, 0, 0, 0, 0) or c.last_at > g.last_at)';
begin
  execute format($query$
    select from dead_letter_groups g join (%s) c on c.group_id = g.id where %s
    order by g.id for no key update of g
  $query$, changes, has_changed);
  execute format($query$
    update dead_letter_groups g set
      stored = g.stored + c.stored,
      redriven = g.redriven + c.redriven,
      discarded = g.discarded + c.discarded,
      came_back = g.came_back + c.came_back,
      unsigned = g.unsigned + c.unsigned,
      unsigned_bytes = g.unsigned_bytes + c.unsigned_bytes,
      last_at = greatest(g.last_at, c.last_at)
    from (%s) c where g.id = c.group_id and %s
  $query$, changes, has_changed);
  return null;
end;
$$;

create trigger count_inserted after insert on dead_letters
  referencing new table as added for each statement
  execute function count_dead_letters('select *, 1 as sign from added');
create trigger count_deleted after delete on dead_letters
  referencing old table as removed for each statement
  execute function count_dead_letters('select *, -1 as sign from removed');
create trigger count_changed after update on dead_letters
  referencing old table as removed new table as added for each statement
  execute function count_dead_letters('select *, -1 as sign from removed union all select *, 1 from added');
