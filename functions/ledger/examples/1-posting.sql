-- Two accounts, and money that moves between them. Run it as the owner of a ledger database:
--
--   psql "$LEDGER_DATABASE_OWNER_URL" -f functions/ledger/examples/1-posting.sql

-- The examples give accounts names, because ids differ from one run to the next. open_account() gets the
-- user, the type, the currency, the overdraft limit (0), the limits of balance and deposit, and how many
-- accounts the user may have.
create temporary table named (name text primary key, id uuid);
insert into named select 'ada', (account).id from open_account(uuidv7(), 'checking', 'USD', 0, 100000000, 100000000, 10);
insert into named select 'ben', (account).id from open_account(uuidv7(), 'savings', 'USD', 0, 100000000, 100000000, 10);
insert into named values ('cash', cash_account_id('USD'));

-- Makes a posting_request with the fields that matter here. Amounts are in cents.
create function pg_temp.ask(kind transaction_type, payer text, payee text, cents bigint) returns posting_request
language sql volatile
return json_populate_record(null::posting_request, json_build_object(
  'id', uuidv7(), 'pending_id', uuidv7(), 'requested', false, 'operation', kind, 'type', kind,
  'account_id', (select id from named where name = payer), 'to_account_id', (select id from named where name = payee),
  'amount', cents, 'currency', 'USD', 'caller_role', 'operator'
));

-- Ada deposits 900.00. post_transactions() returns one outcome per request.
select n, outcome, balance_after from post_transactions(array[pg_temp.ask('deposit', 'ada', null, 90000)]);

-- A batch is judged in its order, each transaction by the balances that those before it leave.
select n, outcome, balance_after from post_transactions(array[
  pg_temp.ask('transfer', 'ada', 'ben', 20000),
  pg_temp.ask('withdrawal', 'ben', null, 20001),
  pg_temp.ask('withdrawal', 'ben', null, 5000)
]) order by n;

-- Every transaction has two entries, which add up to zero.
select type, status, amount, (select sum(e.amount) from entries e where e.transaction_id = t.id) as entry_sum
from transactions t order by id;

-- Each entry keeps the balance after it, so an account's history needs no adding up.
select name, version, amount, balance_after from entries join named on id = account_id order by name, version;

-- A customer's balance is what the bank owes them. Cash has the other side, so all balances add up to zero.
select named.name, balance, sum(balance) over () as sum_of_all from accounts join named using (id) order by name;

-- The events follow from the transactions, so only their ids were stored, in the same database transaction.
-- Nobody has published them here yet.
select type, data ->> 'amount' as amount, data ->> 'new_balance' as new_balance from events order by id;
select sum(cardinality(event_ids)) as still_to_be_published from outbox_pending;
