-- A session begins with a log-in and owns the refresh tokens that follow from it. It ends after 30 days,
-- however often it was refreshed. So its tokens are limited in number, and need no expiry of their own.
create table sessions (
  id uuid primary key default uuidv7(),
  user_id uuid not null references users,
  started_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '30 days',
  revoked_at timestamptz,
  revoked_for text check (revoked_for in ('logout', 'reuse', 'user-deleted', 'new-password')),
  check ((revoked_at is null) = (revoked_for is null))
);

create index sessions_user on sessions (user_id);
create index sessions_expires on sessions (expires_at);

-- Only the SHA-256 of a token is kept. That is enough for 256 random bits: they can't be guessed, so a slow
-- hash would protect nothing. A used token stays, because its second use shows that somebody stole it.
create table refresh_tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  session_id uuid not null references sessions on delete cascade,
  issued_at timestamptz not null default now(),
  used_at timestamptz
);

create index refresh_tokens_session on refresh_tokens (session_id, issued_at);

-- Tokens are deleted only together with their session, by the cascade.
grant select, delete on sessions to :functions_role;
grant insert (user_id) on sessions to :functions_role;
grant update (revoked_at, revoked_for) on sessions to :functions_role;
grant select on refresh_tokens to :functions_role;
grant insert (token_hash, session_id) on refresh_tokens to :functions_role;
grant update (used_at) on refresh_tokens to :functions_role;
