-- Writes down what was judged, each table as one set: transactions, entries, balances, events, and refusals
-- under their idempotency keys. Returns the outcomes in the order of the requests.
create function write_down(requests posting_request[], judgements judgement[], at timestamptz)
returns setof posting_outcome
language plpgsql
as $$
declare
  posted_at constant text := to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
begin
  return query
  with judged as (
    select *,
      case
        when outcome = 'posted' then 'completed'::transaction_status
        when requested and outcome <> 'replay' then 'rejected'
      end as status,
      case when to_account_id is not null then other_balance end as to_balance
    from rows from (unnest(requests), unnest(judgements))
  ),
  stated as materialized (
    select *,
      case when status is not null then uuidv7() end as event_id,
      case status
        when 'completed' then json_build_object(
          'transaction_id', id,
          'transaction_type', type,
          'user_id', user_id,
          'account_id', account_id,
          'to_account_id', to_account_id,
          'to_user_id', to_user_id,
          'amount', decimal_amount(amount, currency_exponent),
          'currency', currency,
          'new_balance', decimal_amount(own_balance, currency_exponent),
          'to_new_balance', decimal_amount(to_balance, currency_exponent),
          'description', description,
          'timestamp', posted_at
        )
        when 'rejected' then json_build_object(
          'transaction_id', id,
          'transaction_type', type,
          'user_id', caller_id,
          'account_id', account_id,
          'to_account_id', to_account_id,
          'amount', decimal_amount(amount, currency_exponent),
          'currency', currency,
          'description', description,
          'refusal', outcome,
          'timestamp', posted_at
        )
      end as event_data
    from judged
  ),
  new_transactions as (
    insert into transactions (
      id, type, status, account_id, to_account_id, amount, currency, description, metadata,
      user_id, to_user_id, balance_after, to_balance_after, refusal, created_at
    )
    select id, type, status, account_id, to_account_id, amount, currency, description, metadata,
      coalesce(user_id, caller_id), to_user_id, own_balance, to_balance,
      case status when 'rejected' then outcome end, at
    from stated
    where status is not null
  ),
  new_entries as (
    insert into entries (account_id, version, transaction_id, amount, balance_after, hash, created_at)
    select entry.*, at
    from stated,
      lateral (values
        (account_id, own_version, id, own_amount, own_balance, own_hash),
        (other_id, other_version, id, -own_amount, other_balance, other_hash)
      ) entry
    where status = 'completed'
    returning account_id, version, balance_after, hash
  ),
  new_balances as (
    update accounts a
    set balance = last_entry.balance_after, version = last_entry.version, last_hash = last_entry.hash, posted_at = at
    from (
      select distinct on (account_id) * from new_entries order by account_id, version desc
    ) last_entry
    where a.id = last_entry.account_id
  ),
  new_events as (
    insert into outbox (id, type, source, subject, time, dataschema, partitionkey, traceparent, data)
    select event_id, 'transaction.' || status, '/microbank/ledger', id, at,
      'https://microbank.dev/events/transaction.' || status || '/1', account_id, traceparent, event_data
    from stated
    where status is not null
  ),
  new_pending as (
    insert into outbox_pending (event_id) select event_id from stated where status is not null
  ),
  remembered_refusals as (
    update idempotency_keys k
    set outcome = jsonb_build_object('refusal', stated.outcome)
    from stated
    where k.owner = stated.key_owner and k.key = stated.key
      and stated.outcome not in ('posted', 'replay', 'idempotency-key-reused')
  )
  select outcome, false, id, own_balance, at, event_id, event_data::text
  from stated;
end
$$;
