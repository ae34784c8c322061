# What the scripts of this folder share: messages, the choice of the cluster, and waiting. They source this
# file.
# shellcheck shell=bash

# Each step says what it will do before it does it.
say() { printf '\n==> %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# skaffold names the cluster that it deploys to. A script that is started by hand uses kubectl's current
# context.
k() { kubectl ${SKAFFOLD_KUBE_CONTEXT:+--context "$SKAFFOLD_KUBE_CONTEXT"} "$@"; }

# states KINDS NAMESPACE CONDITION: prints a line for each object; `unready` reads these lines.
states() {
  k get "$1" --namespace "$2" --no-headers --output \
    "custom-columns=:.kind,:.metadata.name,:.metadata.generation,:.status.observedGeneration,:.status.conditions[?(@.type==\"$3\")].status"
}

# Names the objects whose condition is not True. An object without a status yet is not ready. Neither is an
# object that its controller has not looked at since the last change, whatever its condition says.
unready() { awk '$3 != $4 || $5 != "True" { printf " %s/%s", $1, $2 }'; }

# Stops if tools are missing, and names them all.
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
