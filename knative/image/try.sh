#!/usr/bin/env bash
# Builds the bank's image and runs one of its functions as strictly as a cluster can: not as root, with a
# read-only root file system, without capabilities. Prints the image's size and the time until the first
# answer.
#
#   bash knative/image/try.sh               builds dev.local/microbank:try and tries it
#   bash knative/image/try.sh IMAGE         tries an image that exists
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }

command -v docker > /dev/null || { say "docker is missing: https://docs.docker.com/engine/install"; exit 1; }
docker info > /dev/null 2>&1 || { say "docker is installed, but its daemon does not answer"; exit 1; }

image=${1:-dev.local/microbank:try}
if [ $# -eq 0 ]; then
  say "building $image"
  # Options for docker build, such as --network host.
  read -ra options <<< "${DOCKER_BUILD_OPTIONS:-}"
  docker build --tag "$image" "${options[@]}" .
fi

container=microbank-try-$$
port=$((20000 + RANDOM % 10000))
trap 'docker rm --force "$container" > /dev/null 2>&1 || true' EXIT

say "running the function transfer from $image on port $port: read-only, as user 1000, without capabilities"
# The settings that a Service would give it. Invented values do, because /healthz needs neither the database
# nor a token.
public_key='
  const key = crypto.generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" })
  console.log(JSON.stringify({ keys: [{ ...key, kid: "try", alg: "EdDSA" }] }))'
jwks=$(docker run --rm --network none --entrypoint node "$image" -e "$public_key")
environment=(
  --env PORT="$port"
  --env LEDGER_DATABASE_URL=postgres://ledger@127.0.0.1:1/ledger
  --env JWKS="$jwks"
  --env CALL_KEYS="$jwks"
  --env LEDGER_EVENT_KEY="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
  --env REQUEST_SIGNING_KEY="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
  --env FRONT_DOOR_KEY="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
)
began=$(date +%s%N)
docker run --detach --name "$container" --network host --read-only --user 1000:1000 \
  --cap-drop ALL --security-opt no-new-privileges "${environment[@]}" "$image" transfer > /dev/null

until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/healthz"; do
  if [ $(($(date +%s%N) - began)) -gt 30000000000 ] || [ "$(docker inspect --format '{{.State.Running}}' "$container")" != true ]; then
    say "no answer; the function said:"
    docker logs "$container" >&2
    exit 1
  fi
  sleep 0.005
done
answered=$(date +%s%N)

say "loading the library for images there, and making one: it is no part of a bundle"
docker run --rm --network none --read-only --user 1000:1000 --cap-drop ALL --security-opt no-new-privileges \
  --entrypoint node "$image" -e '
    const sharp = require("sharp")
    sharp({ create: { width: 9, height: 9, channels: 3, background: "red" } }).webp().toBuffer().then(
      ({ length }) => length > 0 || process.exit(1),
      (error) => { console.error(error); process.exit(1) },
    )' || { say "sharp does not load in the image"; exit 1; }

say "stopping it; it has no open requests, so it must end by itself"
docker stop --time 10 "$container" > /dev/null
status=$(docker inspect --format '{{.State.ExitCode}}' "$container")
[ "$status" -eq 0 ] || { say "it ended with status $status instead of 0"; docker logs "$container" >&2; exit 1; }

bytes=$(docker image inspect --format '{{.Size}}' "$image")
printf 'size: %s MB\nfrom docker run to the first 200: %s ms\n' "$((bytes / 1000000))" "$(((answered - began) / 1000000))"
