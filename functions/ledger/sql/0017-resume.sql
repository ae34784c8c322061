-- Lifts a stop. The outcome is 'resumed', or why the stop stays: 'not-found', 'already-lifted',
-- 'still-broken' with what is wrong, or 'still-checking' if there are too many entries for one call; a repeat
-- then goes on.
create function resume_ledger(
  stop_id uuid, lifted_by uuid, reason text, traceparent text, out outcome text, out faults jsonb, out stop ledger_stops
)
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + interval '4 seconds';
  account_ids uuid[];
  wrong examination[];
  held_wrong jsonb[];
  are_holds_complete boolean;
  currency_sum numeric;
begin
  -- Of two who lift a stop at once, the second waits here and finds it lifted.
  select * into stop from ledger_stops s where s.id = stop_id for update;
  if stop.id is null then
    outcome := 'not-found';
    return;
  end if;
  if stop.lifted_at is not null then
    outcome := 'already-lifted';
    return;
  end if;

  if stop.evidence is not null then
    account_ids := array(select distinct (e ->> 'account_id')::uuid from jsonb_array_elements(stop.evidence) e);
    -- Until the stop is lifted nothing else changes these accounts.
    perform from accounts where id = any (account_ids) order by id for no key update;
    loop
      wrong := array(select e from check_accounts(account_ids) e);
      select h.faults, h.is_complete into held_wrong, are_holds_complete from check_holds(account_ids) h;
      exit when are_holds_complete and not exists (select from unnest(wrong) where problem is null);
      if clock_timestamp() > until then
        outcome := 'still-checking';
        return;
      end if;
    end loop;
    select sum(balance) into currency_sum from accounts a where a.currency = stop.currency;
    faults := (
      select jsonb_agg(fault)
      from (
        select fault from unnest(wrong)
        union all
        select unnest(held_wrong)
        union all
        select * from examine_transactions(
          array(select (e ->> 'transaction_id')::uuid from jsonb_array_elements(stop.evidence) e)
        )
        union all
        select jsonb_build_object('currency', stop.currency, 'problem', 'sum', 'sum', currency_sum::text)
        where currency_sum <> 0
      ) f (fault)
    );
    -- What is wrong may stay so on accounts that are frozen, with the sum that this makes.
    if exists (
      select from jsonb_array_elements(faults) fault
      where not exists (select from accounts a where a.id = (fault ->> 'account_id')::uuid and a.status = 'frozen')
        and not (fault ->> 'problem' = 'sum' and (
          is_sum_excused(stop.currency)
          or exists (select from jsonb_array_elements(faults) other where is_still_accepted(other))
        ))
    ) then
      outcome := 'still-broken';
      return;
    end if;
  end if;

  update ledger_stops s
  set lifted_at = date_trunc('milliseconds', clock_timestamp()), lifted_by = resume_ledger.lifted_by,
    lift_reason = resume_ledger.reason, accepted = faults
  where s.id = stop_id
  returning * into stop;
  perform emit_ledger_event(
    'ledger.resumed', stop.id, coalesce(stop.currency, 'all'), traceparent,
    json_build_object(
      'stop_id', stop.id, 'currency', stop.currency, 'reason', stop.lift_reason, 'resumed_by', stop.lifted_by,
      'timestamp', moment_text(stop.lifted_at)
    )
  );
  outcome := 'resumed';
end
$$;

revoke execute on function resume_ledger from public;
grant execute on function resume_ledger to :functions_role;
