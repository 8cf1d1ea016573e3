#!/usr/bin/env bash
# Measures what `imgmill dedup` calls a duplicate, right or wrong, beside imagededup: precision and recall of its methods
# at several thresholds, on
# - 60 photos with 22 edits each, among bursts, neighbouring crops, pages of text and flat pictures
#   (bench/peers/make_edit_corpus.py), and on a second corpus of this kind, by which no threshold was chosen;
# - forms, screens, charts, shirts and photos that are nearly alike and differ in what matters, with copies of each
#   (bench/peers/make_alike_corpus.py), twice likewise;
# - 565 images of 32x32 of which people judged 286 pairs near-duplicates (CIFAR-10).
#
# Usage: bench/dedup-quality.sh [--kinds] [--wrong] [-- MORE OPTIONS OF IMGMILL]
#   --kinds  also how many of each kind of edit are found; --wrong also which links are false
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, where bench/peers/setup.sh made imagededup's environment
# (~/.cache/imgmill-peers); IMGMILL_TEST_ASSETS (../shared/assets).
#
# The corpora and imagededup's hashes stay in PEERS/edits, held-out, alike and alike-held-out: delete them after a
# change to what makes them. About 5 minutes on 2 cores the first time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

more=() shown=()
while [ $# -gt 0 ]; do
  case "$1" in
    --kinds | --wrong) shown+=("$1"); shift ;;
    --) shift; more=("$@"); break ;;
    *) echo "dedup-quality.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
peers=${PEERS:-$HOME/.cache/imgmill-peers}
assets=$(realpath "${IMGMILL_TEST_ASSETS:-../shared/assets}")
python=$peers/venv/bin/python
[ -x "$imgmill" ] || { echo "dedup-quality.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] || { echo "dedup-quality.sh: no $python; run bench/peers/setup.sh" >&2; exit 3; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# make_corpus FOLDER SCRIPT OPTION...: with imagededup's hashes, unless it is there.
make_corpus() {
  local to=$1 script=$2
  shift 2
  [ -f "$to/truth.csv" ] || "$python" "bench/peers/$script" --assets "$assets" --out "$to" "$@"
  [ -f "$to/hashes.csv" ] ||
    "$python" -W ignore bench/peers/hash_imagededup.py "$to/pictures" "$to/hashes.csv" 2>/dev/null
}
corpus=$peers/edits held_out=$peers/held-out
make_corpus "$corpus" make_edit_corpus.py
make_corpus "$held_out" make_edit_corpus.py --held-out
make_corpus "$peers/alike" make_alike_corpus.py
make_corpus "$peers/alike-held-out" make_alike_corpus.py --held-out

# ours FOLDER NAME OPTION...: a report under that name.
reports=()
ours() {
  local folder=$1 name=$2 report
  shift 2
  report=$scratch/${#reports[@]}.json
  "$imgmill" dedup "$folder" --catalog "$scratch/catalog" --json --quiet "$@" "${more[@]}" >"$report"
  reports+=("$name=$report")
}

sweep() {
  reports=()
  ours "$1" "imgmill, as it is"
  for distance in 6 10 12 14 16 20; do ours "$1" "phash, distance $distance" --max-distance $distance; done
  for difference in 0.05 0.15 0.2; do
    ours "$1" "phash, distance 14, difference $difference" --max-distance 14 --max-difference $difference
  done
  for distance in 2 4 10 14; do
    ours "$1" "phash, distance $distance, not verified" --max-distance $distance --no-verify
  done
  for method in dhash ahash whash; do
    for distance in 10 14; do ours "$1" "$method, distance $distance" --method $method --max-distance $distance; done
    ours "$1" "$method, distance 10, not verified" --method $method --max-distance 10 --no-verify
  done
  ours "$1" "dhash, distance 14, --invariant rotate,flip" --method dhash --invariant rotate,flip
  for distance in 31 64 80; do ours "$1" "pdq, distance $distance" --method pdq --max-distance $distance; done
  for distance in 24 40 56; do
    ours "$1" "blockmean, distance $distance" --method blockmean --max-distance $distance
  done
  for distance in 31 40; do
    ours "$1" "pdq, distance $distance, not verified" --method pdq --max-distance $distance --no-verify
  done
  ours "$1" "blockmean, distance 8, not verified" --method blockmean --max-distance 8 --no-verify
  ours "$1" "pdq, distance 80, --invariant rotate,flip" --method pdq --invariant rotate,flip
  for cosine in 0.8 0.9; do
    ours "$1" "embedding, cosine $cosine, not verified" --method embedding --min-similarity $cosine --no-verify
  done
  ours "$1" "phash, distance 14, --invariant rotate,flip" --invariant rotate,flip
  for cosine in 0.7 0.8 0.9; do
    ours "$1" "embedding, cosine $cosine" --method embedding --min-similarity $cosine
  done
}

echo "Edited photos and distractors."
sweep "$corpus/pictures"
"$python" bench/dedup_quality.py "$corpus/truth.csv" "$corpus/pictures" --peers "$corpus/hashes.csv" "${shown[@]}" \
  "${reports[@]}"
echo
echo "The same from other photos, by which nothing was chosen."
rm -rf "$scratch/catalog"
reports=()
ours "$held_out/pictures" "imgmill, as it is"
ours "$held_out/pictures" "--invariant rotate,flip" --invariant rotate,flip
for difference in 0.05 0.15; do
  ours "$held_out/pictures" "difference $difference" --max-difference $difference
done
ours "$held_out/pictures" "not verified" --no-verify
for method in dhash pdq embedding; do ours "$held_out/pictures" "$method" --method $method; done
"$python" bench/dedup_quality.py "$held_out/truth.csv" "$held_out/pictures" --peers "$held_out/hashes.csv" \
  "${shown[@]}" "${reports[@]}"
for alike in alike alike-held-out; do
  echo
  echo "Pictures that are nearly alike ($alike)."
  rm -rf "$scratch/catalog"
  reports=()
  ours "$peers/$alike/pictures" "imgmill, as it is"
  ours "$peers/$alike/pictures" "any colours and places" --max-colour-difference 255 --max-changed 1
  ours "$peers/$alike/pictures" "any colours" --max-colour-difference 255
  ours "$peers/$alike/pictures" "any places" --max-changed 1
  "$python" bench/dedup_quality.py "$peers/$alike/truth.csv" "$peers/$alike/pictures" \
    --peers "$peers/$alike/hashes.csv" "${shown[@]}" "${reports[@]}"
done
echo
echo "Pairs of 32x32 judged by people."
judged=$assets/dedup/cifar10-near-duplicates
rm -rf "$scratch/catalog"
sweep "$judged"
"$python" bench/dedup_quality.py "$judged/pairs.csv" "$judged" "${reports[@]}"
