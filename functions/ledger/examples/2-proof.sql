-- Nobody changes the books unnoticed. Run it as the owner of a ledger database that you can throw away.

create temporary table named (name text primary key, id uuid);
insert into named select 'ada', (account).id from open_account(uuidv7(), 'checking', 'EUR', 0, 100000000, 100000000, 10);
insert into named values ('cash', cash_account_id('EUR'));
select outcome from post_transactions(array[json_populate_record(null::posting_request, json_build_object(
  'id', uuidv7(), 'pending_id', uuidv7(), 'requested', false, 'operation', 'deposit', 'type', 'deposit',
  'account_id', (select id from named where name = 'ada'), 'amount', 700, 'currency', 'EUR',
  'caller_role', 'operator'
))]);

-- Entries can only be added, even by the owner of the database: this is an error.
update entries set amount = 7000000;

-- The owner of the database can switch the triggers off and make Ada rich...
alter table entries disable trigger user;
update entries set amount = 700000, balance_after = 700000
where account_id = (select id from named where name = 'ada');
update accounts set balance = 700000 where id = (select id from named where name = 'ada');
alter table entries enable trigger user;

-- ...but the proofs find it: the sums don't add up, and the hash does not match the entry.
select currency, balance_sum from verify_sums();
select (select name from named where id = account_id), version, problem from verify_chains();
select entry_count, entry_sum from verify_transactions();
select count(*) as wrong_balances from verify_balances();
