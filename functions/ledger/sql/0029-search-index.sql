-- Makes the blocks of 0025-search.sql from what postings have noted.

-- Writes the blocks of these transactions. If they don't fit into one, each gets about the same number.
create function write_blocks(scope uuid, wanted uuid[]) returns void
language sql
begin atomic
  insert into search_blocks (scope, newest_at, newest_id, oldest_at, oldest_id, ids, terms)
  select write_blocks.scope, moments[cardinality(moments)], ids[cardinality(ids)], moments[1], ids[1], ids,
    array(
      select distinct term
      from transactions t cross join lateral unnest(term_hashes(t.description, t.metadata)) term
      where t.id = any (ids)
    )
  from (
    select array_agg(id order by created_at, id) as ids, array_agg(created_at order by created_at, id) as moments
    from (
      select id, created_at, ntile((cardinality(wanted) + 63) / 64) over (order by created_at, id) as block
      from transactions
      where id = any (wanted)
    ) t
    group by block
  ) b;
end;

-- Puts transactions into the blocks of a scope. They are given oldest first, with their times and with the
-- hashes of all their terms.
create function put_into_blocks(scope uuid, ids uuid[], moments timestamptz[], terms integer[]) returns void
language plpgsql
as $$
#variable_conflict use_variable
declare
  size_max constant integer := 64;
  block search_blocks;
  rest integer := cardinality(ids);
  n integer;
  oldest_at timestamptz;
  oldest_id uuid;
begin
  -- Nearly always all are newer than the newest block. Others go into the first block that ends after them.
  loop
    select * into block from search_blocks b
    where b.scope = put_into_blocks.scope and (b.newest_at, b.newest_id) >= (moments[1], ids[1])
    order by b.newest_at, b.newest_id
    limit 1;
    exit when not found;
    n := 1;
    while n < rest and (moments[n + 1], ids[n + 1]) <= (block.newest_at, block.newest_id) loop
      n := n + 1;
    end loop;
    delete from search_blocks b
    where b.scope = block.scope and b.newest_at = block.newest_at and b.newest_id = block.newest_id;
    perform write_blocks(scope, block.ids || ids[1:n]);
    rest := rest - n;
    if rest = 0 then
      return;
    end if;
    ids := ids[n + 1:];
    moments := moments[n + 1:];
  end loop;

  if rest > size_max then
    perform write_blocks(scope, ids);
    return;
  end if;
  -- The block before is merged into this one if it is not larger. So a transaction is written again at most
  -- six times, each time into a block of at least twice the size.
  oldest_at := moments[1];
  oldest_id := ids[1];
  n := rest;
  loop
    select * into block from search_blocks b
    where b.scope = put_into_blocks.scope
    order by b.newest_at desc, b.newest_id desc
    limit 1;
    exit when not found or cardinality(block.ids) > n or cardinality(block.ids) + n > size_max;
    delete from search_blocks b
    where b.scope = block.scope and b.newest_at = block.newest_at and b.newest_id = block.newest_id;
    ids := block.ids || ids;
    terms := array(select unnest(block.terms) union select unnest(terms));
    oldest_at := block.oldest_at;
    oldest_id := block.oldest_id;
    n := cardinality(ids);
  end loop;
  insert into search_blocks (scope, newest_at, newest_id, oldest_at, oldest_id, ids, terms)
  values (scope, moments[rest], ids[n], oldest_at, oldest_id, ids, terms);
end
$$;

-- Puts the oldest noted transactions into blocks, all but pending ones. Takes `count_max` at most, so that it
-- stays far below the functions' statement_timeout. Returns how many; 0 if there is nothing more to do, or
-- somebody else is doing it.
create function index_transactions(count_max integer default 200) returns integer
language plpgsql security definer
set search_path = public, pg_temp
-- For the reasons given at post_transactions().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  index_lock constant bigint := 6927004;
  after_at timestamptz := '-infinity';
  after_id uuid := '00000000-0000-0000-0000-000000000000';
  noted uuid[];
  moments timestamptz[];
  taken uuid[];
  put bigint;
begin
  if not pg_try_advisory_xact_lock(index_lock) then
    return 0;
  end if;
  -- Pending transactions are passed over, so a step may find none.
  loop
    select array_agg(q.transaction_id), array_agg(q.created_at)
    into noted, moments
    from (
      select created_at, transaction_id
      from search_queue
      where (created_at, transaction_id) > (after_at, after_id)
      order by created_at, transaction_id
      limit count_max
    ) q;
    if noted is null then
      return 0;
    end if;
    after_at := moments[cardinality(moments)];
    after_id := noted[cardinality(noted)];
    taken := array(select id from transactions where id = any (noted) and status <> 'pending');
    exit when cardinality(taken) > 0;
  end loop;

  with texts as materialized (
    select id, created_at, search_scopes(user_id, to_user_id) as scopes, term_hashes(description, metadata) as terms
    from transactions
    where id = any (taken)
  ),
  of_scopes as materialized (
    select scope, array_agg(id order by created_at, id) as own_ids,
      array_agg(created_at order by created_at, id) as own_moments
    from texts cross join lateral unnest(scopes) scope
    group by scope
  ),
  terms_of_scopes as materialized (
    select scope, array_agg(distinct term) as terms
    from texts cross join lateral unnest(scopes) scope cross join lateral unnest(terms) term
    group by scope
  )
  select count(put_into_blocks(scope, own_ids, own_moments, coalesce(terms, '{}'))::text) into put
  from of_scopes left join terms_of_scopes using (scope);

  delete from search_queue
  where ctid = any (array(
    select q.ctid
    from unnest(noted, moments) n (id, created_at)
    cross join lateral (
      -- `offset 0`: each row is found by its key, and a plan that is kept can't be another one.
      select ctid from search_queue where created_at = n.created_at and transaction_id = n.id offset 0
    ) q
    where n.id = any (taken)
  ));
  return cardinality(taken);
end
$$;

revoke execute on function index_transactions from public;
grant execute on function index_transactions to :functions_role;
