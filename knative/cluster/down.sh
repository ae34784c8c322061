#!/usr/bin/env bash
# Removes the kind cluster and all data of the bank on it. Never touches another cluster.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need docker kind
if kind get clusters 2> /dev/null | grep -qx microbank; then
  say 'removing the kind cluster microbank and everything in it'
  kind delete cluster --name microbank
else
  say 'there is no kind cluster microbank'
fi
