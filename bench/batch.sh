#!/usr/bin/env bash
# Measures images a second against the micro-batch of a model and against what is in flight, and marks what the program
# chooses by itself: it should be within 5 % of the best.
#
# Usage: bench/batch.sh [--runs N] [--images N] [--only embed|upscale]
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets), for photos and weights;
# PEERS (~/.cache/imgmill-peers), for more photos.
#
# All settings take turns in each round, since a machine's speed drifts; the figures are medians over the rounds.
# Start-up and loading the model are measured by a run on one image and taken off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 images=0 only=
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --images) images=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    *) echo "batch.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
script=$(find "$assets/weights/torchscript" -name 'mobilenet_v1*.pt' 2>/dev/null | head -n 1)
weights=$assets/weights/realesrgan/realesr-animevideov3-x4.safetensors
[ -x "$imgmill" ] || { echo "batch.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
{ [ -n "$script" ] && [ -f "$weights" ]; } || { echo "batch.sh: no weights in $assets" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source bench/timing.sh
# Short runs measure the machine's noise: the corpus of 1000 photos serves where bench/peers/setup.sh made it.
corpus=${PEERS:-$HOME/.cache/imgmill-peers}/corpus/photos
[ -d "$corpus" ] || corpus=$assets/photos/bsds500-val
mapfile -t photos < <(find "$corpus" -name '*.jpg' | sort)

# sweep TITLE COUNT COMMAND...: each of `settings` with COMMAND on COUNT photos; an empty setting is the choice.
sweep() {
  local title=$1 count=$2; shift 2
  local some=("${photos[@]:0:count}") round index name
  rm -f "$scratch"/*.runs
  for ((round = 1; round <= runs; ++round)); do
    for index in "${!settings[@]}"; do
      name=setting$index
      # shellcheck disable=SC2086
      measure "$name" "$imgmill" "$@" ${settings[$index]} "${some[@]}" --no-catalog --force --quiet 2>/dev/null
      # shellcheck disable=SC2086
      measure "$name.one" "$imgmill" "$@" ${settings[$index]} "${some[0]}" --no-catalog --force --quiet 2>/dev/null
    done
  done
  for index in "${!settings[@]}"; do
    awk -v n="$count" -v a="$(median "setting$index" 1)" -v b="$(median "setting$index.one" 1)" \
      -v m="$(median "setting$index" 2)" -v s="${settings[$index]:-chosen}" 'BEGIN { print (n - 1) / (a - b), m, s }'
  done >"$scratch/table"
  echo
  echo "$title ($count photos, $(nproc) cores):"
  echo
  echo "| setting | images/s | of the best | peak MiB |"
  echo "|---|---|---|---|"
  awk '{ if ($1 > best) best = $1; rate[NR] = $1; mib[NR] = $2; sub(/^[^ ]+ [^ ]+ /, ""); name[NR] = $0 }
    END { for (i = 1; i <= NR; ++i) printf "| %s | %.2f | %.0f %% | %d |\n", name[i] == "chosen" ? "**chosen**" : name[i], rate[i], 100 * rate[i] / best, mib[i] }' \
    "$scratch/table"
}

if [ "$only" != upscale ]; then
  embed=(embed --model "$script" --scale 1/127.5 --shift -1 --device cpu --export "$scratch/v.npy")
  settings=("" "--batch 1" "--batch 2" "--batch 4" "--batch 8" "--batch 16" "--batch 32")
  sweep "embed by MobileNet, against the micro-batch" "$([ "$images" -gt 0 ] && echo "$images" || echo 100)" "${embed[@]}"
  settings=("" "--batch-sizing single" "-j 1" "-j 4" "-j 8")
  sweep "embed by MobileNet, against what is in flight" "$([ "$images" -gt 0 ] && echo "$images" || echo 100)" "${embed[@]}"
fi
if [ "$only" != embed ]; then
  upscale=(upscale --model "$weights" --device cpu -o "$scratch/out" --format jpg)
  settings=("" "--batch 1" "--batch 2" "--batch 4")
  sweep "upscale by SRVGGNetCompact x4, against the micro-batch" "$([ "$images" -gt 0 ] && echo "$images" || echo 5)" "${upscale[@]}"
  settings=("" "-j 1" "-j 4")
  sweep "upscale by SRVGGNetCompact x4, against what is in flight" "$([ "$images" -gt 0 ] && echo "$images" || echo 5)" "${upscale[@]}"
fi
