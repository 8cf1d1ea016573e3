#!/usr/bin/env bash
# Measures what giving freed memory back costs: the same work with `--cache auto`, `every` and `never`, interleaved.
#
# Usage: bench/cache.sh [--runs N] [--jobs N]
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, whose photos bench/peers/setup.sh made
# (~/.cache/imgmill-peers); IMGMILL_TEST_ASSETS (../shared/assets), for the model.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 jobs=$(nproc)
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    *) echo "cache.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=$(realpath "${IMGMILL:-build/release/bin/imgmill}")
peers=${PEERS:-$HOME/.cache/imgmill-peers}
assets=$(realpath "${IMGMILL_TEST_ASSETS:-../shared/assets}")
[ -x "$imgmill" ] || { echo "cache.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -d "$peers/corpus/photos" ] || { echo "cache.sh: run bench/peers/setup.sh first" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh

# Photos of one size beside those of another, so that shapes change from image to image.
mkdir "$scratch/mixed"
find "$peers/corpus/photos" -type f | LC_ALL=C sort | sed -n 1,200p | while read -r f; do ln -s "$f" "$scratch/mixed/"; done
find "$assets/photos/bsds500-val" -name '*.jpg' | while read -r f; do ln -s "$f" "$scratch/mixed/"; done
mkdir "$scratch/small"
find "$assets/photos/bsds500-val" -name '*.jpg' | LC_ALL=C sort | sed -n 1,6p | while read -r f; do ln -s "$f" "$scratch/small/"; done
model=$assets/weights/realesrgan/realesr-animevideov3-x4.pth

names=(filter upscale upscale-model)
filter=("filter" "$scratch/mixed" "--keep" "sharpness>0")
upscale=("upscale" "$scratch/mixed" "--method" "linear" "--scale" "1.2" "--format" "jpg" "-o" "$scratch/out")
upscale_model=("upscale" "$scratch/small" "--model" "$model" "--device" "cpu" "-o" "$scratch/out")
clears() { python3 -c 'import json,sys; m=json.load(open(sys.argv[1]))["memory"]; print(m["clears"], m["clear_ms"])' "$1"; }
for ((run = 0; run < runs; ++run)); do
  for name in "${names[@]}"; do
    declare -n words=${name//-/_}
    for policy in auto every never; do
      rm -rf "$scratch/out"
      measure "$name-$policy" "$imgmill" "${words[@]}" --no-catalog -j "$jobs" --cache $policy --quiet \
        --report "$scratch/report.json"
      clears "$scratch/report.json" >"$scratch/$name-$policy.clears"
    done
  done
done

echo "| command | --cache | seconds | against never | peak MiB | clears | ms a clear | of the run |"
echo "|---|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  for policy in auto every never; do
    read -r count ms <"$scratch/$name-$policy.clears"
    awk -v name="$name" -v policy="$policy" -v s="$(median "$name-$policy" 1)" -v never="$(median "$name-never" 1)" \
      -v mib="$(median "$name-$policy" 2)" -v count="$count" -v ms="$ms" 'BEGIN {
        printf "| %s | %s | %.2f | %.3f | %d | %d | %.3f | %.2f %% |\n", name, policy, s, s / never, mib, count,
          count ? ms / count : 0, ms / 10 / s }'
  done
done
