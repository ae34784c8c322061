-- Search: transactions by the words of their description, and by a field of their metadata.
--
-- Those who may find a transaction are the owners of its two accounts, and the bank's operators. For each of
-- them, their transactions with text stand in blocks, in the order of time, up to 64 in one. A block has
-- hashes of all terms (words and fields) of its transactions. A search reads the newest blocks, and looks
-- only into those that have the hashes of all that it asks for. So a page reads the newest that match and
-- stops, however common a word is, and passes over those that don't match 64 at a time.
--
-- Postings don't write blocks. They only note that a transaction has text; most have none, and cost nothing.
-- Whatever writes a transaction with text must note it here, too: a trigger on each row would cost more.
-- index_transactions() makes the blocks soon after, in bulk. Until then a search reads the text of the
-- transactions that were noted, so it finds each from the moment it is posted.

-- Transactions with text that are not in blocks yet.
create table search_queue (
  created_at timestamptz not null,
  transaction_id uuid not null,
  user_id uuid not null,
  to_user_id uuid,
  primary key (created_at, transaction_id)
)
with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

-- A scope is a user, or the id of nobody: operators find all. The place of a transaction is its time and its
-- id. The blocks of a scope don't overlap.
create table search_blocks (
  scope uuid not null,
  newest_at timestamptz not null,
  newest_id uuid not null,
  oldest_at timestamptz not null,
  oldest_id uuid not null,
  -- The transactions, oldest first.
  ids uuid[] not null,
  terms integer[] not null,
  primary key (scope, newest_at, newest_id)
)
-- A block stays in its page: a search reads many.
with (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05);

-- The scopes of a transaction. The bank's own transactions belong to nobody.
create function search_scopes(user_id uuid, to_user_id uuid) returns uuid[]
language sql immutable parallel safe
return array(
  select distinct scope
  from unnest(array['00000000-0000-0000-0000-000000000000', user_id, to_user_id]) scope
  where scope is not null
);

-- Returns the fields of metadata, each as 'name:value'.
create function fields_of(metadata jsonb) returns text[]
language sql immutable parallel safe
cost 100
return array(
  select key || ':' || coalesce(value, 'null')
  from jsonb_each_text(case jsonb_typeof(metadata) when 'object' then metadata end)
);

-- Returns the hash of a term, by a function that does not change from one version of Postgres to another. Two
-- terms may have the same hash. So the text of what is found is always compared, too.
create function term_hash(term text) returns integer
language sql immutable parallel safe
return (crc32c(convert_to(term, 'UTF8')) - 2147483648)::integer;

-- Returns the hashes of a transaction's terms: of its words, of the first three characters of each, by which
-- the beginnings of words are found, and of its fields.
create function term_hashes(description text, metadata jsonb) returns integer[]
language sql immutable parallel safe
return array(
  select term_hash(word) from unnest(words_of(description)) word
  union
  select term_hash('^' || left(word, 3)) from unnest(words_of(description)) word
  union
  select term_hash('=' || field) from unnest(fields_of(metadata)) field
);

-- Returns what a search asks for: whole words, the beginning of one, and the hashes that all blocks with
-- matches have. The last word of `query` may be the beginning of a word, unless something follows it, such as
-- a blank. Either argument may be null.
create function plan_search(query text, field text, out words text[], out prefix text, out terms integer[])
language plpgsql immutable
as $$
begin
  if query is not null then
    words := words_of(query);
    if comparable_text(query) collate pg_unicode_fast ~ '[[:alnum:]]$' then
      prefix := words[cardinality(words)];
      words := trim_array(words, 1);
    end if;
  end if;
  terms := array(
    select term_hash(word) from unnest(words) word
    union all
    select term_hash('^' || left(prefix, 3)) where length(prefix) >= 3
    union all
    select term_hash('=' || field) where field is not null
  );
end
$$;

-- Says whether a transaction has all of the words, a word that begins with `prefix`, and the field. What is
-- null is not asked for.
create function has_text(description text, metadata jsonb, words text[], prefix text, field text) returns boolean
language plpgsql immutable parallel safe
cost 1000
as $$
declare
  own text[];
begin
  if field is not null and not coalesce(field = any (fields_of(metadata)), false) then
    return false;
  end if;
  if words is null then
    return true;
  end if;
  own := words_of(description);
  return own @> words
    and (prefix is null or exists (select from unnest(own) word where starts_with(word, prefix)));
end
$$;

-- Only a pending transaction can be deleted, and it is never in a block.
create function forget_for_search() returns trigger
language plpgsql
as $$
begin
  delete from search_queue where created_at = old.created_at and transaction_id = old.id;
  return null;
end
$$;

create trigger forget_for_search after delete on transactions
for each row when (old.description is not null or old.metadata is not null)
execute function forget_for_search();

-- What a page of a search reads, newest first: places before a place, and not before a moment. These are
-- functions so that their plans don't depend on what Postgres knows of the tables: the queue may be empty one
-- moment and full the next.

-- Returns the newest blocks of a scope, and whether each may have matches. The first of them may end after
-- the place.
create function newest_blocks(
  scope uuid, before_at timestamptz, before_id uuid, from_at timestamptz, wanted integer[], count_max integer
)
returns table (newest_at timestamptz, newest_id uuid, oldest_at timestamptz, oldest_id uuid, may_match boolean)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
begin atomic
  select * from (
    select b.newest_at, b.newest_id, b.oldest_at, b.oldest_id, b.terms @> wanted
    from search_blocks b
    where b.scope = newest_blocks.scope and (b.newest_at, b.newest_id) >= (before_at, before_id)
    order by b.newest_at, b.newest_id
    limit 1
  ) b
  where (oldest_at, oldest_id) < (before_at, before_id)
  union all
  select * from (
    select b.newest_at, b.newest_id, b.oldest_at, b.oldest_id, b.terms @> wanted
    from search_blocks b
    where b.scope = newest_blocks.scope and (b.newest_at, b.newest_id) < (before_at, before_id)
      and b.newest_at >= from_at
    order by b.newest_at desc, b.newest_id desc
    limit count_max
  ) _;
end;

create function newest_noted(before_at timestamptz, before_id uuid, from_at timestamptz, count_max integer)
returns setof search_queue
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
begin atomic
  select *
  from search_queue
  where (created_at, transaction_id) < (before_at, before_id) and created_at >= from_at
  order by created_at desc, transaction_id desc
  limit count_max;
end;

grant select on search_queue, search_blocks to :functions_role;
