#!/usr/bin/env bash
# Measures `imgmill filter` with all signals of all images against cleanvision's default checks on 1000 photos of 1600x1066,
# as whole processes with equal workers: time and peak resident memory; then memory under a budget of 256 MiB on 200 of the
# photos and a JPEG of 100 megapixels.
#
# Usage: bench/filter.sh [--runs N] [--workers N] [--photos FOLDER] [-- MORE OPTIONS OF IMGMILL]
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, where bench/peers/setup.sh made cleanvision's environment and
# the corpus (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; the figures are medians. A cold run of imgmill starts with an
# empty catalog, a second one has another rule and finds the signals there. The files themselves are in the page cache for
# both sides, after a first reading that is not measured. Memory is that of the largest process: cleanvision has one more a
# worker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 workers=2
peers=${PEERS:-$HOME/.cache/imgmill-peers}
photos=$peers/corpus/photos
more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --workers) workers=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) echo "filter.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
python=$peers/venv/bin/python
[ -x "$imgmill" ] || { echo "filter.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] && [ -d "$photos" ] || { echo "filter.sh: no $python or $photos; run bench/peers/setup.sh" >&2; exit 3; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

. bench/timing.sh

ours() {
  local name=$1; shift
  measure "$name" "$imgmill" filter "$photos" "$@" --export "$scratch/signals.csv" -j "$workers" \
    --catalog "$scratch/catalog" --quiet "${more[@]}"
}

cat "$photos"/* >/dev/null
count=$(find "$photos" -type f | wc -l)
for ((run = 1; run <= runs; ++run)); do
  measure cleanvision "$python" -W ignore bench/peers/filter_cleanvision.py "$photos" --workers "$workers"
  rm -rf "$scratch/catalog"
  ours cold --keep 'blockiness<30' --keep 'sharpness>p5'
  ours second --keep 'noise<8' --keep 'sharpness>p10'
done

echo "$count photos, $workers workers, medians of $runs runs:"
echo
echo "| | seconds | images/s | peak MiB |"
echo "|---|---|---|---|"
row() { awk -v name="$1" -v s="$2" -v mib="$3" -v n="$count" 'BEGIN { printf "| %s | %.2f | %.0f | %d |\n", name, s, n / s, mib }'; }
row cleanvision "$(median cleanvision 1)" "$(median cleanvision 2)"
row "imgmill, cold" "$(median cold 1)" "$(median cold 2)"
row "imgmill, other rules on the same photos" "$(median second 1)" "$(median second 2)"
echo
awk -v peer="$(median cleanvision 1)" -v cold="$(median cold 1)" -v second="$(median second 1)" 'BEGIN {
  printf "imgmill is %.1f times as fast as cleanvision cold, and %.0f times on the second run\n", peer / cold, peer / second
}'

mkdir "$scratch/mixed"
find "$photos" -type f | LC_ALL=C sort | head -n 200 | while read -r photo; do ln -s "$photo" "$scratch/mixed/"; done
"$python" -c 'import sys
from PIL import Image
tile = Image.open(sys.argv[1]).convert("RGB").resize((1000, 1000))
large = Image.new("RGB", (10000, 10000))
for y in range(10):
    for x in range(10):
        large.paste(tile, (1000 * x, 1000 * y))
large.save(sys.argv[2], quality=90)' "$(find "$photos" -type f | LC_ALL=C sort | head -n 1)" "$scratch/mixed/large.jpg"
measure budget "$imgmill" filter "$scratch/mixed" --keep 'sharpness>p10' --memory 256MiB --no-catalog -j "$workers"
echo "200 photos and a JPEG of 100 megapixels under --memory 256MiB: peak $(median budget 2) MiB; $(tail -n 1 "$scratch/budget.stderr")"
