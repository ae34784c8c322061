-- Links that are mailed to users: to choose a password, or to confirm an email address. The link itself is
-- nowhere: its token follows from the id and a key that is in no database (functions/host/link-token.ts).
create table mailed_links (
  -- Random, and not in the order of time: if somebody had the key, they would still have to know an id.
  id uuid primary key default gen_random_uuid(),
  -- Null if somebody asked for a new password for an address that no user has. The row is written all the
  -- same, and `user_id` is no foreign key: the work, and so the time, must be the same.
  user_id uuid,
  purpose text not null check (purpose in ('new-password', 'confirm-email')),
  -- The address that it is mailed to. The user loses their open links when they change it.
  email text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  check ((user_id is null) = (email is null))
);

create index mailed_links_user on mailed_links (user_id);
create index mailed_links_expires on mailed_links (expires_at);

grant select, delete on mailed_links to :functions_role;
grant insert (user_id, purpose, email, expires_at) on mailed_links to :functions_role;
grant update (used_at) on mailed_links to :functions_role;
