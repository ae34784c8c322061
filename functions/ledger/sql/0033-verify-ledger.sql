-- Everything that the proofs find: those of 0012-verify.sql, and those of accounts' changes and of limits.
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
  union all select 'outflows', row_to_json(f) from verify_outflows() f;
end;
