#!/usr/bin/env bash
# Compares two builds of imgmill on the work of the other benchmarks: dedup and filter of 1000 photos with an empty and a
# filled catalog, tile of PNG files of 4000x3000, upscale of 20 photos by a network, as whole processes.
#
# Usage: bench/two-builds.sh OLD NEW [--runs N] [--threads N] [--only NAME]
#   OLD, NEW  the two programs, each beside its own LibTorch module, as build/release/bin/imgmill is
#   --only    dedup, filter, tile or upscale
# Environment: IMGMILL_TEST_ASSETS (../shared/assets); PEERS, where bench/peers/setup.sh made the corpus
# (~/.cache/imgmill-peers) and bench/tile.sh the large pictures.
#
# Each round runs both builds, the one first that was second in the round before, since a machine's speed drifts. A ratio is
# the median of each round's: above 1, the new build is slower or takes more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -ge 2 ] && [ -x "$1" ] && [ -x "$2" ] || { echo "usage: bench/two-builds.sh OLD NEW [--runs N] [--threads N] [--only NAME]" >&2; exit 2; }
old=$(realpath "$1") new=$(realpath "$2"); shift 2
runs=5 threads=2 only=
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    *) echo "two-builds.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
assets=$(realpath "${IMGMILL_TEST_ASSETS:-../shared/assets}")
corpus=${PEERS:-$HOME/.cache/imgmill-peers}/corpus
[ -d "$corpus/photos" ] || { echo "two-builds.sh: no $corpus/photos; run bench/peers/setup.sh" >&2; exit 3; }
[ -d "$corpus/large" ] || { echo "two-builds.sh: no $corpus/large; run bench/tile.sh once" >&2; exit 3; }
model=$assets/weights/realesrgan/realesr-animevideov3-x4.safetensors

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh

one_dedup() {
  rm -rf "$scratch/catalog"
  local pass
  for pass in cold second; do
    measure "dedup-$pass.$1" "$2" dedup "$corpus/photos" --method phash --max-distance 10 -j "$threads" --catalog "$scratch/catalog" \
      --json --quiet
  done
}
one_filter() {
  rm -rf "$scratch/catalog"
  measure "filter-cold.$1" "$2" filter "$corpus/photos" --keep 'blockiness<30' --keep 'sharpness>p5' --export "$scratch/signals.csv" \
    -j "$threads" --catalog "$scratch/catalog" --quiet
  measure "filter-second.$1" "$2" filter "$corpus/photos" --keep 'noise<8' --keep 'sharpness>p10' --export "$scratch/signals.csv" \
    -j "$threads" --catalog "$scratch/catalog" --quiet
}
one_tile() {
  rm -rf "$scratch/tiles"
  measure "tile.$1" "$2" tile "$corpus/large" -o "$scratch/tiles" --size 512 --format jpg --quality 90 -j "$threads" --quiet
}
one_upscale() {
  local files
  mapfile -t files < <(find "$assets/photos/bsds500-val" -name '*.jpg' | sort | head -n 20)
  rm -rf "$scratch/upscaled"
  measure "upscale.$1" "$2" upscale "${files[@]}" -o "$scratch/upscaled" --model "$model" --device cpu -j "$threads" --compression 1 \
    --no-catalog --quiet
}

find "$corpus/photos" "$corpus/large" -type f -exec cat {} + >/dev/null  # nobody pays for a cold disk
for work in dedup filter tile upscale; do
  [ -z "$only" ] || [ "$only" = "$work" ] || continue
  for ((run = 1; run <= runs; ++run)); do
    order=(old new)
    [ $((run % 2)) = 1 ] || order=(new old)
    for which in "${order[@]}"; do "one_$work" "$which" "${!which}"; done
  done
done

# ratio NAME COLUMN: the median of new / old over the rounds
ratio() {
  paste "$scratch/$1.old.runs" "$scratch/$1.new.runs" | awk '{ print $3 / $1, $4 / $2 }' >"$scratch/$1.ratio.runs"
  median "$1.ratio" "$2"
}
echo "Medians of $runs runs, $threads threads:"
echo
echo "| | old, seconds | new, seconds | new / old | old, peak MiB | new, peak MiB | new / old |"
echo "|---|---|---|---|---|---|---|"
for name in dedup-cold dedup-second filter-cold filter-second tile upscale; do
  [ -f "$scratch/$name.new.runs" ] || continue
  awk -v name="$name" -v a="$(median "$name.old" 1)" -v b="$(median "$name.new" 1)" -v r="$(ratio "$name" 1)" \
    -v m="$(median "$name.old" 2)" -v n="$(median "$name.new" 2)" -v q="$(ratio "$name" 2)" \
    'BEGIN { printf "| %s | %.2f | %.2f | %.3f | %d | %d | %.2f |\n", name, a, b, r, m, n, q }'
done
