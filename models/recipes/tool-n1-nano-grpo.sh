#!/usr/bin/env bash
# Does GRPO improve the supervised model? Three seeds with the binary reward, the paper's ablations (partial reward, think tags
# not asked for), and pure GRPO: from a model of the same shape that was taught calls without any reasoning.
#
#   models/recipes/tool-n1-nano-grpo.sh [ARM [THREADS]]      from the repository's root
#
# ARM: data, before, seed-1, seed-2, seed-3, partial, no-think, partial-no-think, pure, report, or all (the default: one after
# the other). Arms are independent, so several may run at once in one checkout; what they share is made once. An arm that was
# stopped or killed goes on when it is started again; what is finished is not done again. "report" takes what is there.
#
# Variables: MODEL (models/tool-n1-nano) to start from, STEPS (60) of GRPO, HELD_OUT (250) rows of each of twelve held-out sets,
# CALLS_STEPS (1500) of supervised training for the pure arm, EXPORT_DTYPE (float32) of the models, DEVICE (cpu), OUT (artifacts/grpo), TOOLN1 (a command; built here where it is not given).
set -euo pipefail
ARM="${1:-all}"
THREADS="${2:-$(nproc)}"
STEPS="${STEPS:-60}"
HELD_OUT="${HELD_OUT:-250}"
CALLS_STEPS="${CALLS_STEPS:-1500}"
EXPORT_DTYPE="${EXPORT_DTYPE:-float32}"
DEVICE="${DEVICE:-cpu}"
OUT="${OUT:-artifacts/grpo}"
MODEL="${MODEL:-models/tool-n1-nano}"
RECIPES=models/recipes
GRPO_ARMS="seed-1 seed-2 seed-3 partial no-think partial-no-think"
export OMP_NUM_THREADS="$THREADS" DOTNET_PROCESSOR_COUNT="$THREADS"
mkdir -p "$OUT"

# One arm at a time makes what all need.
alone() { (flock 9; "$@") 9> "$OUT/.lock"; }

build() { dotnet build -c Release src/ToolN1.Cli > "$OUT/build.log" || { cat "$OUT/build.log" >&2; return 1; }; }
if [ -z "${TOOLN1:-}" ]; then
  alone build
  TOOLN1="dotnet src/ToolN1.Cli/bin/Release/net10.0/tooln1.dll"
fi
tooln1() { $TOOLN1 "$@"; }

# 1. Rows of seeds that the embedded model's training did not see. A folder appears when it is complete.
make_data() {
  local folder="$1" count="$2" seed="$3"
  [ -d "$folder" ] && return
  rm -rf "$folder.tmp"
  tooln1 data synthetic --out "$folder.tmp" --count "$count" --held-out "$HELD_OUT" --seed "$seed" --group 8
  if [ "$folder" = "$OUT/calls-data" ]; then
    sed -i -E 's/"think": "([^"\\]|\\.)*"/"think": ""/' "$folder.tmp"/train-*.jsonl
    ! grep -q '"think": "[^"]' "$folder.tmp"/train-*.jsonl || { echo "Reasoning is left in $folder.tmp." >&2; return 1; }
  fi
  mv "$folder.tmp" "$folder"
}
data() { alone make_data "$OUT/data" 24000 77; }

# 2. Greedy answers to the held-out rows; the table is written last.
evaluate() {
  local name="$1" model="$2"
  [ -f "$OUT/eval-$name/table.md" ] || tooln1 eval synthetic --data "$OUT/data/heldout" --model "$model" --out "$OUT/eval-$name" --dtype float32
}
before() { data; evaluate before "$MODEL"; }

# 3. A run: arm, seed, model, reward.
run() {
  local arm="$1" seed="$2" model="$3" reward="$4" resume="" code=0
  data
  sed -e "s|/NAME|/$arm|" -e "s|artifacts/grpo/|$OUT/|g" -e "s|\"models/tool-n1-nano\"|\"$model\"|" -e "s|\"seed\": 1|\"seed\": $seed|" \
    -e "s|\"steps\": 60|\"steps\": $STEPS|" -e "s|\"device\": \"cpu\"|\"device\": \"$DEVICE\"|" -e "s|\"export_dtype\": \"float32\"|\"export_dtype\": \"$EXPORT_DTYPE\"|" -e "s|  \"loss\"|  \"reward\": $reward,\n  \"loss\"|" \
    "$RECIPES/tool-n1-nano-grpo.json" > "$OUT/$arm.json"
  if [ ! -f "$OUT/$arm/done" ]; then
    [ -z "$(ls "$OUT/$arm/checkpoints" 2>/dev/null)" ] || resume=--resume
    tooln1 train grpo --config "$OUT/$arm.json" $resume || code=$?
    # 2: an alarm ended it, and the best checkpoint is the result.
    [ "$code" -eq 0 ] || [ "$code" -eq 2 ] || return "$code"
    echo "$code" > "$OUT/$arm/done"
  fi
  evaluate "$arm" "$OUT/$arm/model"
}

# 4. Pure GRPO begins with a model that writes empty think tags and calls, since a model that never earned a reward learns nothing.
pure() {
  local resume=""
  data
  alone make_data "$OUT/calls-data" 160000 78
  sed -e "s|artifacts/grpo/|$OUT/|g" -e "s|\"steps\": 1500|\"steps\": $CALLS_STEPS|" "$RECIPES/tool-n1-nano-calls.json" > "$OUT/calls.json"
  if [ ! -d "$OUT/calls/model" ]; then
    [ -z "$(ls "$OUT/calls/checkpoints" 2>/dev/null)" ] || resume=--resume
    tooln1 train sft --config "$OUT/calls.json" $resume
  fi
  evaluate calls "$OUT/calls/model"
  run pure 1 "$OUT/calls/model" '{ "kind": "binary" }'
}

# 5. Tables and plots of what is finished.
report() {
  local metrics=() arm base
  {
    echo "# GRPO from $MODEL: $STEPS steps, $HELD_OUT rows a held-out set"
    echo
    echo "Greedy, f32, exact match by the Tool-N1 reward; percent with 95% Wilson intervals; p by McNemar's exact test."
    for arm in $GRPO_ARMS pure; do
      base=before
      [ "$arm" != pure ] || base=calls
      if [ -f "$OUT/eval-$arm/table.md" ] && [ -f "$OUT/eval-$base/table.md" ]; then
        printf '\n## %s\n\n' "$arm"
        [ "$(cat "$OUT/$arm/done")" = 0 ] || printf 'An alarm ended this run; its best checkpoint was measured.\n\n'
        tooln1 eval compare "$OUT/eval-$base" "$OUT/eval-$arm"
      fi
    done
  } > "$OUT/report.md"
  for arm in $GRPO_ARMS pure; do [ ! -s "$OUT/$arm/metrics.jsonl" ] || metrics+=("$OUT/$arm/metrics.jsonl"); done
  [ ${#metrics[@]} -eq 0 ] || tooln1 train plot --metrics "${metrics[@]}" --out "$OUT/curve.svg"
  cat "$OUT/report.md"
}

arm() {
  case "$1" in
    data | before | pure | report) "$1" ;;
    seed-[0-9]*) run "$1" "${1#seed-}" "$MODEL" '{ "kind": "binary" }' ;;
    partial) run partial 1 "$MODEL" '{ "kind": "partial" }' ;;
    no-think) run no-think 1 "$MODEL" '{ "kind": "binary", "require_think": false }' ;;
    partial-no-think) run partial-no-think 1 "$MODEL" '{ "kind": "partial", "require_think": false }' ;;
    all) for each in before $GRPO_ARMS pure report; do arm "$each"; done ;;
    *) echo "There is no arm '$1'; see the head of this file." >&2; return 1 ;;
  esac
}
arm "$ARM"
