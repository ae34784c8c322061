#!/usr/bin/env bash
# Downloads tools of tools.env for Linux, checks each against its SHA-256, and installs it. The devcontainer
# and the workflows use it. On your own machine your package manager can keep the tools up to date.
#
#   install-tools.sh FOLDER TOOL...      TOOL is kind, kubectl, skaffold or kn
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=tools.env
source "$here/tools.env"

case $(uname -m) in
  x86_64) processor=amd64 ;;
  aarch64 | arm64) processor=arm64 ;;
  *) echo "install-tools.sh: expected x86_64 or arm64, not $(uname -m)" >&2 && exit 1 ;;
esac

address_of() {
  case $1 in
    kind) echo "https://github.com/kubernetes-sigs/kind/releases/download/$KIND/kind-linux-$processor" ;;
    kubectl) echo "https://dl.k8s.io/release/$KUBECTL/bin/linux/$processor/kubectl" ;;
    skaffold) echo "https://storage.googleapis.com/skaffold/releases/$SKAFFOLD/skaffold-linux-$processor" ;;
    kn) echo "https://github.com/knative/client/releases/download/$KN/kn-linux-$processor" ;;
    *) echo "install-tools.sh: expected kind, kubectl, skaffold or kn, not '$1'" >&2 && exit 1 ;;
  esac
}

# Prints the SHA-256 that the release of a tool publishes, for a tool that has none in tools.env.
published_checksum() {
  case $1 in
    skaffold) download "$2.sha256" | awk 'NR == 1 { print $1 }' ;;
    kn) download "${2%/*}/checksums.txt" | awk -v file="${2##*/}" '{ name = $2; sub(/.*\//, "", name) } name == file { print $1 }' ;;
  esac
}

download() { curl --fail --silent --show-error --location --retry 3 "$1"; }

install_tool() {
  local tool=$1 folder=$2 address pinned expected found file
  address=$(address_of "$tool")
  pinned=${tool^^}_$processor
  expected=${!pinned:-$(published_checksum "$tool" "$address")}
  echo "==> installing $tool from $address"
  file=$(mktemp)
  download "$address" > "$file"
  found=$(sha256sum "$file" | cut -d ' ' -f 1)
  if [[ $found != "$expected" ]]; then
    echo "install-tools.sh: expected SHA-256 '$expected' for $tool, got $found" >&2
    exit 1
  fi
  install -m 755 "$file" "$folder/$tool"
  rm "$file"
}

folder=${1:?expected a folder and tools}
shift
mkdir -p "$folder"
for tool in "$@"; do install_tool "$tool" "$folder"; done
