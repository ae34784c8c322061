#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version. Fails if it says nothing, or if package.json has another
# version.
#
#   release-notes.sh TAG      v0.1.0
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1#v}
packaged=$(node -p "require('./package.json').version")
if [[ $version != "$packaged" ]]; then
  echo "release-notes.sh: the tag says $version, but package.json says $packaged" >&2
  exit 1
fi
notes=$(awk -v version="$version" '/^## / { inside = $2 == version; next } inside' CHANGELOG.md)
if [[ -z ${notes//[[:space:]]/} ]]; then
  echo "release-notes.sh: CHANGELOG.md has no section for $version" >&2
  exit 1
fi
printf '%s\n' "$notes"
