-- Carries the whole balance of a till (the cash account of a currency) to a vault, a new account of the bank.
-- The till's row must be locked. This is a transfer of the bank's own: it belongs to no user, and no event
-- tells it.
create function carry_to_vault(till_id uuid, at timestamptz) returns void
language plpgsql
as $$
declare
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  transfer_id constant uuid := uuidv7();
  vault_id constant uuid := uuidv7();
  till accounts;
  till_hash bytea;
  vault_hash bytea;
begin
  select * into strict till from accounts where id = till_id;
  till_hash := entry_hash(till.last_hash, till_id, till.version + 1, transfer_id, -till.balance, 0, at);
  vault_hash := entry_hash(decode(repeat('00', 32), 'hex'), vault_id, 1, transfer_id, till.balance, till.balance, at);

  insert into accounts (id, kind, account_type, currency, balance, version, last_hash, posted_at)
  values (vault_id, 'system', 'vault', till.currency, till.balance, 1, vault_hash, at);
  update accounts set balance = 0, version = till.version + 1, last_hash = till_hash, posted_at = at
  where id = till_id;
  insert into entries (account_id, version, transaction_id, amount, balance_after, hash, created_at)
  values
    (till_id, till.version + 1, transfer_id, -till.balance, 0, till_hash, at),
    (vault_id, 1, transfer_id, till.balance, till.balance, vault_hash, at);
  -- Deposits make a till's balance negative; then the vault is the payer.
  insert into transactions (
    id, type, status, account_id, to_account_id, amount, currency, description, user_id, to_user_id,
    balance_after, to_balance_after, created_at
  )
  values (
    transfer_id, 'transfer', 'completed',
    case when till.balance < 0 then vault_id else till_id end,
    case when till.balance < 0 then till_id else vault_id end,
    abs(till.balance), till.currency, 'Cash carried to the vault', nobody, nobody,
    least(till.balance, 0), greatest(till.balance, 0), at
  );
  insert into search_queue (created_at, transaction_id, user_id, to_user_id)
  values (at, transfer_id, nobody, nobody);
end
$$;
