#!/usr/bin/env bash
# GRPO on the embedded model: three seeds with held-out exact match before and after, and the paper's ablations at nano
# scale. From the repository's root; some half an hour a run on two cores. STEPS=20 SEEDS=1 ABLATIONS= makes a short try.
set -euo pipefail
STEPS="${STEPS:-300}"
SEEDS="${SEEDS:-1 2 3}"
ABLATIONS="${ABLATIONS-partial no-think partial-no-think}"
HELD_OUT="${HELD_OUT:-250}"
OUT=artifacts/grpo
dotnet build -c Release src/ToolN1.Cli >/dev/null
tooln1() { dotnet src/ToolN1.Cli/bin/Release/net10.0/tooln1.dll "$@"; }

# 1. Data of a seed that the embedded model's training did not see, and its held-out sets.
mkdir -p "$OUT"
[ -d "$OUT/data" ] || tooln1 data synthetic --out "$OUT/data" --count 24000 --held-out "$HELD_OUT" --seed 77

# 2. Before.
[ -d "$OUT/eval-before" ] || tooln1 eval synthetic --data "$OUT/data/heldout" --model models/tool-n1-nano --out "$OUT/eval-before" --dtype float32

# 3. Runs: NAME, seed, reward section. A run that was stopped goes on.
run() {
  local name="$1" seed="$2" reward="$3"
  sed -e "s|NAME|$name|" -e "s|\"seed\": 1|\"seed\": $seed|" -e "s|\"steps\": 300|\"steps\": $STEPS|" -e "s|\"loss\"|\"reward\": $reward,\n  \"loss\"|" \
    models/recipes/tool-n1-nano-grpo.json > "$OUT/$name.json"
  if [ ! -d "$OUT/$name/model" ]; then
    if [ -d "$OUT/$name/checkpoints" ]; then tooln1 train grpo --config "$OUT/$name.json" --resume; else tooln1 train grpo --config "$OUT/$name.json"; fi
  fi
  [ -d "$OUT/eval-$name" ] || tooln1 eval synthetic --data "$OUT/data/heldout" --model "$OUT/$name/model" --out "$OUT/eval-$name" --dtype float32
}

for seed in $SEEDS; do run "seed-$seed" "$seed" '{ "kind": "binary" }'; done
for ablation in $ABLATIONS; do
  case "$ablation" in
    partial) run partial 1 '{ "kind": "partial" }' ;;
    no-think) run no-think 1 '{ "kind": "binary", "require_think": false }' ;;
    partial-no-think) run partial-no-think 1 '{ "kind": "partial", "require_think": false }' ;;
  esac
done

# 4. The tables and the plot.
tooln1 train plot --metrics $(for seed in $SEEDS; do echo "$OUT/seed-$seed/metrics.jsonl"; done) --out "$OUT/curve.svg"
for table in "$OUT"/eval-*/table.md; do echo "== $table"; cat "$table"; done
