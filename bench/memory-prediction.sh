#!/usr/bin/env bash
# Measures how well memory is predicted: each image is worked on alone, its peak of resident memory watched, and set
# beside what was predicted for it before it was decoded.
#
# Usage: bench/memory-prediction.sh [--pictures FOLDER] [--only OPERATION]... [--details]
#   --details  also the ten worst predictions of each row
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets) for photos and weights; PEERS,
# where bench/peers/setup.sh made an environment with pyvips (~/.cache/imgmill-peers), which draws the pictures once:
# photos of 64x64 to 12 megapixels, upright and lying, in each format and variant whose decoding costs differently.
#
# Three rows an operation, all of them predictions made before the image was read:
#   cold    nothing is known; formulas, corrected as images of the same kind come by
#   shapes  known are half of the sizes of each kind; the other half is predicted
#   warm    each kind and size was seen by an earlier run
# "process" is the peak of the whole process, which is what the budget is about; "own" is what the image alone added,
# for images that added more than 8 MiB. The kernel counts pages in batches of up to 64 a thread, so below that "own" is
# mostly its rounding. "too low" is the worst prediction on that side.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

peers=${PEERS:-$HOME/.cache/imgmill-peers}
pictures=$peers/corpus/mixed details= only=()
while [ $# -gt 0 ]; do
  case "$1" in
    --pictures) pictures=$2; shift 2 ;;
    --only) only+=("$2"); shift 2 ;;
    --details) details=--details; shift ;;
    *) echo "memory-prediction.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
[ -x "$imgmill" ] || { echo "memory-prediction.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
if [ ! -d "$pictures" ]; then
  "$peers/venv/bin/python" bench/peers/make_mixed_sizes.py --photos "$assets/photos/bsds500-val" --out "$pictures"
fi
# Tiles are flushed one by one: on a disk that would be most of the time.
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$scratch"' EXIT

# run REPORT ARGUMENTS...: the catalog is kept from run to run.
run() {
  local report=$1; shift
  rm -rf "$scratch/out"
  "$imgmill" "$@" --catalog "$scratch/catalog" --force --watch-memory -j1 --quiet --report "$report" >/dev/null || true
}

# measure OPERATION COMMAND ARGUMENTS...
measure() {
  local operation=$1; shift
  [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $operation "* ]] || return 0
  rm -rf "$scratch/catalog"
  run "$scratch/cold.json" "$@"
  run "$scratch/warm.json" "$@"
  rm -rf "$scratch/catalog"
  run "$scratch/learn.json" "$@" --include '*_0064x*' --include '*_0320x*' --include '*_0640x*' --include '*_1600x*' \
    --include '*_2048x*' --include '*_4000x*'
  run "$scratch/shapes.json" "$@" --exclude '*_0064x*' --exclude '*_0320x*' --exclude '*_0640x*' --exclude '*_1600x*' \
    --exclude '*_2048x*' --exclude '*_4000x*'
  for row in cold shapes warm; do
    python3 bench/prediction_error.py "$operation" $row "$scratch/$row.json" $details
  done
}

echo "| operation | | images | process within 5 % | too low | too high | own > 8 MiB | within 5 % | too low | too high |"
echo "|---|---|---|---|---|---|---|---|---|---|"
measure dedup dedup "$pictures" --decode full
measure dedup-scaled dedup "$pictures" --decode scaled
measure filter filter "$pictures" --keep 'sharpness>p10' --keep 'blockiness<p90' --dry-run
measure tile tile "$pictures" --size 256 --edge pad -o "$scratch/out"
measure embed embed "$pictures"
measure upscale upscale "$pictures" --method lanczos3 --scale 1.5 --format png -o "$scratch/out"
script=$(find "$assets/weights/torchscript" -name 'mobilenet_v1*.pt' 2>/dev/null | head -n 1)
if [ -n "$script" ]; then
  measure embed-model embed "$pictures" --model "$script" --scale 1/127.5 --shift -1 --device cpu
fi
weights=$assets/weights/realesrgan/realesr-animevideov3-x4.safetensors
if [ -f "$weights" ]; then
  # Larger ones take minutes each, and their tiles are of the same sizes.
  mapfile -t small < <(find "$pictures" -name '*_0[0-9][0-9][0-9]x0*' | sort)
  measure upscale-model upscale "${small[@]}" --model "$weights" --device cpu -o "$scratch/out"
fi
