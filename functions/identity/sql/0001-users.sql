-- The users of the bank. A deleted user's row stays, because the ledger's accounts refer to its id for ever.
-- It loses its password, its name and its email address, which others can then use.
create table users (
  id uuid primary key default uuidv7(),
  name text not null check (char_length(name) between 1 and 200),
  -- Kept in lower case: in practice no mail system tells A@b.example from a@b.example, and two users must not
  -- differ by that alone.
  email text not null check (email = lower(email) and email like '_%@_%' and char_length(email) <= 254),
  -- When they opened a link that was mailed to this address. Null if nobody has shown yet that it is theirs.
  email_confirmed_at timestamptz,
  role text not null default 'customer' check (role in ('customer', 'operator')),
  -- Null if nobody can log in as this user: an operator added them, or they were deleted.
  password_hash text check (password_hash like '$argon2id$%'),
  created_at timestamptz not null default now(),
  -- When name or address last changed: later with each change, even if the clock is set back. Events of a
  -- user may come in any order, and this time tells which is the newest.
  changed_at timestamptz not null default date_trunc('milliseconds', now()),
  deleted_at timestamptz,
  check (deleted_at is null or password_hash is null)
);

create unique index users_email on users (email) where deleted_at is null;

-- The functions can neither choose nor change a role: everybody who registers is a customer.
grant select on users to :functions_role;
grant insert (name, email, password_hash) on users to :functions_role;
grant update (name, email, email_confirmed_at, password_hash, changed_at, deleted_at) on users to :functions_role;

-- Adds the first operator and returns the new row; returns none if there is, or ever was, an operator.
-- Nothing else gives that role, so the function runs with the rights of its owner and checks the rule itself.
-- Two calls at once name the same address, and the unique index lets only one of them through.
create function create_first_operator(operator_name text, operator_email text, operator_password_hash text)
  returns setof users
  language sql
  security definer
  set search_path = public, pg_temp
as $$
  insert into users (name, email, password_hash, role)
  select operator_name, operator_email, operator_password_hash, 'operator'
  where not exists (select from users where role = 'operator')
  on conflict do nothing
  returning *
$$;

revoke execute on function create_first_operator from public;
grant execute on function create_first_operator to :functions_role;
