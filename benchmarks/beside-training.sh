#!/usr/bin/env bash
# Live requests beside a training job: starts a server with the embedded model on a free port, lets streaming clients measure the times to
# and between tokens alone, beside a job and alone once more, and stops it. Exits with 1 where a request failed.
#
#   benchmarks/beside-training.sh [supervised|reinforcement] [options of `tooln1 bench load`]      from the repository's root
#
# For example: benchmarks/beside-training.sh reinforcement --clients 4 --seconds 20
set -euo pipefail
METHOD="${1:-supervised}"
[ $# -eq 0 ] || shift
WORK="$(mktemp -d)"
SERVER=""
finish() {
  [ -z "$SERVER" ] || { kill "$SERVER" 2> /dev/null || true; wait "$SERVER" 2> /dev/null || true; }
  rm -rf "$WORK"
}
trap finish EXIT

for project in Cli Api; do
  dotnet build -c Release "src/ToolN1.$project" > "$WORK/build.log" || { cat "$WORK/build.log" >&2; exit 1; }
done
TOOLN1="dotnet src/ToolN1.Cli/bin/Release/net10.0/tooln1.dll"
$TOOLN1 data synthetic --out "$WORK/rows" --count 240 --seed 77

# A key of this run's own; nobody else can start jobs meanwhile.
TOOLN1_ADMIN_KEY="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
export TOOLN1_ADMIN_KEY
ToolN1__Auth__AdminKeys__0="$TOOLN1_ADMIN_KEY" ToolN1__DataDirectory="$WORK/data" \
  dotnet src/ToolN1.Api/bin/Release/net10.0/ToolN1.Api.dll --urls http://127.0.0.1:0 > "$WORK/server.log" 2>&1 &
SERVER=$!
URL=""
for _ in $(seq 600); do
  URL="$(grep -o 'http://127.0.0.1:[0-9]*' "$WORK/server.log" | head -n 1 || true)"
  [ -z "$URL" ] || break
  kill -0 "$SERVER" 2> /dev/null || break
  sleep 0.1
done
[ -n "$URL" ] || { cat "$WORK/server.log" >&2; exit 1; }
$TOOLN1 bench load --base-url "$URL" --training-file "$WORK/rows/train-1.jsonl" --method "$METHOD" "$@"
