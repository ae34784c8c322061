# What the scripts of this folder share: how they speak, which cluster they mean, how they wait. Sourced.
# shellcheck shell=bash

# Every step says what it will do before it does it.
say() { printf '\n==> %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# skaffold names the cluster that it deploys to; by hand it is kubectl's own choice.
k() { kubectl ${SKAFFOLD_KUBE_CONTEXT:+--context "$SKAFFOLD_KUBE_CONTEXT"} "$@"; }

# states KINDS NAMESPACE CONDITION: a line for each object, which `unready` reads.
states() {
  k get "$1" --namespace "$2" --no-headers --output \
    "custom-columns=:.kind,:.metadata.name,:.metadata.generation,:.status.observedGeneration,:.status.conditions[?(@.type==\"$3\")].status"
}

# Names those that don't say True. What says nothing of itself yet is not ready either, and what its
# controller has not looked at since it was changed is not, whatever it says.
unready() { awk '$3 != $4 || $5 != "True" { printf " %s/%s", $1, $2 }'; }

# Stops at once, and names them all, where tools are missing. Docker's daemon must answer too.
need() {
  local tool missing=''
  for tool in "$@"; do
    command -v "$tool" > /dev/null || missing+="  $tool  ($(how_to_get "$tool"))"$'\n'
  done
  [[ -z $missing ]] || fail "these tools are missing:"$'\n'"$missing"
}

how_to_get() {
  case $1 in
    docker) echo 'https://docs.docker.com/get-docker' ;;
    kind) echo 'brew install kind, or https://kind.sigs.k8s.io/docs/user/quick-start/#installation' ;;
    kubectl) echo 'brew install kubectl, or https://kubernetes.io/docs/tasks/tools' ;;
    skaffold) echo 'brew install skaffold, or https://skaffold.dev/docs/install' ;;
    kn) echo 'brew install kn, or https://knative.dev/docs/client/install-kn' ;;
    *) echo 'your package manager has it' ;;
  esac
}
