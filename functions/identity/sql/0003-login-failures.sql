-- Counts of recent failed log-ins: per account, per client, and per account from one client. Also the log-ins
-- and registrations of an hour. They are in the database because functions come and go, and many may run at
-- once.
create table login_failures (
  -- SHA-256 of what is counted. The address that somebody typed may be anything, even a password, so it is
  -- not kept.
  subject bytea primary key check (octet_length(subject) = 32),
  failures integer not null default 0 check (failures >= 0),
  last_attempt_at timestamptz not null default now()
);

create index login_failures_last_attempt on login_failures (last_attempt_at);

grant select, insert, update, delete on login_failures to :functions_role;
