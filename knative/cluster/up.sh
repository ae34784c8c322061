#!/usr/bin/env bash
# Makes a cluster on this computer (kind) and installs what the bank needs. Waits for each part before it
# installs the next. May be run again after a failure, or to change versions: it keeps what exists and brings
# it up to date.
#
#   up.sh                  a kind cluster named microbank
#   up.sh --here           no kind: the cluster that kubectl points to
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=versions.env
source "$here/versions.env"

GITHUB=${GITHUB_URL:-https://github.com}

make_cluster() {
  docker info > /dev/null 2>&1 || fail 'Docker is installed but does not answer; start it and run this again'
  if kind get clusters 2> /dev/null | grep -qx microbank; then
    say 'the kind cluster microbank exists'
  else
    say 'making the kind cluster microbank: three machines in Docker, a minute or two'
    kind create cluster --config "$here/kind.yaml" --image "$KIND_NODE" --wait 180s
  fi
  kubectl config use-context kind-microbank > /dev/null
}

# Older API servers do not know the kind in broker-pods.yaml.
check_version() {
  local minor
  minor=$(kubectl get --raw /version | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
  ((minor >= KUBERNETES_MINOR)) || fail "this cluster is Kubernetes 1.$minor; the bank needs 1.$KUBERNETES_MINOR or newer"
}

# What is installed requests this many thousandths of a processor before the bank itself runs
# (docs/cluster.md). With fewer, pods stay Pending. Two machines of kind take pods, and each counts all
# processors of Docker.
REQUESTED=7000
check_processors() {
  local have
  if [[ ${1:-} == --here ]]; then
    have=$(kubectl get nodes --no-headers --output custom-columns=:.status.allocatable.cpu)
  else
    have=$(docker info --format '{{.NCPU}}')
    have+=$'\n'$have
  fi
  have=$(awk '/m$/ { sum += $1 } /^[0-9.]+$/ { sum += $1 * 1000 } END { print int(sum) }' <<< "$have")
  ((have >= REQUESTED)) || echo "warning: this cluster has only $have thousandths of a processor, and what is installed requests
about $REQUESTED. Pods that don't fit stay Pending ('Insufficient cpu'). Give Docker four processors, or the cluster seven." >&2
}

# NAME NAMESPACE URL...: applies the files at the URLs, then waits for every Deployment of the namespace. It
# applies them on the server's side, because some objects are too large for the annotation that kubectl would
# add.
install() {
  local name=$1 namespace=$2 url
  shift 2
  say "installing $name"
  for url in "$@"; do
    # Objects of a kind that was just created may be refused once.
    retry kubectl apply --server-side --force-conflicts --filename "$url" > /dev/null
  done
  kubectl wait --namespace "$namespace" --for=condition=Available deployment --all --timeout 300s
}

retry() {
  local attempt
  for attempt in 1 2 3 4 5; do
    "$@" && return
    ((attempt < 5)) && echo "that failed; again in $((attempt * 3)) s" >&2 && sleep "${RETRY_SECONDS:-$((attempt * 3))}"
  done
  fail "gave up after five tries: $*"
}

# NAMESPACE FILE: patches each ConfigMap that the file names. Its top-level keys are names, the lines below are data.
configure() {
  local namespace=$1 file=$2 name said
  say "configuring $namespace"
  while read -r name; do
    said=$(kubectl patch configmap "$name" --namespace "$namespace" --type merge --patch "$(
      printf 'data:\n'
      sed -n "/^$name:/,/^[a-z]/p" "$file" | grep -E '^  [a-z]'
    )")
    echo "$said"
    # This one is read only when a part starts.
    if [[ $name == config-observability && $said != *'(no change)'* ]]; then
      kubectl rollout restart deployment --namespace "$namespace"
    fi
  done < <(sed -n 's/^\([a-z-]*\):$/\1/p' "$file")
}

# Only on kind: host names that lead to this computer, and a Kourier that listens on its ports.
configure_for_kind() {
  say 'functions will be at http://<function>.bank.127.0.0.1.sslip.io'
  kubectl patch configmap config-domain --namespace knative-serving --type merge --patch '{"data":{"127.0.0.1.sslip.io":""}}'
  kubectl patch service kourier --namespace kourier-system --patch-file "$here/kourier-node-port.yaml"
}

# On every other cluster the load balancer must keep the client's address.
configure_load_balancer() {
  kubectl patch service kourier --namespace kourier-system --patch-file "$here/kourier-load-balancer.yaml"
}

case ${1:-} in
  '')
    need docker kind kubectl
    make_cluster
    ;;
  --here) need kubectl ;;
  *) fail "expected --here or nothing, not '$1'" ;;
esac
check_version
check_processors "$@"

install 'cert-manager' cert-manager "$GITHUB/cert-manager/cert-manager/releases/download/$CERT_MANAGER/cert-manager.yaml"
install 'the RabbitMQ cluster operator' rabbitmq-system \
  "$GITHUB/rabbitmq/cluster-operator/releases/download/$RABBITMQ_CLUSTER_OPERATOR/cluster-operator.yml"
install 'the RabbitMQ topology operator' rabbitmq-system \
  "$GITHUB/rabbitmq/messaging-topology-operator/releases/download/$RABBITMQ_TOPOLOGY_OPERATOR/messaging-topology-operator-with-certmanager.yaml"
install 'Knative Serving' knative-serving \
  "$GITHUB/knative/serving/releases/download/$KNATIVE_SERVING/serving-crds.yaml" \
  "$GITHUB/knative/serving/releases/download/$KNATIVE_SERVING/serving-core.yaml"
install 'Kourier' kourier-system \
  "$GITHUB/knative-extensions/net-kourier/releases/download/$NET_KOURIER/kourier.yaml"
configure knative-serving "$here/serving-config.yaml"
if [[ ${1:-} == --here ]]; then configure_load_balancer; else configure_for_kind; fi
install 'Knative Eventing' knative-eventing \
  "$GITHUB/knative/eventing/releases/download/$KNATIVE_EVENTING/eventing-crds.yaml" \
  "$GITHUB/knative/eventing/releases/download/$KNATIVE_EVENTING/eventing-core.yaml"
configure knative-eventing "$here/eventing-config.yaml"
install 'the RabbitMQ Broker' knative-eventing \
  "$GITHUB/knative-extensions/eventing-rabbitmq/releases/download/$EVENTING_RABBITMQ/rabbitmq-broker.yaml"
say "making the Broker's pods pass Pod Security restricted"
kubectl apply --filename "$here/broker-pods.yaml"
say 'making the namespaces, passwords and keys of the bank'
node "$here/secrets.mjs"

say 'the cluster is ready; now: skaffold dev'
command -v skaffold > /dev/null || echo "skaffold is missing: $(how_to_get skaffold)"
