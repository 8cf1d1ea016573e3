#!/usr/bin/env bash
# Measures what one decode for several steps of a pipeline gives: a pipeline whose steps join, against the same steps in
# runs of their own, as whole processes with equal threads and the same files: seconds, and peak resident memory.
#
# Usage: bench/fusion.sh [--runs N] [--threads N] [--pictures FOLDER] [--out FOLDER] [-- MORE OPTIONS OF IMGMILL]
#   --pictures  a folder of images (default: 60 photos of the assets, enlarged by imgmill to JPEG of 1284x1924)
#   --out       where outputs go and are removed again (a temporary folder)
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets).
#
# Each pair of runs starts with empty catalogs and the files in the page cache; which of the two goes first alternates.
# The ratio is the median of the pairs'. Of separate runs, those after filter are given its kept images by --files-from,
# and share its catalog: nothing is digested twice on either side.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 threads=2
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
pictures= where=
more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --pictures) pictures=$2; shift 2 ;;
    --out) where=$2; shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) echo "fusion.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
[ -x "$imgmill" ] || { echo "fusion.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
imgmill=$(realpath "$imgmill")
scratch=$(mktemp -d)
out=$(mktemp -d ${where:+-p "$where"})
trap 'rm -rf "$scratch" "$out"' EXIT

# shellcheck source=bench/timing.sh
. bench/timing.sh

common=(-j "$threads" --quiet "${more[@]}")
keep='sharpness>=1'      # keeps nearly all: what is dropped costs a fused tile step encoding for nothing

# fused NAME DEDUP: one pipeline
fused() {
  rm -rf "$out/fused"
  { echo "input: $pictures"; echo "output: $out/fused"; echo "steps:"
    echo "  - filter: {keep: '$keep'}"
    [ -z "$2" ] || echo "  - dedup: {decode: $2}"
    echo "  - tile: {size: 128, best: 1, format: jpg}"; } >"$scratch/pipeline.yaml"
  measure "$1" "$imgmill" run "$scratch/pipeline.yaml" "${common[@]}"
}

# apart NAME DEDUP: a run for each step, as a script would have them
apart() {
  rm -rf "$out/apart"
  cat >"$scratch/apart.sh" <<'END'
set -euo pipefail
imgmill=$1 pictures=$2 out=$3 keep=$4 dedup=$5; shift 5
mkdir -p "$out"
kept='import json, sys
document = json.load(sys.stdin)
drop = {image["path"] for group in document.get("groups", []) for image in group["images"] if image["path"] != group["keeper"]}
given = document["kept_images"] if "groups" not in document else open(sys.argv[1]).read().splitlines()
print("\n".join(path for path in given if path not in drop))'
"$imgmill" filter "$pictures" --keep "$keep" --catalog "$out/.imgmill" --json "$@" | python3 -c "$kept" - >"$out.list"
if [ -n "$dedup" ]; then
  "$imgmill" dedup --files-from "$out.list" --decode "$dedup" --catalog "$out/.imgmill" --json "$@" |
    python3 -c "$kept" "$out.list" >"$out.left"
  mv "$out.left" "$out.list"
fi
"$imgmill" tile --files-from "$out.list" -o "$out" --catalog "$out/.imgmill" --size 128 --best 1 --format jpg "$@"
END
  measure "$1" bash "$scratch/apart.sh" "$imgmill" "$pictures" "$out/apart" "$keep" "$2" "${common[@]}"
}

# compare NAME DEDUP: both ways, in turns, and a row of the table
compare() {
  for ((run = 1; run <= runs; ++run)); do
    if ((run % 2)); then fused "fused-$1" "$2"; apart "apart-$1" "$2"; else apart "apart-$1" "$2"; fused "fused-$1" "$2"; fi
  done
  local tiles; tiles=$(find "$out/fused/tile" -name '*.jpg' | wc -l)
  [ "$tiles" -eq "$(find "$out/apart" -name '*.jpg' | wc -l)" ] || { echo "fusion.sh: other tiles apart than fused" >&2; exit 1; }
  paste "$scratch/apart-$1.runs" "$scratch/fused-$1.runs" | awk '{ print $1 / $3, 0 }' >"$scratch/ratio-$1.runs"
  printf '| %s | %.2f | %.2f | %.2f | %d | %d | %d |\n' "$1" "$(median "fused-$1" 1)" "$(median "apart-$1" 1)" \
    "$(median "ratio-$1" 1)" "$(median "fused-$1" 2)" "$(median "apart-$1" 2)" "$tiles" >>"$scratch/table"
}

if [ -z "$pictures" ]; then
  pictures=$scratch/pictures
  find "$assets/photos/bsds500-val" -name '*.jpg' | LC_ALL=C sort | head -n 60 |
    "$imgmill" upscale --files-from - -o "$pictures" --method cubic --scale 4 --format jpg --no-catalog --quiet >/dev/null
fi
pictures=$(realpath "$pictures")
find "$pictures" -type f -exec cat {} + >/dev/null  # nobody pays for a cold disk
compare filter+tile ''
compare filter+dedup+tile scaled
compare filter+dedup-full+tile full

echo "$(find "$pictures" -type f | wc -l) pictures, $threads threads, medians of $runs pairs of runs:"
echo
echo "| steps | one pipeline, s | separate runs, s | times as fast | peak MiB | peak MiB apart | tiles |"
echo "|---|---|---|---|---|---|---|"
cat "$scratch/table"
