-- How often clients have called the routes that are dear (docs/front-door.md), counted for all processes
-- together. The shape is that of the library rate-limiter-flexible. Nothing is lost if a crash empties the
-- table, so it is kept out of the log.
create unlogged table rate_limits (
  -- The policy, and who is counted.
  key text primary key,
  points integer not null,
  -- Milliseconds since 1970.
  expire bigint not null
);

grant select, insert, update, delete on rate_limits to :functions_role;
