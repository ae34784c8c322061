-- The facts of payments: see eventing/sql/0002-facts.sql.

insert into facts_totals (name, labels)
select 'microbank_events_total', jsonb_build_object('type', type)
from unnest(array[
  'clearing.disputed', 'order.cancelled', 'order.created', 'order.failed', 'order.ran', 'payment.cancelled',
  'payment.created', 'payment.executed', 'payment.expired', 'payment.failed', 'payment.received',
  'payout.completed', 'payout.requested', 'provider.due', 'sandbox.due', 'topup.completed', 'topup.failed',
  'webhook.paused', 'webhook.queued', 'withdrawal.completed', 'withdrawal.failed'
]) type;
