-- The events of postings. The row of a transaction says all that its event does, so no event is stored: it is
-- derived from that row, byte for byte the same each time. functions/ledger/posting/posting-event.ts makes
-- the same event from the outcome of a posting; a test compares the two.

-- Returns the number of decimals of a currency of ISO 4217. functions/host/values/currencies.ts has the
-- same ones.
create function currency_exponent(currency text) returns integer
language sql immutable parallel safe
return case
  when currency in (
    'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF',
    'XPF'
  ) then 0
  when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
  when currency in ('CLF', 'UYW') then 4
  else 2
end;

-- Formats an amount in minor units as a decimal string: decimal_amount(20000, 2) is '200.00'. (A product has
-- as many decimals as its factors together. The function is not `strict`, because Postgres could then not
-- inline it.)
create function decimal_amount(minor_units bigint, exponent integer) returns text
language sql immutable parallel safe
return (minor_units * (array[1, 0.1, 0.01, 0.001, 0.0001])[exponent + 1])::text;

-- Data of the events, as described in eventing/contracts/.
create type transaction_completed as (
  transaction_id uuid,
  transaction_type transaction_type,
  user_id uuid,
  account_id uuid,
  to_account_id uuid,
  to_user_id uuid,
  amount text,
  currency text,
  fee text,
  new_balance text,
  to_new_balance text,
  description text,
  "timestamp" text
);

create type transaction_rejected as (
  transaction_id uuid,
  transaction_type transaction_type,
  user_id uuid,
  account_id uuid,
  to_account_id uuid,
  amount text,
  currency text,
  description text,
  refusal text,
  "timestamp" text
);

create type transaction_reversed as (
  transaction_id uuid,
  reverses uuid,
  user_id uuid,
  account_id uuid,
  to_account_id uuid,
  to_user_id uuid,
  amount text,
  currency text,
  fee text,
  new_balance text,
  to_new_balance text,
  reason text,
  "timestamp" text
);

-- Returns the extensions of an event that concerns these users: it is offered to web hooks if somebody may
-- have one for it. (A watch that ended after the posting had no hook left.)
create function offer_to(user_ids uuid[]) returns jsonb
language sql stable
return case when is_watched(user_ids) then '{"webhooks": "offered"}'::jsonb end;

-- Formats a moment as RFC 3339 has it, in UTC with milliseconds.
create function moment_text(moment timestamptz) returns text
language sql stable parallel safe
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- Returns the event that tells the outcome of a transaction: none while it is pending, and none for a
-- transfer of the bank's own (see carry_to_vault()). A transaction that was reversed later was completed all
-- the same.
create function transaction_event(t transactions) returns setof outbox
language sql stable
begin atomic
  select
    event_id_of(t.id), e.type, '/microbank/ledger', t.id::text, t.created_at,
    'https://microbank.dev/events/' || e.type || '/1', t.account_id::text, null::text, e.data,
    offer_to(array[t.user_id, t.to_user_id])
  from (
    select
      case
        when t.status = 'rejected' then 'transaction.rejected'
        when t.type = 'reversal' then 'transaction.reversed'
        else 'transaction.completed'
      end as type,
      case
        when t.status = 'rejected' then row_to_json(row(
          t.id, t.type, t.user_id, t.account_id, t.to_account_id, decimal_amount(t.amount, exponent), t.currency,
          t.description, t.refusal, at_text
        )::transaction_rejected)
        when t.type = 'reversal' then row_to_json(row(
          t.id, t.reverses, t.user_id, t.account_id, t.to_account_id, t.to_user_id,
          decimal_amount(t.amount, exponent), t.currency, decimal_amount(t.fee, exponent),
          decimal_amount(t.balance_after, exponent), decimal_amount(t.to_balance_after, exponent),
          t.description, at_text
        )::transaction_reversed)
        else row_to_json(row(
          t.id, t.type, t.user_id, t.account_id, t.to_account_id, t.to_user_id,
          decimal_amount(t.amount, exponent), t.currency, decimal_amount(t.fee, exponent),
          decimal_amount(t.balance_after, exponent), decimal_amount(t.to_balance_after, exponent),
          t.description, at_text
        )::transaction_completed)
      end as data
    from (
      select currency_exponent(t.currency) as exponent, moment_text(t.created_at) as at_text
    ) text
  ) e
  where t.status <> 'pending' and t.user_id <> '00000000-0000-0000-0000-000000000000';
end;

create type hold_placed as (
  hold_id uuid,
  user_id uuid,
  account_id uuid,
  amount text,
  currency text,
  description text,
  placed_by uuid,
  expires_at text,
  "timestamp" text
);

create type hold_captured as (
  hold_id uuid,
  user_id uuid,
  account_id uuid,
  transaction_id uuid,
  amount text,
  released text,
  currency text,
  "timestamp" text
);

-- Also of hold.expired.
create type hold_released as (
  hold_id uuid,
  user_id uuid,
  account_id uuid,
  amount text,
  currency text,
  "timestamp" text
);

-- Returns the event that tells of an entry of a hold: that it was placed, or how it ended.
create function hold_event(e hold_entries) returns setof outbox
language sql stable
begin atomic
  select
    event_id_of(e.id), o.type, '/microbank/ledger', e.hold_id::text, e.created_at,
    'https://microbank.dev/events/' || o.type || '/1', e.account_id::text, null::text, o.data,
    offer_to(array[o.user_id, o.payee_id])
  from (
    select
      case when e.id = e.hold_id then 'hold.placed' else 'hold.' || h.status end as type,
      case
        when e.id = e.hold_id then row_to_json(row(
          h.id, h.user_id, h.account_id, decimal_amount(h.amount, exponent), h.currency, h.description, h.placed_by,
          moment_text(h.expires_at), at_text
        )::hold_placed)
        when h.status = 'captured' then row_to_json(row(
          h.id, h.user_id, h.account_id, h.transaction_id, decimal_amount(h.captured, exponent),
          decimal_amount(h.amount - h.captured, exponent), h.currency, at_text
        )::hold_captured)
        else row_to_json(row(
          h.id, h.user_id, h.account_id, decimal_amount(h.amount, exponent), h.currency, at_text
        )::hold_released)
      end as data,
      h.user_id,
      -- A capture is offered together with its transfer.
      case when e.id <> e.hold_id then (select t.to_user_id from transactions t where t.id = h.transaction_id) end
        as payee_id
    from (
      select *, currency_exponent(currency) as exponent, moment_text(e.created_at) as at_text
      from holds
      where id = e.hold_id
    ) h
  ) o;
end;

create or replace view events as
select * from outbox
union all
select e.* from transactions t cross join lateral transaction_event(t) e
union all
select e.* from hold_entries h cross join lateral hold_event(h) e;

-- The settings are those of the function that this one replaces.
create or replace function events_by_id(ids uuid[]) returns setof outbox
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
begin atomic
  select * from outbox where id = any (ids)
  union all
  select e.* from transactions t cross join lateral transaction_event(t) e where t.id = any (fact_ids_of(ids))
  union all
  select e.* from hold_entries h cross join lateral hold_event(h) e where h.id = any (fact_ids_of(ids));
end;
