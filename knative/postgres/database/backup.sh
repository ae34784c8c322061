#!/usr/bin/env bash
# Backs up a database to $BACKUPS/<database>-<time>.dump and keeps the newest $BACKUPS_KEPT backups. Fails if
# anything goes wrong. Connects to PGDATABASE with PGHOST, PGUSER and PGPASSWORD.
set -euo pipefail
: "${PGDATABASE:?}" "${BACKUPS:?}" "${BACKUPS_KEPT:?}"

file=$BACKUPS/$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump
trap 'rm -f "$file.unfinished"' EXIT

# The dump is one consistent snapshot, and the bank keeps working meanwhile.
pg_dump --format=custom --file="$file.unfinished"
# Reads the backup to its end once: a backup that can't be read is useless.
pg_restore --file=/dev/null "$file.unfinished"
sync "$file.unfinished"
mv "$file.unfinished" "$file"
echo "backup: $file, $(($(wc -c < "$file"))) bytes"

# The names sort by time, so the oldest come last.
find "$BACKUPS" -maxdepth 1 -name "$PGDATABASE-*.dump" | sort -r | tail -n "+$((BACKUPS_KEPT + 1))" |
  while read -r old; do
    echo "backup: removing $old, because there are $BACKUPS_KEPT newer backups"
    rm "$old"
  done

# Postgres reads its certificate again only when it is told to. cert-manager renews it every two months.
psql --no-psqlrc --quiet --dbname=postgres --output=/dev/null --command='select pg_reload_conf()'
