#!/usr/bin/env bash
# Writes states, events and logs of a cluster into a folder, to find out why the cluster is not as it should
# be. It writes no Secret.
#
#   cluster-report.sh FOLDER
set -uo pipefail

folder=${1:?expected a folder}
mkdir -p "$folder/logs"
NAMESPACES='bank data monitoring cert-manager rabbitmq-system knative-serving kourier-system knative-eventing'
KNATIVE=ksvc,configurations,revisions,routes,ingresses.networking.internal.knative.dev,domainmappings
EVENTING=brokers,triggers,pingsources,rabbitmqbrokerconfigs
RABBITMQ=rabbitmqclusters,queues,exchanges,bindings,policies.rabbitmq.com,operatorpolicies.rabbitmq.com

# A command may fail because what it asks for is missing; that may be the very fault to find.
to() {
  local file=$1
  shift
  printf '$ %s\n' "$*" >> "$folder/$file"
  "$@" >> "$folder/$file" 2>&1 || true
}

to nodes.txt kubectl get nodes --output wide
to nodes.txt kubectl describe nodes
to pods.txt kubectl get pods --all-namespaces --output wide
to events.txt kubectl get events --all-namespaces --sort-by .lastTimestamp
to knative.txt kubectl get "$KNATIVE,$EVENTING" --all-namespaces
to knative.yaml kubectl get "$KNATIVE,$EVENTING" --all-namespaces --output yaml
to rabbitmq.txt kubectl get "$RABBITMQ" --all-namespaces
to rabbitmq.yaml kubectl get "$RABBITMQ" --all-namespaces --output yaml
to data.txt kubectl get statefulsets,persistentvolumeclaims,jobs,cronjobs,certificates --all-namespaces
to policies.txt kubectl get networkpolicies,mutatingadmissionpolicies,namespaces --all-namespaces --show-labels
for namespace in $NAMESPACES; do
  to "describe-$namespace.txt" kubectl describe pods --namespace "$namespace"
  kubectl get pods --namespace "$namespace" --output name 2> /dev/null | while read -r pod; do
    to "logs/$namespace-${pod#pod/}.txt" kubectl logs --namespace "$namespace" "$pod" --all-containers --prefix --tail 2000
    to "logs/$namespace-${pod#pod/}.before.txt" kubectl logs --namespace "$namespace" "$pod" --all-containers --previous --tail 500
  done
done
