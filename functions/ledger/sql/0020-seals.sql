-- Seals: customers can prove what the books say, and nobody can rewrite the books unnoticed. An account's
-- last hash stands for its whole history, so a leaf of one hash is enough for any number of entries. Another
-- leaf stands for the history of its holds in the same way. The leaves of all accounts grow one Merkle tree
-- (RFC 9162). Its root is signed and published: that is a seal. docs/proof.md says how to check one.

-- The leaves of entries, in their order. Each says that an account had this hash at this version.
create table sealed (
  leaf bigint primary key check (leaf >= 0),
  account_id uuid not null,
  version bigint not null,
  hash bytea not null,
  unique (account_id, version)
);

-- The leaves of holds: the same, for an account's entries of holds. They are in the same tree, so a place is
-- in one of the two tables only; the primary key of seal_nodes sees to that.
create table sealed_holds (like sealed including all);

-- The complete subtrees: the node of level 3 and index 5 is over the leaves 40 to 47. Nothing else of the
-- tree is stored, because everything else follows from these in a few steps.
create table seal_nodes (
  level integer not null,
  index bigint not null,
  hash bytea not null,
  primary key (level, index)
);

-- The signed roots. `note` is the checkpoint that was published.
create table seals (
  n bigint primary key check (n > 0),
  size bigint not null unique check (size > 0),
  root bytea not null,
  note text not null,
  at timestamptz not null
);

create trigger append_only before update or delete or truncate on sealed
for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on sealed_holds
for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on seal_nodes
for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on seals
for each statement execute function refuse_change();

-- Returns the hash of a leaf of entries: SHA-256 over a zero byte, then 16 bytes account, 8 version, 32 hash.
create function leaf_hash(account_id uuid, version bigint, hash bytea) returns bytea
language sql immutable parallel safe
return sha256('\x00'::bytea || uuid_send(account_id) || int8send(version) || hash);

-- Returns the hash of a leaf of holds: SHA-256 over the same bytes and, after them, the five of 'holds'. So
-- neither kind of leaf passes for the other.
create function hold_leaf_hash(account_id uuid, version bigint, hash bytea) returns bytea
language sql immutable parallel safe
return sha256('\x00'::bytea || uuid_send(account_id) || int8send(version) || hash || 'holds'::bytea);

-- Returns the hash of a node: SHA-256 over a byte of 1, then the hashes of its two children.
create function node_hash(below_left bytea, below_right bytea) returns bytea
language sql immutable parallel safe
return sha256('\x01'::bytea || below_left || below_right);

-- Returns the number of leaves.
create function tree_size() returns bigint
language sql stable
return coalesce((select max(n.index) + 1 from seal_nodes n where n.level = 0), 0);

-- Adds the nodes that new leaves complete; the leaves themselves are there.
create function grow_tree(old_size bigint, new_size bigint) returns void
language plpgsql
as $$
declare
  height integer := 0;
begin
  while new_size >> height > 1 loop
    height := height + 1;
    insert into seal_nodes (level, index, hash)
    select height, i, node_hash(below_left.hash, below_right.hash)
    from generate_series(old_size >> height, (new_size >> height) - 1) i
    join seal_nodes below_left on below_left.level = height - 1 and below_left.index = 2 * i
    join seal_nodes below_right on below_right.level = height - 1 and below_right.index = 2 * i + 1;
  end loop;
end
$$;

-- Returns the root over the leaves from `first` up to, but without, `beyond` (RFC 9162, 2.1.1). `first` is 0
-- or the place at which the RFC splits a tree. Raises an error if a node is missing.
create function tree_root(first bigint, beyond bigint) returns bytea
language plpgsql stable
as $$
declare
  width bigint := beyond - first;
  place bigint := beyond;
  height integer := 0;
  node bytea;
  root bytea;
begin
  -- From the right: each bit of the width is a complete subtree, the lowest bit the rightmost one.
  while width > 0 loop
    if width & 1 = 1 then
      place := place - (1::bigint << height);
      select s.hash into strict node from seal_nodes s where s.level = height and s.index = place >> height;
      root := case when root is null then node else node_hash(node, root) end;
    end if;
    width := width >> 1;
    height := height + 1;
  end loop;
  return coalesce(root, sha256(''));
end
$$;

-- Returns the hashes that lead from a leaf to the root of the first `size` leaves, from the bottom to the top
-- (RFC 9162, 2.1.3).
create function inclusion_path(leaf bigint, size bigint) returns bytea[]
language plpgsql stable
as $$
declare
  first bigint := 0;
  beyond bigint := size;
  -- The left part of a tree: the largest power of two below its width.
  split bigint := 1::bigint << 62;
  path bytea[] := '{}';
begin
  while beyond - first > 1 loop
    while split >= beyond - first loop split := split >> 1; end loop;
    if leaf < first + split then
      path := array_prepend(tree_root(first + split, beyond), path);
      beyond := first + split;
    else
      path := array_prepend(tree_root(first, first + split), path);
      first := first + split;
    end if;
  end loop;
  return path;
end
$$;

-- Returns the hashes that prove that the first `old_size` leaves of the tree of `new_size` leaves are the
-- whole tree of `old_size` leaves (RFC 9162, 2.1.4). 0 < old_size <= new_size.
create function consistency_path(old_size bigint, new_size bigint) returns bytea[]
language plpgsql stable
as $$
declare
  first bigint := 0;
  beyond bigint := new_size;
  split bigint := 1::bigint << 62;
  path bytea[] := '{}';
begin
  while beyond <> old_size loop
    while split >= beyond - first loop split := split >> 1; end loop;
    if old_size <= first + split then
      path := array_prepend(tree_root(first + split, beyond), path);
      beyond := first + split;
    else
      path := array_prepend(tree_root(first, first + split), path);
      first := first + split;
    end if;
  end loop;
  -- Who checks the proof has the old root; it is not repeated.
  return case when first = 0 then path else array_prepend(tree_root(first, beyond), path) end;
end
$$;

-- The tree as it is, and the seal before. `n` is the number that the next seal gets; `old_size` is null if
-- there is none yet. `consistency` proves that the tree only grew since.
create type seal_head as (n bigint, size bigint, root bytea, old_size bigint, consistency bytea[]);

-- Returns what the next seal is to sign. Raises data_corrupted if the tree no longer has the root that was
-- sealed: then nothing may be signed, because two signed roots would contradict each other.
create function next_seal() returns seal_head
language plpgsql stable security definer
set search_path = public, pg_temp
as $$
declare
  head seal_head;
  old seals;
begin
  head.size := tree_size();
  head.root := tree_root(0, head.size);
  select * into old from seals s order by s.n desc limit 1;
  head.n := coalesce(old.n, 0) + 1;
  head.old_size := old.size;
  if old.size > head.size or old.root <> tree_root(0, old.size) then
    raise 'the tree does not have the root of seal %', old.n using errcode = 'data_corrupted';
  end if;
  head.consistency := case when old.n is not null then consistency_path(old.size, head.size) end;
  return head;
end
$$;

-- Stores a seal. `note` is the signed checkpoint of the tree as it is. Raises an error if it is of another.
create function add_seal(n bigint, note text, at timestamptz) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  head constant seal_head := next_seal();
begin
  if not starts_with(note, format(E'microbank.dev/ledger\n%s\n%s\n\n', head.size, encode(head.root, 'base64'))) then
    raise 'the note is not of the tree of % leaves', head.size;
  end if;
  insert into seals (n, size, root, note, at) values (add_seal.n, head.size, head.root, add_seal.note, add_seal.at);
exception when unique_violation then
  raise 'another process is sealing' using errcode = 'serialization_failure';
end
$$;

grant select on sealed, sealed_holds, seal_nodes, seals to :functions_role;
revoke execute on function grow_tree, next_seal, add_seal from public;
grant execute on function next_seal, add_seal to :functions_role;
