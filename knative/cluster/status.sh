#!/usr/bin/env bash
# What runs on the cluster, from the ground up: what the bank stands on, its data, itself. Exit status 1 where any of it
# is not ready.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need kubectl
k get --raw /readyz > /dev/null 2>&1 || fail 'no cluster answers; npm run cluster:up makes one'

say 'what the bank stands on'
for namespace in cert-manager rabbitmq-system knative-serving kourier-system knative-eventing; do
  k get deployments --namespace "$namespace"
done
say 'data'
k get statefulsets,rabbitmqclusters,cronjobs --namespace data
say 'events'
k get brokers,triggers,pingsources --namespace bank
say 'functions'
k get ksvc,domainmappings --namespace bank

# What says nothing of itself yet is not ready either.
unready=$(k get ksvc,brokers,triggers,pingsources --namespace bank --no-headers --output \
  'custom-columns=:.kind,:.metadata.name,:.status.conditions[?(@.type=="Ready")].status' |
  awk '$3 != "True" { printf " %s/%s", $1, $2 }')
[[ -z $unready ]] || fail "not ready:$unready"
say 'all of it is ready'
