#!/usr/bin/env bash
# Restores the database of a context from a backup, in a Job like the nightly one but with the other script.
#
#   restore.sh CONTEXT FILE      FILE is the name of a backup, or "latest"
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

context=${1:-} backup=${2:-}
[[ $context =~ ^[a-z]+$ && $backup =~ ^[A-Za-z0-9.-]+$ ]] || fail 'expected a context and the name of a backup, or latest'
need kubectl

job=$context-restore-$(date +%s)
say "restoring the $context database from $backup, in the Job $job"
k create job "$job" --namespace data --from "cronjob/$context-backup" --dry-run=client --output json |
  k patch --local --filename - --type json --output json --patch "[
    { \"op\": \"replace\", \"path\": \"/spec/backoffLimit\", \"value\": 0 },
    { \"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/command\",
      \"value\": [\"bash\", \"/etc/postgresql/files/restore.sh\", \"$backup\"] }
  ]" |
  k create --filename - > /dev/null

state=''
while [[ $state != *Complete* && $state != *Failed* ]]; do
  sleep "${POLL_SECONDS:-1}"
  state=$(k get job "$job" --namespace data --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
done
k logs "job/$job" --namespace data || true
[[ $state == *Complete* ]] || fail 'the restore failed; the database is as it was'

# The functions' prepared statements name types and tables that are gone. New pods start with the next
# requests.
say "restarting the functions of $context"
k delete pods --namespace bank --selector "microbank.dev/context=$context,serving.knative.dev/service" --wait=false
