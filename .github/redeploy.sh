#!/usr/bin/env bash
# Changes a line of one function, deploys it, and asks the cluster for what the line says. Leaves the change in the tree:
# for a checkout that is thrown away.
#
#   redeploy.sh [URL of the front door]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

front_door=${1:-http://front-door.bank.127.0.0.1.sslip.io}
file=functions/identity/refusals.ts
line='Log in again to get a new refresh token.'
changed='Log in again: this refresh token is not valid.'

answer() {
  curl --silent --show-error --max-time 30 "$front_door/api/auth/refresh" --header 'Content-Type: application/json' \
    --data '{"refresh_token":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}'
}

grep -qF "$line" "$file"
answer | grep -F "$line"
sed -i "s/$line/$changed/" "$file"
started=$SECONDS
skaffold run
# The route leads to the new revision a moment after the Service says that it is ready.
until answer | grep -F "$changed"; do
  ((SECONDS < started + 600)) || { echo 'redeploy.sh: the changed line is not served' >&2 && exit 1; }
  sleep 1
done
echo "served $((SECONDS - started)) s after skaffold run began"
