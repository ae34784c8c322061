#!/usr/bin/env bash
# Backs a database up to $BACKUPS/<database>-<time>.dump, keeps the newest $BACKUPS_KEPT, and fails where
# anything is amiss. Connects as PGHOST, PGUSER and PGPASSWORD say, to PGDATABASE.
set -euo pipefail
: "${PGDATABASE:?}" "${BACKUPS:?}" "${BACKUPS_KEPT:?}"

file=$BACKUPS/$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump
trap 'rm -f "$file.unfinished"' EXIT

# One snapshot of everything, while the bank goes on.
pg_dump --format=custom --file="$file.unfinished"
# Read to its end once: a backup that can't be read is none.
pg_restore --file=/dev/null "$file.unfinished"
sync "$file.unfinished"
mv "$file.unfinished" "$file"
echo "backup: $file, $(($(wc -c < "$file"))) bytes"

# The names sort by time.
find "$BACKUPS" -maxdepth 1 -name "$PGDATABASE-*.dump" | sort -r | tail -n "+$((BACKUPS_KEPT + 1))" |
  while read -r old; do
    echo "backup: removing $old, than which there are $BACKUPS_KEPT newer ones"
    rm "$old"
  done

# Postgres reads its certificate when it is told to; cert-manager has a new one every two months.
psql --no-psqlrc --quiet --dbname=postgres --output=/dev/null --command='select pg_reload_conf()'
