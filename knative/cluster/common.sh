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
