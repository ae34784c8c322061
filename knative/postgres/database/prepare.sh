#!/usr/bin/env bash
# Readies a database before Postgres starts: the data folder on the first start, and each time the context's
# two roles (their passwords may have changed) and its database. Killed anywhere, it starts over.
#
# Needs PGDATA, CONTEXT, OWNER_PASSWORD and FUNCTIONS_PASSWORD; SOCKETS is where the socket of this script's
# own server is put, which nobody else can reach.
set -euo pipefail
: "${PGDATA:?}" "${CONTEXT:?}" "${OWNER_PASSWORD:?}" "${FUNCTIONS_PASSWORD:?}"
export PGHOST=${SOCKETS:-/var/run/postgresql} PGUSER=postgres PGDATABASE=postgres

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  echo "prepare: making the data folder $PGDATA"
  # Under another name first: what an interrupted initdb leaves must never be taken for a database.
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

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=functions="$CONTEXT" --set=owner="${CONTEXT}_owner" <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv functions_password FUNCTIONS_PASSWORD
-- A statement that fails is logged, and these hold passwords.
set log_min_error_statement = panic;
select format('create role %I login', name) from unnest(array[:'owner', :'functions']) as name
  where not exists (select from pg_roles where rolname = name) \gexec
alter role :"owner" password :'owner_password';
alter role :"functions" password :'functions_password';
-- As in ../databases.ts, which says why.
alter role :"functions" set statement_timeout = '8s';
alter role :"functions" set lock_timeout = '4s';
alter role :"functions" set idle_in_transaction_session_timeout = '10s';
select format('create database %I owner %I', :'functions', :'owner')
  where not exists (select from pg_database where datname = :'functions') \gexec
revoke all on database :"functions" from public;
grant connect on database :"functions" to :"functions";
-- So that the nightly backup can have a renewed certificate read. In this database, not the context's: there it would
-- be part of every backup, and no owner could restore it.
grant execute on function pg_reload_conf() to :"owner";
SQL
