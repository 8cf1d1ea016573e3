#!/usr/bin/env bash
# Measures whether memory creeps up: 10,000 small images through each command, and the slope of resident memory in the
# second half of the run, in bytes an image. Fails above 1 KiB, or if a leak is told.
#
# Usage: bench/memory-slope.sh [--images N] [--jobs N]
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, whose photos bench/peers/setup.sh made. The small images are
# tiles of 256 pixels that imgmill cuts from them, in a folder of its own (some 150 MB).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

images=10000 jobs=$(nproc)
while [ $# -gt 0 ]; do
  case "$1" in
    --images) images=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    *) echo "memory-slope.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=$(realpath "${IMGMILL:-build/release/bin/imgmill}")
photos=${PEERS:-$HOME/.cache/imgmill-peers}/corpus/photos
[ -x "$imgmill" ] || { echo "memory-slope.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -d "$photos" ] || { echo "memory-slope.sh: run bench/peers/setup.sh first" >&2; exit 3; }
scratch=$(mktemp -d -p "${TMPDIR:-/dev/shm}")  # what is published is synced to disk: that is not measured here
trap 'rm -rf "$scratch"' EXIT

# 35 tiles a photo; names below one folder.
mkdir "$scratch/photos" "$scratch/small"
find "$photos" -type f | LC_ALL=C sort | sed -n "1,$((images / 35 + 1))p" | while read -r f; do ln -s "$f" "$scratch/photos/"; done
"$imgmill" tile "$scratch/photos" --size 256 --format jpg -o "$scratch/tiles" --no-catalog --quiet >/dev/null
find "$scratch/tiles" -name '*.jpg' | LC_ALL=C sort | sed -n "1,${images}p" | xargs mv -t "$scratch/small"
rm -rf "$scratch/tiles"

cat >"$scratch/slope.py" <<'PYTHON'
import json, sys
name, path, log = sys.argv[1:]
report = json.load(open(path))
moments = report["history"]["moments"]
half = [m for m in moments if m["ms"] > moments[-1]["ms"] / 2]
t, r = [m["ms"] for m in half], [m["resident"] for m in half]
tm, rm = sum(t) / len(t), sum(r) / len(r)
slope = sum((a - tm) * (b - rm) for a, b in zip(t, r)) / sum((a - tm) ** 2 for a in t)
an_image = slope * (t[-1] - t[0]) / (report["listed"] / 2)
leak = "may leak" in open(log).read()
print(f"| {name} | {report['listed']} | {report['history']['peaks']['resident']['bytes'] / 2**20 if 'peaks' in report['history'] else max(r) / 2**20:.0f} | "
      f"{an_image:.0f} | {'yes' if leak else 'no'} |", flush=True)
sys.exit(an_image > 1024 or leak)
PYTHON

status=0
echo "| command | images | peak MiB | bytes an image, second half | leak told |"
echo "|---|---|---|---|---|"
for entry in "dedup --no-catalog" "filter --keep sharpness>0 --no-catalog" "embed --catalog $scratch/catalog" \
  "tile --size 128 --format jpg -o $scratch/out --no-catalog"; do
  # shellcheck disable=SC2086  # a command is several words
  "$imgmill" ${entry%% *} "$scratch/small" ${entry#* } -j "$jobs" --report "$scratch/report.json" \
    >/dev/null 2>"$scratch/log"
  python3 "$scratch/slope.py" "${entry%% *}" "$scratch/report.json" "$scratch/log" || status=1
  rm -rf "$scratch/out"
done
exit $status
