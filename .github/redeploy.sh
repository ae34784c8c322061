#!/usr/bin/env bash
# Changes a line of one function, deploys it as a developer does, and asks the cluster for the changed line. A
# function that does not contain the line must keep its revision. The change stays in the tree, so use a
# checkout that is thrown away.
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

revision() { kubectl get ksvc "$1" --namespace bank --output 'jsonpath={.status.latestReadyRevisionName}'; }

grep -qF "$line" "$file"
skaffold run -p dev
transfer=$(revision transfer)
answer | grep -F "$line"
sed -i "s/$line/$changed/" "$file"
started=$SECONDS
skaffold run -p dev
# The route leads to the new revision a moment after the Service reports that it is ready.
until answer | grep -F "$changed"; do
  ((SECONDS < started + 600)) || { echo 'redeploy.sh: the changed line is not served' >&2 && exit 1; }
  sleep 1
done
echo "served $((SECONDS - started)) s after skaffold run began"
[[ $(revision transfer) == "$transfer" ]] || { echo 'redeploy.sh: transfer has a new revision' >&2 && exit 1; }
