-- A session begins with a log-in and owns the refresh tokens that follow from it. It ends after 30 days,
-- however often it was refreshed, and earlier if it ends idle. So its tokens are limited in number, and need
-- no expiry of their own.
create table sessions (
  id uuid primary key default uuidv7(),
  user_id uuid not null references users,
  -- Families of programs, such as Firefox and Linux, by which users know their sessions; null if the program
  -- didn't say. The whole text would tell much more.
  browser text check (char_length(browser) between 1 and 40),
  system text check (char_length(system) between 1 and 40),
  -- SHA-256 of the code that started it, so that each code starts one session; null if it began with a
  -- password.
  code_hash bytea unique check (octet_length(code_hash) = 32),
  started_at timestamptz not null default now(),
  -- The generation of its newest tokens, and since when it is that. Each exchange makes the next one.
  generation integer not null default 1,
  -- SHA-256 of the token whose exchange began it: that one may be exchanged again for some seconds.
  continued_by bytea check (octet_length(continued_by) = 32),
  continued_at timestamptz not null default now(),
  -- It ends when it has not been continued for this long; null if it may rest. Each exchange of a token moves
  -- expires_at.
  idle_limit interval check (idle_limit > interval '0'),
  expires_at timestamptz not null,
  check (expires_at <= started_at + interval '30 days'),
  revoked_at timestamptz,
  revoked_for text check (revoked_for in ('logout', 'reuse', 'signed-out', 'user-deleted', 'new-password')),
  check ((revoked_at is null) = (revoked_for is null))
);

create index sessions_user on sessions (user_id);
create index sessions_expires on sessions (expires_at);

-- Only the SHA-256 of a token is kept. That is enough for 256 random bits: they can't be guessed, so a slow
-- hash would protect nothing. A used token stays, because its second use shows that somebody stole it. A
-- token is used if its session has a later generation.
create table refresh_tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  session_id uuid not null references sessions on delete cascade,
  generation integer not null,
  issued_at timestamptz not null default now()
);

create index refresh_tokens_session on refresh_tokens (session_id, issued_at);

-- Tokens are deleted only together with their session, by the cascade.
grant select, delete on sessions to :functions_role;
grant insert (user_id, browser, system, code_hash, idle_limit, expires_at) on sessions to :functions_role;
grant update (revoked_at, revoked_for, generation, continued_by, continued_at, expires_at) on sessions
  to :functions_role;
grant select on refresh_tokens to :functions_role;
grant insert (token_hash, session_id, generation) on refresh_tokens to :functions_role;
