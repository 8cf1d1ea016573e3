#!/usr/bin/env bash
# Builds the core-only configuration against the LibTorch of the active python3 (or $LIBTORCH) and runs the device
# tests on this machine's accelerator, each in a process of its own; then, with a program, whole runs of it, and its
# speed beside PyTorch's. Ends with three tables; says "no GPU here" where there is none.
#
# Usage: scripts/gpu-check.sh [--program FOLDER] [--model FILE] [--photos FOLDER] [--count N] [--keep FOLDER] [--dry-run]
#                             [BUILD_FOLDER]
#   --program  what scripts/carry.sh made elsewhere, for this machine's LibTorch; without it there are no whole runs
#   --model    weight file [that of the test assets, in $IMGMILL_TEST_ASSETS or ../shared/assets]
#   --photos   JPEGs [sample_data]
#   --count    images a run [100]
#   --keep     a folder for the report and log of each whole run
#   --dry-run  the whole runs alone, on the CPU and without a neighbour: to try the script where there is no GPU
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build/gpu-check
program=
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
[ -d "$assets" ] || assets=shared/assets
model=$assets/weights/realesrgan/realesr-animevideov3-x4.safetensors
photos=sample_data
count=100
keep=()
dry=0
while [ $# -gt 0 ]; do
  case "$1" in
    --program) program=$2; shift 2 ;;
    --model) model=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --count) count=$2; shift 2 ;;
    --keep) keep=(--keep "$2"); shift 2 ;;
    --dry-run) dry=1; shift ;;
    -*) echo "gpu-check.sh: unknown option $1" >&2; exit 2 ;;
    *) build=$1; shift ;;
  esac
done

whole_runs() {
  scripts/gpu_runs.py --program "$program" --model "$model" --photos "$photos" --count "$count" "${keep[@]}" "$@"
}

if [ $dry = 1 ]; then
  [ -n "$program" ] || { echo "gpu-check.sh: --dry-run needs --program" >&2; exit 2; }
  whole_runs --device cpu:0 --no-neighbour
  echo
  scripts/gpu_bench.py --program "$program" --model "$model" --photos "$photos" --device cpu --count 8 --runs 1
  exit
fi

if [ -z "${LIBTORCH:-}" ]; then
  LIBTORCH=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null || true)
  export LIBTORCH
fi
generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DIMGMILL_CORE_ONLY=ON >&2
cmake --build "$build" -j "$(nproc)" --target test_torch >&2

# A process each: LibTorch is told its limit once a process, and a lost card stays lost.
test=$build/bin/test_torch
log=$build/gpu-check.log
: >"$log"
rows=()
status=0
cases=$("$test" --test-case='accelerator*' --list-test-cases --no-version=true | grep '^accelerator')
while IFS= read -r name; do
  # A comma in a name would separate two filters.
  result=passed
  output=$("$test" --test-case="${name//,/\\,}" --no-path-filenames=true 2>&1) || { result=FAILED; status=1; }
  printf '%s\n' "$output" | tee -a "$log" >&2
  if grep -q 'no GPU here' <<<"$output"; then echo "no GPU here"; exit 0; fi
  rows+=("| ${name#accelerator: } | $result |")
done <<<"$cases"

echo "| device check | result |"
echo "|---|---|"
printf '%s\n' "${rows[@]}"
grep -oE '(largest difference|half precision|output megapixels|cuda:|hip:|xpu:|mps:|a filled card|fragmented|prediction error|20 batches|context|a limit).*' "$log" |
  sed 's/^/| measured | /; s/$/ |/' || true

if [ -n "$program" ]; then
  echo
  whole_runs || status=1
  echo
  scripts/gpu_bench.py --program "$program" --model "$model" --photos "$photos" || status=1
fi
exit "$status"
