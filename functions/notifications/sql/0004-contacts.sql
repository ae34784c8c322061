-- Name and addresses of each user, as identity's events tell them, and the phone number that an operator
-- entered.
create table contacts (
  user_id uuid primary key,
  -- Null while only the phone number is known, and after the user was deleted.
  name text,
  email text,
  -- E.164: + and 7 to 15 digits.
  phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  -- The time of the event that name and email come from. An older event, which may come later, changes
  -- nothing. Null before the first event.
  changed_at timestamptz,
  -- The address that they last showed to be theirs, and when. Mails to any other are few.
  confirmed_email text,
  confirmed_at timestamptz,
  -- When they set a password by a mailed link while nobody had confirmed the address. What is older may have
  -- been set up by somebody else.
  renewed_at timestamptz,
  deleted_at timestamptz,
  check (
    deleted_at is null or (name is null and email is null and phone is null and confirmed_email is null)
  )
);

grant select, insert, update on contacts to :functions_role;
