#!/usr/bin/env bash
# Prepares a database before Postgres starts. On the first start it makes the data folder. On every start it
# makes or updates the context's database and its three roles, whose passwords may have changed. If it is killed
# at any point, it starts over.
#
# Needs PGDATA, CONTEXT, OWNER_PASSWORD, FUNCTIONS_PASSWORD and METER_PASSWORD. SOCKETS is the folder for the socket of this
# script's own server, which nobody else can reach.
set -euo pipefail
: "${PGDATA:?}" "${CONTEXT:?}" "${OWNER_PASSWORD:?}" "${FUNCTIONS_PASSWORD:?}" "${METER_PASSWORD:?}"
export PGHOST=${SOCKETS:-/var/run/postgresql} PGUSER=postgres PGDATABASE=postgres

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  echo "prepare: making the data folder $PGDATA"
  # First under another name: the remains of an interrupted initdb must never be taken for a database.
  rm -rf "$PGDATA.unfinished"
  mkdir -p "$(dirname "$PGDATA")"
  initdb --pgdata="$PGDATA.unfinished" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions
  [[ ! -d $PGDATA ]] || rmdir "$PGDATA"
  mv "$PGDATA.unfinished" "$PGDATA"
fi

echo "prepare: roles and database of $CONTEXT"
pg_ctl start --pgdata="$PGDATA" --silent --wait --timeout=600 \
  --options="-c listen_addresses='' -c unix_socket_directories='$PGHOST' -c unix_socket_permissions=0700"
trap 'pg_ctl stop --pgdata="$PGDATA" --silent --mode=fast' EXIT

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=functions="$CONTEXT" --set=owner="${CONTEXT}_owner" \
  --set=meter="${CONTEXT}_meter" <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv functions_password FUNCTIONS_PASSWORD
\getenv meter_password METER_PASSWORD
-- Postgres logs a statement that fails, and these statements hold passwords.
set log_min_error_statement = panic;
select format('create role %I login', name) from unnest(array[:'owner', :'functions', :'meter']) as name
  where not exists (select from pg_roles where rolname = name) \gexec
alter role :"owner" password :'owner_password';
alter role :"functions" password :'functions_password';
alter role :"meter" password :'meter_password';
-- The same limits as in ../databases.ts, which gives the reasons.
alter role :"functions" set statement_timeout = '8s';
alter role :"functions" set lock_timeout = '4s';
alter role :"functions" set idle_in_transaction_session_timeout = '10s';
alter role :"meter" set statement_timeout = '5s';
alter role :"meter" set lock_timeout = '2s';
alter role :"meter" set idle_in_transaction_session_timeout = '5s';
alter role :"meter" connection limit 4;
grant pg_read_all_stats to :"meter";
select format('create database %I owner %I', :'functions', :'owner')
  where not exists (select from pg_database where datname = :'functions') \gexec
revoke all on database :"functions" from public;
grant connect on database :"functions" to :"functions", :"meter";
-- Lets the nightly backup make Postgres read a renewed certificate. The grant is in the database postgres: in the
-- context's database it would be part of every backup, and the owner could not restore it.
grant execute on function pg_reload_conf() to :"owner";
SQL
