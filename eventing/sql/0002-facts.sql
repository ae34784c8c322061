-- Facts for monitoring. What a context has counted is the same for ever, whatever became of the processes: so
-- it is counted where it is stored. Functions here return samples: a metric's name and labels as in
-- monitoring/catalogue.ts, and its value. The label `context` is added by whoever reads them.
--
-- facts() and slow_facts() say how things are now. count_facts() counts rows once each, in totals that never
-- fall. A context that has more to tell replaces facts(), slow_facts(), facts_since() and facts_until().

create type sample as (name text, labels jsonb, value numeric);

-- How many rows were counted, by metric and labels. What a context can count has a row from the start, with
-- 0: Prometheus sees an increase only from a value that was there.
create table facts_totals (
  name text not null,
  labels jsonb not null,
  value numeric not null default 0,
  -- The same, counted once more from the first row; see count_facts().
  again numeric not null default 0,
  primary key (name, labels)
);

-- How far was counted: everything whose key is up to `upto`. There is one row.
create table facts_progress (
  is_only boolean primary key default true check (is_only),
  upto uuid not null default '00000000-0000-0000-0000-000000000000',
  -- The same of the second count; null while there is none.
  again_upto uuid,
  -- The first horizon after the clock was set back, until it has caught up with `upto`: nothing that came
  -- later is counted yet.
  back_at timestamptz
);

insert into facts_progress default values;

-- Returns the least id that a UUIDv7 of a moment can have. Before 1970 there is none, so it is the least of
-- all: what to_hex() makes of a negative number begins with ffff, and would be more than every id.
create function least_id(moment timestamptz) returns uuid
language sql immutable parallel safe
return (
  lpad(to_hex((greatest(extract(epoch from moment), 0) * 1000)::bigint), 12, '0') || repeat('0', 20)
)::uuid;

-- Returns the moment of an id of least_id(), or of a UUIDv7.
create function moment_of_id(id uuid) returns timestamptz
language sql immutable parallel safe
return to_timestamp(('x0000' || left(translate(id::text, '-', ''), 12))::bit(64)::bigint / 1000.0);

-- Returns the moment before which nothing can be committed any more. Rows get their ids up to 30 seconds
-- before their transaction begins, or count by its time (see functions/ledger/sql/0036-facts.sql). So what is
-- a minute older than every open transaction is complete. The caller must be able to see all sessions:
-- without pg_read_all_stats it raises an error.
--
-- Count in a statement of its own, after this one has ended. One that did both would look at the tables
-- first, and a commit in between would be seen by neither.
create function facts_horizon(slack interval default '1 minute') returns timestamptz
language plpgsql
as $$
begin
  if not pg_has_role('pg_read_all_stats', 'usage') then
    raise 'expected a role that may see all sessions (pg_read_all_stats), found %', current_user;
  end if;
  return (
    select least(clock_timestamp(), min(a.xact_start)) - slack
    from pg_stat_activity a
    where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
  );
end
$$;

-- Counts the outbox's events with ids after the one and up to the other, by type.
create function outbox_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  select 'microbank_events_total', jsonb_build_object('type', o.type), count(*)
  from outbox o
  where o.id > after and o.id <= until
  group by o.type;
end;

-- Returns the id up to which the outbox has `rows_max` events after another; null if it has fewer.
create function outbox_until(after uuid, horizon uuid, rows_max integer) returns uuid
language sql stable
begin atomic
  select id from outbox where id > after and id <= horizon order by id offset rows_max - 1 limit 1;
end;

-- Counts everything with a key after the one and up to the other.
create function facts_since(after uuid, until uuid) returns setof sample
language sql stable
begin atomic
  select * from outbox_since(after, until);
end;

-- Returns the key up to which about `rows_max` rows follow another, at most `horizon`.
create function facts_until(after uuid, horizon uuid, rows_max integer) returns uuid
language sql stable
begin atomic
  select coalesce(outbox_until(after, horizon, rows_max), horizon);
end;

-- Counts what has come since the last call, up to a horizon of facts_horizon(), at most about `rows_max`
-- rows. Returns all totals, and microbank_facts_horizon_timestamp_seconds: up to when they are complete. If
-- that has grown and is before the horizon, there is more to count: call again.
--
-- Count and totals are one transaction. So whoever calls, and wherever they are killed, each row counts once.
--
-- If the clock was set back, new rows get keys that were passed already. A horizon before the last one shows
-- that; a caller who was away meanwhile asks by `from_start`. Then all rows are counted a second time, beside
-- the totals, from the first one on; and the totals are set to what is found. (Not to less: rows that were
-- deleted since have happened all the same.)
create function count_facts(horizon timestamptz, rows_max integer default 100000, from_start boolean default false)
returns setof sample
language plpgsql security definer
set search_path = public, pg_temp
-- Plans are kept for the life of a connection, and may be made while the tables are still empty.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  horizon_id constant uuid := least_id(horizon);
  p facts_progress;
  until uuid;
  counted bigint;
begin
  select * into p from facts_progress for update;
  if from_start or horizon_id < p.upto then
    p.again_upto := coalesce(p.again_upto, '00000000-0000-0000-0000-000000000000');
  end if;
  p.back_at := case when horizon_id < p.upto then coalesce(p.back_at, horizon) end;
  until := facts_until(p.upto, greatest(horizon_id, p.upto), rows_max);
  insert into facts_totals as t (name, labels, value)
  select s.name, s.labels, sum(s.value) from facts_since(p.upto, until) s group by s.name, s.labels
  on conflict on constraint facts_totals_pkey do update set value = t.value + excluded.value;
  get diagnostics counted = row_count;

  -- What has keys before the horizon is complete, so the second count begins when that is up to the first.
  if p.again_upto is not null and until = horizon_id then
    p.again_upto := count_again(p.again_upto, until, rows_max);
  end if;
  -- While nothing happens, nothing is written, but for once a minute.
  update facts_progress f
  set upto = until, again_upto = p.again_upto, back_at = p.back_at
  where counted > 0 or (f.again_upto, f.back_at) is distinct from (p.again_upto, p.back_at)
    or moment_of_id(until) - moment_of_id(f.upto) > interval '1 minute';
  return query
  select t.name, t.labels, t.value from facts_totals t
  union all
  select 'microbank_facts_horizon_timestamp_seconds', '{}'::jsonb,
    extract(epoch from least(horizon, moment_of_id(until), p.back_at));
end
$$;

-- One step of the second count. Returns how far it has come; null if it has come to the end, `upto`.
create function count_again(after uuid, upto uuid, rows_max integer) returns uuid
language plpgsql
as $$
declare
  until constant uuid := facts_until(after, upto, rows_max);
begin
  insert into facts_totals as t (name, labels, again)
  select s.name, s.labels, sum(s.value) from facts_since(after, until) s group by s.name, s.labels
  on conflict on constraint facts_totals_pkey do update set again = t.again + excluded.again;
  if until < upto then
    return until;
  end if;
  update facts_totals t set value = greatest(t.value, t.again), again = 0 where t.again <> 0;
  return null;
end
$$;

-- Samples of the outbox and of the database's sessions. It runs with the rights of its caller, who may see
-- all sessions. Of what waits in the outbox it counts ten thousand rows at most: that is trouble enough, and
-- to count millions every 15 seconds would be more.
create function database_facts() returns setof sample
language sql stable
begin atomic
  select 'microbank_outbox_pending', '{}'::jsonb, coalesce(sum(cardinality(event_ids)), 0)
  from (select event_ids from outbox_pending order by id limit 10000) p
  union all
  select 'microbank_outbox_oldest_seconds', '{}'::jsonb, coalesce(
    (select greatest(extract(epoch from now() - coalesce(uuid_extract_timestamp(id), claimed_at)), 0)
     from outbox_pending order by id limit 1), 0)
  union all
  select 'pg_settings_max_connections', '{}'::jsonb, current_setting('max_connections')::numeric
  union all
  select 'pg_stat_activity_connections', jsonb_build_object('state', s.state), (
    select count(*) from pg_stat_activity a
    where a.datname = current_database() and a.backend_type = 'client backend' and s.state = case
      when a.state in ('active', 'idle', 'idle in transaction', 'idle in transaction (aborted)') then a.state
      else 'other'
    end
  )
  from unnest(array['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)', 'other']) s (state)
  union all
  select 'pg_stat_activity_max_tx_duration', '{}'::jsonb,
    coalesce(extract(epoch from max(clock_timestamp() - a.xact_start)), 0)
  from pg_stat_activity a
  where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
  union all
  select v.name, '{}'::jsonb, v.value
  from pg_stat_database d
  cross join lateral (values
    ('pg_stat_database_xact_commit_total', d.xact_commit::numeric), ('pg_stat_database_deadlocks_total', d.deadlocks)
  ) v (name, value)
  where d.datname = current_database();
end;

-- What is cheap however large the tables are: read every 15 seconds.
create function facts() returns setof sample
language sql stable
begin atomic
  select * from database_facts();
end;

-- What reads a whole table, or many files: read every minute.
create function slow_facts() returns setof sample
language sql stable
begin atomic
  select 'pg_database_size_bytes', '{}'::jsonb, pg_database_size(current_database());
end;

revoke execute on function count_facts, count_again from public;
grant execute on function count_facts to :meter_role;
grant select on outbox_pending to :meter_role;
