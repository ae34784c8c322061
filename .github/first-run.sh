#!/usr/bin/env bash
# Does what the README promises a newcomer: starts the bank, lets one customer use every part of it, and stops
# it with Ctrl-C. Run it after npm ci.
#
#   first-run.sh [PORT]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

port=${1:-8080}
log=$(mktemp)
data=$(mktemp -d)
# If this runs as root, Postgres runs as a user of its own, which must be able to enter the folder.
chmod 755 "$data"
# Node is started directly, not by npm, which would keep the signal below for itself.
node knative/local/start.mjs --port "$port" --data "$data" > "$log" 2>&1 &
bank=$!

give_up() {
  echo "first-run.sh: $1; this is what the bank said:" >&2
  # The operator's password is only good for this start. Still, it stays out of the workflow's log.
  sed 's/\(password \)[^ ]*/\1.../' "$log" >&2
  kill -INT "$bank" 2> /dev/null && wait "$bank"
  exit 1
}

deadline=$((SECONDS + 180))
until curl --fail --silent --output /dev/null "http://localhost:$port/health"; do
  kill -0 "$bank" 2> /dev/null || give_up 'the bank has ended'
  ((SECONDS < deadline)) || give_up 'the bank did not open'
  sleep 1
done
grep 'Events ' "$log"
node knative/cluster/smoke.mjs "http://localhost:$port" || give_up 'the smoke test failed'

# In a script, a background process ignores SIGINT (Ctrl-C) unless it asks for it, as the bank does.
kill -INT "$bank"
wait "$bank" || give_up 'the bank did not stop in order'
grep -q '^Stopped' "$log" || give_up 'the bank did not say that it stopped'
rm -r "$log" "$data"
echo 'started, used and stopped'
