-- Locks the accounts of a batch, judges its requests in turn, and writes the new balances. Each request is
-- judged by the balances that those before it leave. The order of the refusals is part of the HTTP contract.
-- `has_subjects`: some requests concern holds, or transactions to reverse. `is_blind`: others than the caller
-- are taken to have room for whatever is sent to them; see judge_blindly().
create function settle(requests posting_request[], verdicts text[], has_subjects boolean, is_blind boolean)
returns judgement[]
language plpgsql
as $$
declare
  -- Highest balance of a till, on either side of zero, before it is carried to a vault. Any batch still fits
  -- into a bigint then, so nothing is ever refused because of what others have moved.
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
  -- Of the holds; only if there are subjects.
  helds bigint[];
  hold_versions bigint[];
  hold_hashes bytea[];
  at timestamptz;
  -- The accounts that get fees; and what each request costs, null if nothing costs anything.
  fees_ids uuid[];
  fees bigint[];
  -- Whether some accounts have limits, and these, with what has gone out; null for the others.
  has_limits boolean;
  rooms limit_room[];
  has_policies boolean;
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
  value_date date;
  subject subject;
  -- Holds and transactions that requests of this batch ended or reversed; and the refusals of doing so again.
  ended uuid[];
  endings text[];
  -- What a hold that ends has kept from being paid until now.
  freed bigint := 0;
  -- Accounts whose payments were refused, because too little was left of their funds or limits.
  short_ids uuid[];
  -- The fee, the account that bears it, the one that gets it, and what the payer bears; a limit's refusal.
  fee bigint;
  bearer integer;
  till integer;
  payer_fee bigint := 0;
  charge fee_posting;
  beyond text;
begin
  -- See set_fee(); batches share this lock. Nearly always there is neither, so one look does for both.
  lock table fee_policies in row share mode;
  if exists (select from fee_policies) or exists (select from ledger_stops where lifted_at is null) then
    perform refuse_if_stopped(requests);
    fees_ids := fees_accounts_of(requests);
  end if;

  -- The time is read while the locks are held, and is never before an account's last entry, even if the clock
  -- is set back.
  select array_agg(id), array_agg(place), array_agg(owner), array_agg(currency), array_agg(status),
    array_agg(floor), array_agg(balance_limit), array_agg(deposit_limit), array_agg(balance), array_agg(version),
    array_agg(last_hash), greatest(date_trunc('milliseconds', clock_timestamp()), max(posted_at)),
    array_agg(id) filter (where floor is null and abs(balance) > till_max and account_type in ('cash', 'fees', 'clearing')),
    bool_or(locked.has_limits)
  into ids, places, owners, currencies, statuses, floors, ceilings, deposit_limits, balances, versions, hashes, at,
    full_tills, has_limits
  from (
    select id, ctid as place, account_type, currency, status, balance, version, last_hash, posted_at,
      balance_limit, deposit_limit, a.has_limits,
      case kind when 'customer' then user_id end as owner, case kind when 'customer' then held - overdraft_limit end as floor
    from accounts a
    where id = any (array(
      select account_id from unnest(requests)
      union all
      select coalesce(to_account_id, case when step is null then cash_account_id(currency) end) from unnest(requests)
      union all
      select unnest(fees_ids)
    ))
    order by id
    for no key update
  ) locked;

  if full_tills is not null then
    perform carry_to_vault(till_id, at) from unnest(full_tills) till_id;
    return settle(requests, verdicts, has_subjects, is_blind);
  end if;

  if is_blind then
    ceilings := array(select case o when requests[1].caller_id then c end from unnest(ceilings, owners) u (c, o));
  end if;
  if fees_ids is not null then
    fees := fees_due(requests, at);
  end if;
  if has_limits then
    rooms := limit_rooms_of(ids, at);
  end if;
  has_policies := has_limits or fees is not null;
  if has_subjects then
    select array_agg(a.held order by a.id), array_agg(coalesce(last.version, 0) order by a.id),
      array_agg(coalesce(last.hash, first_hold_hash()) order by a.id)
    into helds, hold_versions, hold_hashes
    from accounts a
    left join lateral (
      select e.version, e.hash from hold_entries e where e.account_id = a.id order by e.version desc limit 1
    ) last on true
    where a.id = any (ids);
  end if;

  -- Refusals that don't depend on balances. The currency's cash account can't be missing. If it were, its
  -- place would be null, and an array index of null raises an error, so money would not get lost.
  movements := array(
    select row(
      case
        when verdict is not null then verdict
        when owners[own] is null then 'account-not-found'
        when owners[own] <> caller_id and (type = 'transfer' and step is null or caller_role <> 'operator')
          then 'account-not-found'
        -- A release moves no money.
        when step = 'release' then null
        when to_account_id is not null and owners[other] is null and not may_name(to_account_id, currency, operation, reverses) then 'account-not-found'
        when 'closed' in (statuses[own], statuses[other]) then 'account-closed'
        when 'frozen' in (statuses[own], statuses[other]) then 'account-frozen'
        when currencies[own] <> currency or currencies[other] <> currency then 'currency-mismatch'
        when own = other and step is distinct from 'place' then 'same-account'
        -- A reversal counts from the day of what it reverses, however long ago that was.
        when reverses is null and abs(known.value_date - (at at time zone 'UTC')::date) > 30 then 'value-date-out-of-range'
        -- A deposit is never short of funds, so checking this here keeps the order of precedence.
        when type = 'deposit' and caller_role <> 'operator' and known.amount > deposit_limits[own] then 'limit-exceeded'
      end,
      case when type = 'deposit' or not is_debit then other else own end,
      case when type = 'deposit' or not is_debit then own else other end,
      owners[own],
      owners[other]
    )::movement
    from (
      select *,
        case when ids[own_found] = account_id then own_found end as own,
        case when ids[other_found] = other_id then other_found end as other
      from (
        -- A binary search; if the id is not in the array it finds a neighbour, which is then compared.
        -- (`offset 0` keeps Postgres from repeating the search wherever its result is used.)
        select *, width_bucket(account_id, ids) as own_found, width_bucket(other_id, ids) as other_found
        from (
          select *, unnest as verdict,
            -- Steps of a hold that move no money have no other side.
            coalesce(to_account_id, case when step is null then cash_account_id(currency) else account_id end) as other_id
          from rows from (unnest(requests), unnest(verdicts))
        ) given
        offset 0
      ) found
      offset 0
    ) known
  );

  for n in 1 .. cardinality(requests) loop
    movement := movements[n];
    refusal := movement.refusal;
    if has_subjects and refusal is null then
      subject := judge_subject(requests[n], at, ended, endings);
      refusal := subject.refusal;
      freed := greatest(-subject.held_change, 0);
    end if;
    if refusal is null then
      payer := movement.payer;
      payee := movement.payee;
      amount := requests[n].amount;
      payer_balance := balances[payer] - amount;
      payee_balance := balances[payee] + amount;
      if has_policies then
        fee := fees[n];
        bearer := case when requests[n].type = 'deposit' or not requests[n].is_debit then payee else payer end;
        payer_fee := case when bearer = payer then coalesce(fee, 0) else 0 end;
        beyond := limit_refusal(rooms[payer], requests[n]);
      end if;
      refusal := case
        when payer_balance - payer_fee < floors[payer] - freed then 'insufficient-funds'
        when beyond is not null then beyond
        when payee_balance > ceilings[payee] and payer <> payee then 'limit-exceeded'
        when fee > amount and bearer <> payer then 'fee-exceeds-amount'
      end;
      if refusal in ('insufficient-funds', 'day-limit-exceeded', 'month-limit-exceeded') then
        short_ids := short_ids || ids[payer];
      end if;
    end if;
    if refusal is not null then
      judgements[n] := row(
        refusal, at, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
      )::judgement;
      has_refused := true;
      continue;
    end if;

    has_posted := true;
    -- A hold that is placed or released moves no money; payer and payee are its account.
    if payer <> payee then
      transaction_id := requests[n].id;
      value_date := requests[n].value_date;
      balances[payer] := payer_balance;
      balances[payee] := payee_balance;
      versions[payer] := versions[payer] + 1;
      versions[payee] := versions[payee] + 1;
      hashes[payer] := entry_hash(
        hashes[payer], ids[payer], versions[payer], transaction_id, -amount, payer_balance, at, value_date);
      hashes[payee] := entry_hash(
        hashes[payee], ids[payee], versions[payee], transaction_id, amount, payee_balance, at, value_date);
      judgements[n] := row(
        'posted', at, movement.user_id, movement.to_user_id,
        ids[payer], versions[payer], payer_balance, hashes[payer],
        ids[payee], versions[payee], payee_balance, hashes[payee], null, null, null, null, null, null
      )::judgement;
    else
      judgements[n] := row(
        'posted', at, movement.user_id, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
      )::judgement;
    end if;
    -- A hold bears no fee, but needs room for that of its capture.
    if has_policies and fee is not null and payer <> payee then
      till := width_bucket(fees_account_id(requests[n].currency), ids);
      charge := charge(
        requests[n], fee, at, ids[bearer], versions[bearer], balances[bearer], hashes[bearer],
        ids[till], versions[till], balances[till], hashes[till]
      );
      balances[bearer] := charge.own_balance;
      versions[bearer] := charge.own_version;
      hashes[bearer] := charge.own_hash;
      balances[till] := charge.till_balance;
      versions[till] := charge.till_version;
      hashes[till] := charge.till_hash;
      judgements[n].fee := charge;
    end if;
    if has_limits then
      rooms[payer] := room_after(rooms[payer], requests[n], subject.held_change);
    end if;
    if has_subjects and subject.ending is not null then
      ended := ended || coalesce(requests[n].hold_id, requests[n].reverses);
      endings := endings || subject.ending;
    end if;
    if has_subjects and subject.held_change is not null then
      floors[payer] := floors[payer] + subject.held_change;
      helds[payer] := helds[payer] + subject.held_change;
      hold_versions[payer] := hold_versions[payer] + 1;
      hold_hashes[payer] := hold_hash(
        hold_hashes[payer], ids[payer], hold_versions[payer], requests[n].hold_id, subject.held_change, helds[payer], at,
        status_after(requests[n].step), requests[n].amount, requests[n].id);
      judgements[n].hold_entry_id := subject.hold_entry_id;
      judgements[n].hold_version := hold_versions[payer];
      judgements[n].hold_amount := subject.hold_amount;
      judgements[n].held := helds[payer];
      judgements[n].hold_hash := hold_hashes[payer];
    end if;
  end loop;

  if short_ids is not null and end_due_holds(short_ids, at) > 0 then
    return settle(requests, verdicts, has_subjects, is_blind);
  end if;

  -- The rows are locked, so their ctids still hold, and no index look-up is needed.
  if has_posted then
    update accounts a
    set balance = s.balance, version = s.version, last_hash = s.hash, held = coalesce(s.held, a.held),
      posted_at = case when s.version > a.version or s.held is not null then at else a.posted_at end
    from unnest(places, balances, versions, hashes, helds) s (place, balance, version, hash, held)
    where a.ctid = s.place;
    get diagnostics written = row_count;
    if written <> cardinality(ids) then
      raise 'expected to write % balances, wrote %', cardinality(ids), written;
    end if;
    if fees is not null then
      perform write_fees(requests, judgements);
    end if;
    if has_limits then
      perform count_outflows(requests, judgements, at);
    end if;
  end if;
  if has_refused then
    perform remember_refusals(requests, judgements);
  end if;
  return judgements;
end
$$;
