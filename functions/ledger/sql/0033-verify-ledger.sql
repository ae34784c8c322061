-- Leaves of which the books have no such entry ('entry') or no such entry of a hold ('hold entry'), and
-- leaves that are not at their place in the tree ('leaf'). Nodes of the tree without a leaf, and nodes that
-- are not over the nodes below them ('node'): of the latter `version` is the level, and `account_id` null.
create function verify_seals() returns table (account_id uuid, version bigint, problem text)
language sql stable
begin atomic
  select s.account_id, s.version, 'entry'
  from sealed s
  left join entries e on e.account_id = s.account_id and e.version = s.version
  where e.hash is distinct from s.hash
  union all
  select s.account_id, s.version, 'hold entry'
  from sealed_holds s
  left join hold_entries e on e.account_id = s.account_id and e.version = s.version
  where e.hash is distinct from s.hash
  union all
  select l.account_id, l.version, case when l.leaf is null then 'node' else 'leaf' end
  from (
    select s.leaf, s.account_id, s.version, leaf_hash(s.account_id, s.version, s.hash) as hash from sealed s
    union all
    select s.leaf, s.account_id, s.version, hold_leaf_hash(s.account_id, s.version, s.hash) from sealed_holds s
  ) l
  full join (select n.index, n.hash from seal_nodes n where n.level = 0) n on n.index = l.leaf
  where n.hash is distinct from l.hash
  union all
  select null, n.level, 'node'
  from seal_nodes n
  left join seal_nodes below_left on below_left.level = n.level - 1 and below_left.index = 2 * n.index
  left join seal_nodes below_right on below_right.level = n.level - 1 and below_right.index = 2 * n.index + 1
  where n.level > 0 and n.hash is distinct from node_hash(below_left.hash, below_right.hash);
end;

-- Everything that the proofs find: those of 0012-verify.sql, and those of accounts' changes, of limits and of
-- seals.
create function verify_ledger() returns table (proof text, fault json)
language sql stable
begin atomic
  select 'sums', row_to_json(f) from verify_sums() f
  union all select 'transactions', row_to_json(f) from verify_transactions() f
  union all select 'balances', row_to_json(f) from verify_balances() f
  union all select 'chains', row_to_json(f) from verify_chains() f
  union all select 'holds', row_to_json(f) from verify_holds() f
  union all select 'hold chains', row_to_json(f) from verify_hold_chains() f
  union all select 'hold entries', row_to_json(f) from verify_hold_entries() f
  union all select 'reversals', row_to_json(f) from verify_reversals() f
  union all select 'changes', row_to_json(f) from verify_changes() f
  union all select 'outflows', row_to_json(f) from verify_outflows() f
  union all select 'seals', row_to_json(f) from verify_seals() f;
end;
