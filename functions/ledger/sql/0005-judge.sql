-- Judges requests in turn against the accounts (ascending by id) as they will be after the requests before.
-- Touches no table. The order of the refusals is part of the HTTP contract.
create function judge(
  requests posting_request[], verdicts text[], accounts accounts[], posted_at timestamptz
) returns judgement[]
language plpgsql
as $$
declare
  -- On either side of zero; leaves room in a bigint for balance + overdraft limit.
  balance_limit constant bigint := 1000000000000000000;
  ids uuid[];
  balances bigint[];
  versions bigint[];
  hashes bytea[];
  judgements judgement[];
  request posting_request;
  judged judgement;
  own accounts;
  other accounts;
  own_slot integer;
  other_slot integer;
begin
  select array_agg(a.id), array_agg(a.balance), array_agg(a.version), array_agg(a.last_hash)
  into ids, balances, versions, hashes
  from unnest(accounts) a;

  for n in 1 .. cardinality(requests) loop
    request := requests[n];
    judged := null;
    judged.other_id := coalesce(request.to_account_id, cash_account_id(request.currency));
    judged.own_amount := case request.type when 'deposit' then request.amount else -request.amount end;
    -- A binary search; a slot of an id that is not there belongs to another id, or to none.
    own_slot := width_bucket(request.account_id, ids);
    other_slot := width_bucket(judged.other_id, ids);
    own := accounts[own_slot];
    other := accounts[other_slot];

    judged.outcome := case
      when verdicts[n] is not null then verdicts[n]
      when own.id is distinct from request.account_id or own.kind = 'system' then 'account-not-found'
      when own.user_id <> request.caller_id
        and (request.type = 'transfer' or request.caller_role <> 'operator') then 'account-not-found'
      when request.to_account_id is not null
        and (other.id is distinct from request.to_account_id or other.kind = 'system') then 'account-not-found'
      when own.status = 'closed' or other.status = 'closed' then 'account-closed'
      when own.status = 'frozen' or other.status = 'frozen' then 'account-frozen'
      when own.currency <> request.currency or other.currency <> request.currency then 'currency-mismatch'
      when own_slot = other_slot then 'same-account'
      when judged.own_amount < 0
        and balances[own_slot] - own.held + own.overdraft_limit < request.amount then 'insufficient-funds'
      when abs(balances[own_slot] + judged.own_amount) > balance_limit
        or abs(balances[other_slot] - judged.own_amount) > balance_limit then 'limit-exceeded'
      else 'posted'
    end;

    if judged.outcome = 'posted' then
      -- Opening an account of a currency opens its cash account, so this can't be; but money must not go astray.
      if other.id is distinct from judged.other_id then
        raise 'expected account % to be locked', judged.other_id;
      end if;
      judged.user_id := own.user_id;
      judged.to_user_id := other.user_id;
      judged.own_balance := balances[own_slot] + judged.own_amount;
      judged.own_version := versions[own_slot] + 1;
      judged.own_hash := entry_hash(
        hashes[own_slot], own.id, judged.own_version, request.id,
        judged.own_amount, judged.own_balance, posted_at);
      judged.other_balance := balances[other_slot] - judged.own_amount;
      judged.other_version := versions[other_slot] + 1;
      judged.other_hash := entry_hash(
        hashes[other_slot], other.id, judged.other_version, request.id,
        -judged.own_amount, judged.other_balance, posted_at);
      balances[own_slot] := judged.own_balance;
      versions[own_slot] := judged.own_version;
      hashes[own_slot] := judged.own_hash;
      balances[other_slot] := judged.other_balance;
      versions[other_slot] := judged.other_version;
      hashes[other_slot] := judged.other_hash;
    end if;
    judgements[n] := judged;
  end loop;
  return judgements;
end
$$;
