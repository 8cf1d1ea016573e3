#!/usr/bin/env bash
# Measures `imgmill dedup --method phash` against imagededup on 1000 photos of 1600x1066, as whole processes with equal
# workers: time, peak resident memory, and how many of the 200 planted near-duplicates each finds; and how long the JPEG
# library alone takes to decode them to grey at 1/8, where `cmake --build build/release --target jpeg_eighth` made that.
#
# Usage: bench/dedup.sh [--runs N] [--workers N] [--distance N] [--photos FOLDER --truth CSV] [-- MORE OPTIONS OF IMGMILL]
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, where bench/peers/setup.sh made imagededup's environment and
# the corpus (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; the figures are medians. A cold run of imgmill starts with an
# empty catalog, a second one finds the hashes there. The files themselves are in the page cache for both sides, after
# a first reading that is not measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 workers=2 distance=10
peers=${PEERS:-$HOME/.cache/imgmill-peers}
photos=$peers/corpus/photos truth=$peers/corpus/photos_truth.csv
more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --workers) workers=$2; shift 2 ;;
    --distance) distance=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --truth) truth=$2; shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) echo "dedup.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
python=$peers/venv/bin/python
[ -x "$imgmill" ] || { echo "dedup.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] && [ -d "$photos" ] || { echo "dedup.sh: no $python or $photos; run bench/peers/setup.sh" >&2; exit 3; }

decoder=build/release/bin/jpeg_eighth

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

. bench/timing.sh

ours() {
  measure "$1" "$imgmill" dedup "$photos" --method phash --max-distance "$distance" -j "$workers" \
    --catalog "$scratch/catalog" --json --quiet "${more[@]}"
  mv "$scratch/$1.stdout" "$scratch/$1.json"
}

cat "$photos"/* >/dev/null
count=$(find "$photos" -type f | wc -l)
for ((run = 1; run <= runs; ++run)); do
  measure imagededup "$python" -W ignore bench/peers/dedup_imagededup.py "$photos" --workers "$workers" \
    --distance "$distance" --pairs "$scratch/imagededup.csv"
  if [ -x "$decoder" ]; then measure decoder "$decoder" "$photos" "$workers"; fi
  rm -rf "$scratch/catalog"
  ours cold
  ours second
done

echo "$count photos, $workers workers, distance $distance, medians of $runs runs:"
echo
echo "| | seconds | images/s | peak MiB | |"
echo "|---|---|---|---|---|"
row() {
  awk -v name="$1" -v s="$2" -v mib="$3" -v n="$count" -v found="$4" \
    'BEGIN { printf "| %s | %.2f | %.0f | %d | %s |\n", name, s, n / s, mib, found }'
}
score() { "$python" bench/score_pairs.py "$truth" "$1"; }
row imagededup "$(median imagededup 1)" "$(median imagededup 2)" "$(score "$scratch/imagededup.csv")"
row "imgmill, cold" "$(median cold 1)" "$(median cold 2)" "$(score "$scratch/cold.json")"
row "imgmill, second run" "$(median second 1)" "$(median second 2)" "$(score "$scratch/second.json")"
echo
awk -v peer="$(median imagededup 1)" -v cold="$(median cold 1)" -v second="$(median second 1)" 'BEGIN {
  printf "imgmill is %.1f times as fast as imagededup cold, and %.0f times on the second run\n", peer / cold, peer / second
}'
[ -x "$decoder" ] || exit 0
awk -v alone="$(median decoder 1)" -v cold="$(median cold 1)" 'BEGIN {
  printf "libjpeg-turbo alone decodes them at 1/8 in %.2f s: imgmill is %.2f times as fast\n", alone, alone / cold
}'
