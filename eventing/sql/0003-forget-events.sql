-- Bounds how long the outbox keeps what events say of people. The books and the tables of the contexts keep
-- it as long as they need to. The copy in the outbox must not stay longer, above all if a customer has left.

-- The last event of which that is done. There is one row.
create table outbox_forgotten (
  is_only boolean primary key default true check (is_only),
  upto uuid not null default '00000000-0000-0000-0000-000000000000'
);

insert into outbox_forgotten default values;

-- Events that were passed before they were published: one that the Broker refuses may never be. They stay
-- whole until it takes them, and hold up nobody.
create table outbox_passed_over (id uuid primary key);

-- Removes names, addresses and texts from events that are older than 90 days, at most `rows_max` of them, and
-- returns how many it has passed. What is left of an event still fits its contract. An event that is not
-- published yet stays whole until it is: its consumers must get all of it. Orders of the ledger stay whole
-- too: they may be posted from their event, and the books keep what they say.
create function forget_events(rows_max integer) returns bigint
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  personal constant text[] := array['name', 'email', 'old_email', 'new_email', 'client_address', 'description'];
  young constant uuid := least_id(now() - interval '90 days');
  done uuid;
  waiting uuid[];
  published uuid[];
  passed uuid[];
begin
  select upto into done from outbox_forgotten for update skip locked;
  -- Another process is at it.
  if done is null then
    return 0;
  end if;
  waiting := array(select w from outbox_pending p cross join lateral unnest(p.event_ids) w where w < young);
  with due as (
    delete from outbox_passed_over where id = any (array(
      select id from outbox_passed_over where id <> all (waiting) order by id limit rows_max
    )) returning id
  )
  select array(select id from due) into published;
  passed := array(
    select id from outbox where id > done and id < young order by id limit rows_max - cardinality(published)
  );
  if cardinality(passed) > 0 then
    insert into outbox_passed_over select unnest(passed) intersect select unnest(waiting) on conflict do nothing;
    update outbox_forgotten set upto = passed[cardinality(passed)];
  end if;
  update outbox o set data = (
    select json_object_agg(
      key, case when key = any (personal) and json_typeof(value) = 'string' then '"-"'::json else value end
    )
    from json_each(o.data)
  )
  where o.id = any (published || passed) and o.id <> all (waiting) and o.type <> 'transaction.requested'
    and exists (select from json_object_keys(o.data) key where key = any (personal));
  return cardinality(published || passed);
end
$$;

revoke execute on function forget_events from public;
grant execute on function forget_events to :functions_role;
