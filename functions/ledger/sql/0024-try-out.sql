-- What a transaction would come to. All but the outcome is null if the caller may not use the account.
create type dry_run_outcome as (
  -- 'posted' or the name of a refusal.
  outcome text,
  -- Those of the account.
  user_id uuid,
  currency text,
  fee bigint,
  -- Null if the transaction would be refused.
  balance_after bigint,
  available_after bigint,
  -- After the transaction; if it would be refused, now. Null if the account has no limits.
  room limit_room
);

-- Tells what a request would come to, and changes nothing. The request is posted and everything is undone, so
-- the answer can't differ from that of a posting. Locks are held as long as by a posting, or a little less.
--
-- Trying costs nothing here, so a payer could learn a stranger's balance by looking for the amount that takes
-- it above its highest. They are told what they would be told if the payee had room.
create function dry_run(request posting_request) returns dry_run_outcome
language plpgsql security definer
set search_path = public, pg_temp
-- For the reasons given at post_transactions().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  posted posting_outcome;
  account accounts;
  room limit_room;
  may_know boolean;
begin
  begin
    select * into strict posted from post_transactions(array[request]);
    select * into account from accounts a where a.id = request.account_id and a.kind = 'customer';
    if account.has_limits then
      room := limit_room_of(account.id, posted.posted_at);
    end if;
    raise 'a dry run is undone' using errcode = 'MB003';
  exception when sqlstate 'MB003' then
    -- What the variables hold stays.
  end;
  if account.id is null or account.user_id <> request.caller_id and request.caller_role <> 'operator' then
    return row(posted.outcome, null, null, null, null, null, null)::dry_run_outcome;
  end if;

  posted.fee := (fees_due(array[request], posted.posted_at))[1];
  may_know := request.caller_role = 'operator'
    or (select p.user_id = request.caller_id from accounts p where p.id = request.to_account_id);
  if posted.outcome = 'limit-exceeded' and request.type = 'transfer' and may_know is not true then
    posted.outcome := 'posted';
    account.balance := account.balance - request.amount - coalesce(posted.fee, 0);
    room := room_after(room, request, posted.posted_at);
  end if;
  if posted.outcome <> 'posted' then
    account.balance := null;
  end if;
  return row(
    posted.outcome, account.user_id, account.currency, posted.fee, account.balance,
    account.balance - account.held + account.overdraft_limit, room
  )::dry_run_outcome;
end
$$;

revoke execute on function dry_run from public;
grant execute on function dry_run to :functions_role;
