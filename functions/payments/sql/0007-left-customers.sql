-- Erases what customers who left the bank have written about others. The books stay: who paid how much, when,
-- and by which transaction.

-- The customers of whom something may be left to erase.
create index web_hook_owners_left on web_hook_owners (left_at) where left_at is not null and forgotten_at is null;

-- Cancels the payment orders of a customer who left, and erases from what has ended what was said of payees:
-- names, addresses, notes. Handles at most `most` rows of each kind, and returns how many it has handled. 0
-- means that nothing is left, or only what is under way or disputed: an operator who looks into a dispute
-- needs to know who was paid. If nothing of that is left either, sets forgotten_at.
create function forget_customer(customer_id uuid, most integer) returns bigint
language plpgsql
as $$
declare
  handled bigint := 0;
  counted bigint;
begin
  update payment_orders o
  set status = case o.status when 'completed' then o.status else 'cancelled' end, stop_reason = null,
    next_number = null, next_due_at = null, description = null, payee_name = null
  where o.id = any (array(
    select w.id from payment_orders w
    where w.user_id = customer_id
      and (w.status not in ('completed', 'cancelled') or num_nonnulls(w.description, w.payee_name) > 0)
    order by w.id limit most for update
  ));
  get diagnostics counted = row_count;
  handled := handled + counted;

  -- Orders before their runs, as everywhere, so that nothing can deadlock. A run for which the ledger is
  -- being called goes on: its money may have moved.
  update payment_order_runs r set status = 'skipped', ended_at = now()
  where r.status = 'pending' and r.called_at is null
    and r.order_id = any (array(
      select o.id from payment_orders o where o.user_id = customer_id and o.status = 'cancelled'
    ));

  update payment_order_runs r set description = null
  where r.id = any (array(
    select w.id
    from payment_orders o join payment_order_runs w on w.order_id = o.id
    where o.user_id = customer_id and w.status <> 'pending' and w.description is not null
    limit most for update of w
  ));
  get diagnostics counted = row_count;
  handled := handled + counted;

  update payments p
  set description = null, return_url = null, payee_email = case when p.payee_email is not null then '-' end
  where p.id = any (array(
    select w.id from payments w
    where w.user_id = customer_id and w.ended_at is not null
      and (w.description is not null or w.return_url is not null or w.payee_email <> '-')
    limit most for update
  ));
  get diagnostics counted = row_count;
  handled := handled + counted;

  update payout_items i
  set note = null, email = case when i.email is not null then '-' end
  from (
    select w.payout_id, w.number
    from payouts p join payout_items w on w.payout_id = p.id
    where p.user_id = customer_id and w.status <> 'pending' and (w.note is not null or w.email <> '-')
    limit most for update of w
  ) w
  where i.payout_id = w.payout_id and i.number = w.number;
  get diagnostics counted = row_count;
  handled := handled + counted;

  update provider_transfers t
  set description = null, next_url = null, payee_name = case when t.payee_name is not null then '-' end,
    payee_account = case when t.payee_account is not null then '-' end
  where t.id = any (array(
    select w.id from provider_transfers w
    where w.user_id = customer_id and w.ended_at is not null and w.dispute is null
      and (w.description is not null or w.next_url is not null or w.payee_name <> '-' or w.payee_account <> '-')
    limit most for update
  ));
  get diagnostics counted = row_count;
  handled := handled + counted;

  -- With a token from before they left they can still write, for some minutes.
  if handled = 0 then
    update web_hook_owners w set forgotten_at = now()
    where w.user_id = customer_id and w.left_at < now() - interval '1 hour'
      and not exists (select from payments p where p.user_id = customer_id and p.ended_at is null)
      and not exists (select from payouts p where p.user_id = customer_id and p.completed_at is null)
      and not exists (
        select from provider_transfers t
        where t.user_id = customer_id and (t.ended_at is null or t.dispute is not null)
      )
      and not exists (
        select from payment_orders o join payment_order_runs r on r.order_id = o.id
        where o.user_id = customer_id and r.status = 'pending'
      );
  end if;
  return handled;
end
$$;
