#!/usr/bin/env bash
# Waits until a part of the bank is ready. If it does not get ready in time, says what is wrong. For
# skaffold's hooks.
#
#   wait.sh data | clear-migrations | migrations | monitoring | bank
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

TIMEOUT=${WAIT_TIMEOUT:-600s}

data() {
  local folder context
  for folder in "$(dirname "${BASH_SOURCE[0]}")"/../postgres/*/; do
    context=$(basename "$folder")
    [[ $context != database ]] || continue # The folder that all of them share.
    say "waiting for the $context database"
    k rollout status --namespace data "statefulset/$context-postgres" --timeout "$TIMEOUT" || stuck
  done
  # An installation with a store of its own has none of ours.
  if k get statefulset document-store --namespace data > /dev/null 2>&1; then
    say 'waiting for the store of documents'
    k rollout status --namespace data statefulset/document-store --timeout "$TIMEOUT" || stuck
  fi
  say 'waiting for RabbitMQ'
  k wait --namespace data --for=condition=AllReplicasReady rabbitmqcluster/rabbitmq --timeout "$TIMEOUT" || stuck
  # The policy must be there before the first event: without it RabbitMQ throws an event away that comes back
  # too often.
  k wait --namespace data --for=condition=Ready operatorpolicies.rabbitmq.com --all --timeout "$TIMEOUT" || stuck
}

stuck() {
  k get pods,persistentvolumeclaims,operatorpolicies.rabbitmq.com --namespace data >&2 || true
  fail "the data is not ready; STATUS above says why, 'kubectl describe pods --namespace data' says more"
}

# Each run of skaffold applies the migrations once, even if nothing changed: a database may have been restored
# or made anew since the last run. Later rounds of the same `skaffold dev` apply them only if they changed.
clear_migrations() {
  say 'removing the Job of an earlier run'
  k delete jobs --namespace bank --field-selector metadata.name=migrations --wait \
    --selector "skaffold.dev/run-id!=${SKAFFOLD_RUN_ID:-}"
}

# A failed Job never completes, so this asks for both conditions.
migrations() {
  local state='' end=$((SECONDS + ${TIMEOUT%s}))
  say 'waiting for the migrations'
  while ((SECONDS < end)); do
    state=$(k get job migrations --namespace bank --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
    case $state in
      *Complete*) return ;;
      *Failed*) break ;;
    esac
    sleep 1
  done
  k logs job/migrations --namespace bank --tail 20 >&2 || true
  fail "the migrations did not succeed (${state:-still running}); the lines above are from their log"
}

monitoring() {
  local object
  for object in statefulset/meter deployment/kube-state-metrics deployment/alertmanager deployment/grafana \
    statefulset/jaeger statefulset/loki statefulset/prometheus; do
    running monitoring "$object"
  done
  running node-agents daemonset/fluent-bit
}

running() {
  say "waiting for $2"
  k rollout status --namespace "$1" "$2" --timeout "$TIMEOUT" && return
  k get pods --namespace "$1" >&2 || true
  fail "$2 is not ready; STATUS above says why, 'kubectl describe pods --namespace $1' says more"
}

bank() {
  say 'waiting for the Broker, every function, Triggers and PingSources'
  soon all_ready || {
    ready broker default
    ready ksvc --all
    ready trigger --all
    ready pingsource --all
  }
  say 'the bank is ready'
  k get ksvc --namespace bank
  k get domainmapping --namespace bank
}

# After a changed line, all parts are ready at once. Then one question is enough; kubectl wait asks for each
# object.
all_ready() {
  local seen
  seen=$(states ksvc,brokers,triggers,pingsources bank Ready 2> /dev/null) && [[ -n $seen && -z $(unready <<< "$seen") ]]
}

soon() {
  for _ in {1..10}; do
    "$@" && return
    sleep "${RETRY_SECONDS:-0.3}"
  done
  return 1
}

# Waits for objects. If one is not ready in time, shows its status.
ready() {
  if ! k wait --namespace bank --for=condition=Ready "$@" --timeout "$TIMEOUT"; then
    k get "$1" --namespace bank >&2 || true
    fail "not every $1 is ready; REASON above says why, 'kubectl describe $1 --namespace bank' says more"
  fi
}

case ${1:-} in
  data) data ;;
  clear-migrations) clear_migrations ;;
  migrations) migrations ;;
  monitoring) monitoring ;;
  bank) bank ;;
  *) fail "expected data, clear-migrations, migrations, monitoring or bank, not '${1:-}'" ;;
esac
