#!/usr/bin/env bash
# Restores a database from a backup. Replaces everything in the database in one transaction, so a reader sees
# either all of the old data or all of the new. Connects like backup.sh, as the owner.
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
# Not pg_restore --clean: it leaves tables that are newer than the backup. The commit is sent only if the
# backup could be read to its end. Without a commit, the transaction is rolled back when psql ends.
{
  echo 'begin; drop owned by current_user cascade;'
  pg_restore --file=- "$file"
  # What only the database itself knows how to put right.
  echo "select to_regprocedure('public.after_restore()') is not null as has_more \\gset"
  printf '%s\n' '\if :has_more' 'select public.after_restore();' '\endif'
  echo 'commit;'
} | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null
echo "restore: done"
