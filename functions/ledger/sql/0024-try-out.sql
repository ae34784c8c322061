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

-- Trying costs nothing, so a payer could learn a stranger's balance by looking for the amount that takes it
-- above its highest. So they are told what they would be told if all strangers had room: settle() judges
-- blindly. Operators may know.

-- Judges a batch of one caller blindly, and changes nothing: what it does is undone. Returns the outcome of
-- each request, in their order, and who would get the money of a transfer.
create function judge_blindly(requests posting_request[]) returns table (outcome text, to_user_id uuid)
language plpgsql security definer
set search_path = public, pg_temp
-- For the reasons given at post_transactions().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  judgements judgement[];
begin
  begin
    judgements := settle(requests, null, false, true);
    raise 'what was judged is undone' using errcode = 'MB003';
  exception when sqlstate 'MB003' then
    -- What the variables hold stays.
  end;
  return query
  select j.outcome, j.to_user_id from unnest(judgements) with ordinality j order by j.ordinality;
end
$$;

-- Tells what a request would come to, and changes nothing. The request is judged as if it were posted, and
-- everything is undone, so the answer can't differ from that of a posting. Locks are held as long as by a
-- posting, or a little less.
create function dry_run(request posting_request) returns dry_run_outcome
language plpgsql security definer
set search_path = public, pg_temp
-- For the reasons given at post_transactions().
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  judgement judgement;
  account accounts;
  room limit_room;
  fee bigint;
begin
  begin
    judgement := (settle(array[request], null, false, request.caller_role <> 'operator'))[1];
    select * into account from accounts a where a.id = request.account_id and a.kind = 'customer';
    if account.has_limits then
      room := limit_room_of(account.id, judgement.posted_at);
    end if;
    raise 'a dry run is undone' using errcode = 'MB003';
  exception when sqlstate 'MB003' then
    -- What the variables hold stays.
  end;
  if account.id is null or account.user_id <> request.caller_id and request.caller_role <> 'operator' then
    return row(judgement.outcome, null, null, null, null, null, null)::dry_run_outcome;
  end if;

  fee := (fees_due(array[request], judgement.posted_at))[1];
  if judgement.outcome <> 'posted' then
    account.balance := null;
  end if;
  return row(
    judgement.outcome, account.user_id, account.currency, fee, account.balance,
    account.balance - account.held + account.overdraft_limit, room
  )::dry_run_outcome;
end
$$;

revoke execute on function judge_blindly, dry_run from public;
grant execute on function judge_blindly, dry_run to :functions_role;
