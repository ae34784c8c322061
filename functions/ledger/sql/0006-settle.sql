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
end
$$;

-- Locks the accounts of a batch, judges its requests in turn, and writes the new balances. Each request is
-- judged by the balances that those before it leave. The order of the refusals is part of the HTTP contract.
create function settle(requests posting_request[], verdicts text[]) returns judgement[]
language plpgsql
as $$
declare
  -- Highest balance of a till, on either side of zero, before it is carried to a vault. It leaves room in a
  -- bigint for any batch, so no deposit or withdrawal is ever refused because of what others have moved.
  till_max constant bigint := 1000000000000000000;
  -- The accounts, ascending by id. One array per column, because plpgsql is fast with arrays.
  ids uuid[];
  places tid[];
  -- Null for cash; so are floors and ceilings.
  owners uuid[];
  currencies text[];
  statuses account_status[];
  -- The lowest balance that a payment may leave the payer.
  floors bigint[];
  -- The highest balance that a payment may leave the payee.
  ceilings bigint[];
  deposit_limits bigint[];
  full_tills uuid[];
  balances bigint[];
  versions bigint[];
  hashes bytea[];
  at timestamptz;

  movements movement[];
  movement movement;
  judgements judgement[];
  refusal text;
  has_posted boolean := false;
  has_refused boolean := false;
  payer integer;
  payee integer;
  payer_balance bigint;
  payee_balance bigint;
  transaction_id uuid;
  amount bigint;
  written bigint;
begin
  -- The time is read while the locks are held, and is never before an account's last entry. So an account's
  -- entries are in the order of time, even if the clock is set back.
  select array_agg(id), array_agg(place), array_agg(owner), array_agg(currency), array_agg(status),
    array_agg(floor), array_agg(balance_limit), array_agg(deposit_limit), array_agg(balance), array_agg(version),
    array_agg(last_hash), greatest(date_trunc('milliseconds', clock_timestamp()), max(posted_at)),
    array_agg(id) filter (where floor is null and abs(balance) > till_max and account_type = 'cash')
  into ids, places, owners, currencies, statuses, floors, ceilings, deposit_limits, balances, versions, hashes, at,
    full_tills
  from (
    select id, ctid as place, account_type, currency, status, balance, version, last_hash, posted_at,
      balance_limit, deposit_limit,
      case kind when 'customer' then user_id end as owner,
      case kind when 'customer' then held - overdraft_limit end as floor
    from accounts a
    where id = any (array(
      select account_id from unnest(requests)
      union all
      select coalesce(to_account_id, cash_account_id(currency)) from unnest(requests)
    ))
    order by id
    for no key update
  ) locked;

  if full_tills is not null then
    perform carry_to_vault(till_id, at) from unnest(full_tills) till_id;
    return settle(requests, verdicts);
  end if;

  -- Refusals that don't depend on balances. If the cash account were missing, its place would be null, and an
  -- array index of null raises an error. It can't be missing, because opening an account opens the currency's
  -- cash account; but money must not get lost.
  movements := array(
    select row(
      case
        when verdict is not null then verdict
        when owners[own] is null then 'account-not-found'
        when owners[own] <> caller_id and (type = 'transfer' or caller_role <> 'operator') then 'account-not-found'
        when to_account_id is not null and owners[other] is null then 'account-not-found'
        when 'closed' in (statuses[own], statuses[other]) then 'account-closed'
        when 'frozen' in (statuses[own], statuses[other]) then 'account-frozen'
        when currencies[own] <> currency or currencies[other] <> currency then 'currency-mismatch'
        when own = other then 'same-account'
        -- A deposit is never short of funds, so checking this here keeps the order of precedence.
        when type = 'deposit' and caller_role <> 'operator' and known.amount > deposit_limits[own] then 'limit-exceeded'
      end,
      case type when 'deposit' then other else own end,
      case type when 'deposit' then own else other end,
      owners[own],
      owners[other]
    )::movement
    from (
      select *,
        case when ids[own_found] = account_id then own_found end as own,
        case when ids[other_found] = coalesce(to_account_id, cash_account_id(currency)) then other_found end as other
      from (
        -- A binary search; if the id is not in the array it finds a neighbour, which is then compared.
        -- (`offset 0` keeps Postgres from repeating the search wherever its result is used.)
        select *, unnest as verdict,
          width_bucket(account_id, ids) as own_found,
          width_bucket(coalesce(to_account_id, cash_account_id(currency)), ids) as other_found
        from rows from (unnest(requests), unnest(verdicts))
        offset 0
      ) found
      offset 0
    ) known
  );

  for n in 1 .. cardinality(requests) loop
    movement := movements[n];
    refusal := movement.refusal;
    if refusal is null then
      payer := movement.payer;
      payee := movement.payee;
      amount := requests[n].amount;
      payer_balance := balances[payer] - amount;
      payee_balance := balances[payee] + amount;
      refusal := case
        when payer_balance < floors[payer] then 'insufficient-funds'
        when payee_balance > ceilings[payee] then 'limit-exceeded'
      end;
    end if;
    if refusal is null then
      transaction_id := requests[n].id;
      balances[payer] := payer_balance;
      balances[payee] := payee_balance;
      versions[payer] := versions[payer] + 1;
      versions[payee] := versions[payee] + 1;
      hashes[payer] := entry_hash(
        hashes[payer], ids[payer], versions[payer], transaction_id, -amount, payer_balance, at);
      hashes[payee] := entry_hash(
        hashes[payee], ids[payee], versions[payee], transaction_id, amount, payee_balance, at);
      judgements[n] := row(
        'posted', at, movement.user_id, movement.to_user_id,
        ids[payer], versions[payer], payer_balance, hashes[payer],
        ids[payee], versions[payee], payee_balance, hashes[payee]
      )::judgement;
      has_posted := true;
    else
      judgements[n] := row(
        refusal, at, null, null, null, null, null, null, null, null, null, null
      )::judgement;
      has_refused := true;
    end if;
  end loop;

  -- The rows are locked, so their ctids still hold, and no index look-up is needed.
  if has_posted then
    update accounts a
    set balance = s.balance, version = s.version, last_hash = s.hash,
      posted_at = case when s.version > a.version then at else a.posted_at end
    from unnest(places, balances, versions, hashes) s (place, balance, version, hash)
    where a.ctid = s.place;
    get diagnostics written = row_count;
    if written <> cardinality(ids) then
      raise 'expected to write % balances, wrote %', cardinality(ids), written;
    end if;
  end if;
  if has_refused then
    perform remember_refusals(requests, judgements);
  end if;
  return judgements;
end
$$;
