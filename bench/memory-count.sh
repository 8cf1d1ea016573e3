#!/usr/bin/env bash
# Measures what the number of images does to memory: the peak of resident memory, by the kernel's account, of each
# command over 64x64 images in three numbers, with a report. Fails above 128 MiB.
#
# Usage: bench/memory-count.sh [--counts "10000 100000"] [--commands "filter dedup embed tile match"]
# Environment: IMGMILL (build/release/bin/imgmill); TMPDIR, where the images are made: 4 KiB each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

counts="10000 100000" commands="filter dedup embed tile match"
while [ $# -gt 0 ]; do
  case "$1" in
    --counts) counts=$2; shift 2 ;;
    --commands) commands=$2; shift 2 ;;
    *) echo "memory-count.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=$(realpath "${IMGMILL:-build/release/bin/imgmill}")
[ -x "$imgmill" ] || { echo "memory-count.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/peak.py" <<'PYTHON'
import os, subprocess, sys, time
start = time.time()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(f"{usage.ru_maxrss / 1024:.0f} | {time.time() - start:.0f} |", flush=True)
sys.exit(status != 0 or usage.ru_maxrss > 128 * 1024)
PYTHON

status=0
echo "| command | images | peak MiB | s |"
echo "|---|---|---|---|"
for count in $counts; do
  bench/make_small_images.py "$scratch/$count" "$count"
  for command in $commands; do
    case $command in
      filter) flags="--keep sharpness>p10" ;;
      tile) flags="--size 64 -o $scratch/out" ;;
      match)  # the images are the queries
        [ -d "$scratch/searched" ] || bench/make_small_images.py "$scratch/searched" 2000
        "$imgmill" embed "$scratch/searched" --catalog "$scratch/catalog" --quiet
        flags="" ;;
      *) flags="" ;;
    esac
    printf '| %s | %s | ' "$command" "$count"
    # shellcheck disable=SC2086  # flags are several words
    python3 "$scratch/peak.py" "$imgmill" "$command" "$scratch/$count" $flags --catalog "$scratch/catalog" \
      --report "$scratch/report.json" || status=1
    rm -rf "$scratch/out" "$scratch/catalog"
  done
  rm -rf "${scratch:?}/$count"
done
exit $status
