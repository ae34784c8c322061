#!/usr/bin/env bash
# Shows what runs on the cluster, from the ground up: the platform, the data, the bank. The exit status is 1
# if any of it is not ready.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need kubectl
k get --raw /readyz > /dev/null 2>&1 || fail 'no cluster answers; npm run cluster:up makes one'
k get crd services.serving.knative.dev brokers.eventing.knative.dev rabbitmqclusters.rabbitmq.com > /dev/null 2>&1 ||
  fail 'the platform of the bank is not installed here; npm run cluster:up installs it'

PLATFORM='cert-manager rabbitmq-system knative-serving kourier-system knative-eventing'
say 'the platform'
for namespace in $PLATFORM; do
  k get deployments --namespace "$namespace"
done
say 'data'
k get statefulsets,rabbitmqclusters,operatorpolicies.rabbitmq.com,cronjobs --namespace data
say 'events'
k get brokers,triggers,pingsources --namespace bank
say 'monitoring, if it is installed'
k get deployments,statefulsets --namespace monitoring
k get daemonsets --namespace node-agents
say 'functions'
k get ksvc,domainmappings --namespace bank

# A StatefulSet has no condition for readiness.
unready_statefulsets() {
  k get statefulsets --namespace "$1" --no-headers --output \
    custom-columns=:.kind,:.metadata.name,:.spec.replicas,:.status.readyReplicas |
    awk '$3 != $4 { printf " %s/%s", $1, $2 }'
}

# Nor has a DaemonSet.
unready_daemonsets() {
  k get daemonsets --namespace "$1" --no-headers --output \
    custom-columns=:.kind,:.metadata.name,:.status.desiredNumberScheduled,:.status.numberReady |
    awk '$3 != $4 { printf " %s/%s", $1, $2 }'
}

amiss=$(
  set -e # A subshell does not inherit it.
  for namespace in $PLATFORM monitoring; do states deployments "$namespace" Available | unready; done
  for namespace in data monitoring; do unready_statefulsets "$namespace"; done
  unready_daemonsets node-agents
  states rabbitmqclusters data AllReplicasReady | unready
  states operatorpolicies.rabbitmq.com data Ready | unready
  states ksvc,brokers,triggers,pingsources,domainmappings bank Ready | unready
)
[[ -z $amiss ]] || fail "not ready:$amiss"
[[ -n $(k get ksvc --namespace bank --output name) ]] || fail 'the bank is not on this cluster yet; skaffold run puts it there'
say 'all of it is ready'
