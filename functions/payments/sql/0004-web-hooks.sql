-- Web hooks: addresses of users, to which the bank posts events that concern them.

-- The users who have, or had, a web hook. A new hook locks its owner's row, so hooks are counted one at a
-- time, and a user who has left gets none.
create table web_hook_owners (
  user_id uuid primary key,
  left_at timestamptz,
  -- When they set a password by a mailed link, before anybody had confirmed the address. Somebody else may
  -- have made what is older.
  renewed_at timestamptz,
  -- When all that they had written about others was erased, after they left; see 0007-left-customers.sql.
  forgotten_at timestamptz,
  -- Whether the ledger watches them, or may, and so offers the events of their postings and holds; the number
  -- of the last watch, up to which one such watches have ended or are about to, and when the ledger was last
  -- told that one began, goes on or has ended.
  is_watched boolean not null default false,
  watch_version bigint not null default 0,
  watch_ending bigint not null default 0,
  watched_at timestamptz,
  check (watch_ending <= watch_version)
);

create index web_hook_owners_watched on web_hook_owners (watched_at) where is_watched;
create index web_hook_owners_not_watched on web_hook_owners (watched_at) where not is_watched and watch_version > 0;

create table web_hooks (
  id uuid primary key default uuidv7(),
  user_id uuid not null references web_hook_owners,
  -- An operator's hook gets every event of its types, a customer's only what concerns them.
  is_operators boolean not null,
  url text not null,
  types text[] not null,
  status text not null default 'active' check (status in ('active', 'paused')),
  -- Null if it is active.
  paused_because text check (paused_because in ('asked', 'gone', 'failing', 'new-owner')),
  -- Secrets are derived from this number and a key that the database does not have.
  secret_number integer not null default 1,
  previous_secret_until timestamptz,
  -- Failed attempts since the last that succeeded, and when the first and the last of them were.
  failures integer not null default 0,
  failing_since timestamptz,
  failed_at timestamptz,
  -- After some failures the hook gets nothing until then.
  blocked_until timestamptz,
  -- Until then it counts as slow, because an attempt took seconds.
  slow_until timestamptz,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  -- When the token of whoever made it was issued. A new owner of the address may be known later than it was
  -- made.
  token_issued_at timestamptz not null default now(),
  check ((status = 'paused') = (paused_because is not null))
);

create index web_hooks_of_user on web_hooks (user_id, id desc);
create index web_hooks_of_operators on web_hooks (id) where is_operators;

-- What a hook is told: one row for each event and hook. The unique constraint makes the row its own inbox, so
-- an event that was handled needs no row there.
create table web_hook_deliveries (
  id uuid primary key default uuidv7(),
  -- No foreign key: what a deleted hook leaves may be too much for one statement.
  web_hook_id uuid not null,
  event_source text not null,
  event_id text not null,
  event_type text not null,
  -- What is posted, byte for byte the same each time.
  body text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  -- Since the delivery was last asked for.
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  -- When an attempt began. After 30 seconds without an outcome it counts as lost.
  claimed_at timestamptz,
  -- The last attempt that has an outcome.
  attempted_at timestamptz,
  duration_ms integer,
  http_status integer,
  error text,
  answer text,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  unique (web_hook_id, event_source, event_id)
);

create index web_hook_deliveries_of_hook on web_hook_deliveries (web_hook_id, id desc);
-- For lists of those that are rare among all that were delivered.
create index web_hook_deliveries_failed on web_hook_deliveries (web_hook_id, id desc) where status = 'failed';
create index web_hook_deliveries_pending on web_hook_deliveries (web_hook_id, id desc) where status = 'pending';
create index web_hook_deliveries_due on web_hook_deliveries (web_hook_id, next_attempt_at)
where status = 'pending';
-- For those whose wait began in the future: see is_over().
create index web_hook_deliveries_ahead
on web_hook_deliveries (web_hook_id, coalesce(attempted_at, created_at))
where status = 'pending';
create index web_hook_deliveries_claimed on web_hook_deliveries (web_hook_id)
where status = 'pending' and claimed_at is not null;
create index web_hook_deliveries_by_age on web_hook_deliveries (created_at);

-- Hooks that were deleted, as long as there are, or may come, deliveries of theirs, which the sweep deletes.
create table web_hooks_deleted (
  web_hook_id uuid primary key,
  deleted_at timestamptz not null default now()
);

create function note_deleted_web_hook() returns trigger
language plpgsql
as $$
begin
  insert into web_hooks_deleted (web_hook_id) values (old.id);
  return null;
end
$$;

create trigger note_deletion after delete on web_hooks
for each row execute function note_deleted_web_hook();

grant select, insert, delete on web_hooks_deleted to :functions_role;
grant select, insert, update on web_hook_owners to :functions_role;
grant select, insert, update, delete on web_hooks, web_hook_deliveries to :functions_role;

-- Says whether a moment that something waits for is over. It is also over if what set it lies in the future:
-- the clock was set back, and nobody may wait for as long as that.
create function is_over(until_at timestamptz, set_at timestamptz, at timestamptz) returns boolean
language sql immutable parallel safe
return until_at is null or until_at <= at or coalesce(set_at > at, false);

-- Returns deliveries of a hook that are due, at most `most`, those that have waited longest first. Both
-- halves end where an index says, so those that wait for a later time cost nothing, however many they are.
create function due_web_hook_deliveries(hook_id uuid, at timestamptz, most bigint)
returns table (id uuid, next_attempt_at timestamptz)
language sql stable
as $$
  select due.id, due.next_attempt_at
  from (
    (
      select d.id, d.next_attempt_at from web_hook_deliveries d
      where d.web_hook_id = hook_id and d.status = 'pending' and d.next_attempt_at <= at
        and is_over(d.claimed_at + interval '30 seconds', d.claimed_at, at)
      order by d.next_attempt_at limit most
    )
    union
    (
      select d.id, d.next_attempt_at from web_hook_deliveries d
      where d.web_hook_id = hook_id and d.status = 'pending' and coalesce(d.attempted_at, d.created_at) > at
        and is_over(d.claimed_at + interval '30 seconds', d.claimed_at, at)
      order by coalesce(d.attempted_at, d.created_at) limit most
    )
  ) due
  order by due.next_attempt_at, due.id limit most
$$;

-- Claims deliveries of a hook that are due, so that at most `places` of it are attempted at the same time,
-- and only one if the hook has failed five times in a row. A customer's hooks have eight places together, but
-- each at least one: so one customer can't take all that there are. Whoever claims the same hook waits for
-- the hook's row, and then sees the claims made before; so the time is read after that.
--
-- A hook that is slow has one place, and all that are slow have 20 of the 50 that there are. Otherwise the
-- hooks of a few who let the bank wait on purpose, and then answer 204, would keep those of all others
-- waiting. A delivery that gets no place waits for a sweep.
create function claim_web_hook_deliveries(hook_id uuid, places integer)
returns table (
  id uuid, attempt integer, body text, url text, secret_number integer, has_previous_secret boolean
)
language plpgsql
as $$
declare
  hook web_hooks;
  at timestamptz;
  taken bigint;
  taken_by_owner bigint;
  free bigint;
  is_slow boolean;
  slow_max constant integer := 20;
begin
  select * into hook from web_hooks h where h.id = hook_id for update;
  at := clock_timestamp();
  if hook.status is distinct from 'active' or not is_over(hook.blocked_until, hook.failed_at, at) then
    return;
  end if;
  select count(*) filter (where d.web_hook_id = hook_id), count(*) into taken, taken_by_owner
  from web_hooks h join web_hook_deliveries d on d.web_hook_id = h.id
  where h.user_id = hook.user_id and d.status = 'pending' and d.claimed_at is not null
    and not is_over(d.claimed_at + interval '30 seconds', d.claimed_at, at);
  free := case when hook.failures >= 5 then 1 else places end - taken;
  if not hook.is_operators then
    free := least(free, greatest(8 - taken_by_owner, 1 - taken));
  end if;
  is_slow := not is_over(hook.slow_until, hook.slow_until - interval '10 minutes', at);
  if is_slow then
    free := least(free, 1 - taken);
  end if;
  if free <= 0 then
    return;
  end if;
  if is_slow then
    -- Claims for slow hooks are made one after the other, and each sees those before.
    perform pg_advisory_xact_lock(6927004);
    -- Claims that were made during the wait would lie in the future, and not count.
    at := clock_timestamp();
    if slow_max <= (
      select count(*)
      from web_hook_deliveries d join web_hooks h on h.id = d.web_hook_id
      where d.status = 'pending' and d.claimed_at is not null and h.slow_until > at
        and not is_over(d.claimed_at + interval '30 seconds', d.claimed_at, at)
    ) then
      return;
    end if;
  end if;
  -- Whoever changes a delivery's status has locked the hook before.
  return query
    update web_hook_deliveries d set claimed_at = at, attempts = d.attempts + 1
    from due_web_hook_deliveries(hook_id, at, free) due where d.id = due.id
    returning d.id, d.attempts, d.body, hook.url, hook.secret_number,
      coalesce(hook.previous_secret_until > at, false);
end
$$;
