-- The balance at any moment, without adding up. Run it as the owner of a ledger database.

create temporary table named (name text primary key, id uuid);
insert into named select 'ada', (account).id from open_account(uuidv7(), 'checking', 'JPY', 0, 100000000, 100000000, 10);

-- Three deposits, one after the other. JPY has no decimals, so amounts are whole yen.
create function pg_temp.pay_in(yen bigint) returns text
language sql volatile
return (select outcome from post_transactions(array[json_populate_record(null::posting_request, json_build_object(
  'id', uuidv7(), 'pending_id', uuidv7(), 'requested', false, 'operation', 'deposit', 'type', 'deposit',
  'account_id', (select id from named where name = 'ada'), 'amount', yen, 'currency', 'JPY',
  'caller_role', 'operator'
))]));
select pg_temp.pay_in(100);
select pg_temp.pay_in(20);
select pg_temp.pay_in(3);

-- Before its first entry an account has nothing.
select balance_at(a, a.created_at - interval '1 day') as the_day_before from accounts a join named using (id);

-- From the moment of an entry until the next, the balance is what the entry left. No entries are added up: a
-- binary search over the account's version numbers, which have no gaps, finds the right one.
select e.version, e.amount, balance_after, balance_at(a, e.created_at) >= balance_after as holds_at_its_moment
from entries e join accounts a on a.id = e.account_id join named on named.id = a.id order by e.version;
select balance_at(a, clock_timestamp()) as now from accounts a join named using (id);
