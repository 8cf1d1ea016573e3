#!/usr/bin/env bash
# Measures `imgmill tile` against libvips' dzsave and a loop of Pillow crops: PNG files of 4000x3000 cut into 512 JPEG
# tiles of quality 90 with full chroma, as whole processes with equal threads: speed and peak resident memory.
#
# Usage: bench/tile.sh [--runs N] [--images N] [--threads N] [--pictures FOLDER] [--out FOLDER] [-- MORE OPTIONS OF IMGMILL]
#   --out  where the tiles go and are removed again (a temporary folder). imgmill waits for the disk before it gives a
#          tile its name, the peers leave that to the system.
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets), whose photos the pictures
# are made of; PEERS, where bench/peers/setup.sh made the peers' environment (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; the figures are medians, the ratios medians of each round's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 images=10 threads=2
peers=${PEERS:-$HOME/.cache/imgmill-peers}
pictures=$peers/corpus/large where=
more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --images) images=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --pictures) pictures=$2; shift 2 ;;
    --out) where=$2; shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) echo "tile.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
python=$peers/venv/bin/python
[ -x "$imgmill" ] || { echo "tile.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] || { echo "tile.sh: no $python; run bench/peers/setup.sh" >&2; exit 3; }
"$python" -c 'import pyvips' 2>/dev/null || { echo "tile.sh: no pyvips in $python; run bench/peers/setup.sh" >&2; exit 3; }
if [ ! -d "$pictures" ]; then
  "$python" bench/peers/make_large_pictures.py --photos "$assets/photos/bsds500-val" --out "$pictures" --count "$images"
fi
mapfile -t files < <(find "$pictures" -name '*.png' | sort | head -n "$images")
[ ${#files[@]} -gt 0 ] || { echo "tile.sh: no PNG files in $pictures" >&2; exit 3; }

scratch=$(mktemp -d)
out=$(mktemp -d ${where:+-p "$where"})
trap 'rm -rf "$scratch" "$out"' EXIT

# measure NAME COMMAND...: a line "seconds MiB" into NAME.runs; the tiles are counted and removed.
measure() {
  local name=$1; shift
  rm -rf "$out/tiles"
  if ! /usr/bin/time -f '%e %M' -o "$scratch/time" "$@" >"$scratch/stdout" 2>"$scratch/stderr"; then
    echo "tile.sh: $name failed:" >&2
    tail -n 20 "$scratch/stderr" >&2
    exit 1
  fi
  awk '{ printf "%s %.0f\n", $1, $2 / 1024 }' "$scratch/time" >>"$scratch/$name.runs"
  find "$out/tiles" -name '*.jpg' | wc -l >"$scratch/$name.tiles"
  printf '  %-10s %s s, %s MiB\n' "$name" $(tail -n 1 "$scratch/$name.runs") >&2
}

cat "${files[@]}" >/dev/null  # nobody pays for a cold disk
for ((run = 1; run <= runs; ++run)); do
  measure imgmill "$imgmill" tile "${files[@]}" -o "$out/tiles" --size 512 --format jpg --quality 90 -j "$threads" --quiet \
    "${more[@]}"
  measure dzsave "$python" bench/peers/tile_peers.py dzsave "$out/tiles" "${files[@]}" --threads "$threads"
  measure pillow "$python" bench/peers/tile_peers.py pillow "$out/tiles" "${files[@]}"
done

# median COLUMN, of lines on stdin
median() { awk -v c="$1" '{ print $c }' | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

echo "${#files[@]} PNG of 4000x3000, $threads threads, medians of $runs runs:"
echo
echo "| | seconds | images/s | peak MiB | tiles | imgmill is faster |"
echo "|---|---|---|---|---|---|"
for name in imgmill dzsave pillow; do
  ratio=$(paste "$scratch/$name.runs" "$scratch/imgmill.runs" | awk '{ print $1 / $3 }' | median 1)
  awk -v name="$name" -v s="$(median 1 <"$scratch/$name.runs")" -v mib="$(median 2 <"$scratch/$name.runs")" -v n="${#files[@]}" \
    -v tiles="$(cat "$scratch/$name.tiles")" -v ratio="$ratio" 'BEGIN {
      printf "| %s | %.2f | %.2f | %d | %d | %s |\n", name, s, n / s, mib, tiles, name == "imgmill" ? "" : sprintf("%.2f times", ratio)
    }'
done
