#!/usr/bin/env bash
# Restores a database from a backup: everything in it is replaced by what the backup holds, in one
# transaction, so whoever reads meanwhile sees all of the old or all of the new. Connects like backup.sh, as
# the owner.
#
#   restore.sh FILE      a file in $BACKUPS, or "latest"
set -euo pipefail
: "${PGDATABASE:?}" "${BACKUPS:?}" "${1:?expected the name of a backup, or latest}"

file=$BACKUPS/$1
if [[ $1 == latest ]]; then
  file=$(find "$BACKUPS" -maxdepth 1 -name "$PGDATABASE-*.dump" | sort | tail -n 1)
fi
if [[ ! -f $file ]]; then
  echo "restore: there is no backup '$1' of $PGDATABASE in $BACKUPS" >&2
  exit 1
fi

echo "restore: replacing what is in $PGDATABASE by $file"
# Not pg_restore --clean: that leaves tables which are newer than the backup. The commit comes only where the
# backup could be read to its end; without it, psql's end is a rollback.
{
  echo 'begin; drop owned by current_user cascade;'
  pg_restore --file=- "$file"
  echo 'commit;'
} | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null
echo "restore: done"
