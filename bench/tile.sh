#!/usr/bin/env bash
# Measures `imgmill tile` against libvips' dzsave and a loop of Pillow crops: PNG files of 4000x3000 cut into 512 JPEG
# tiles of quality 90 with full chroma, as whole processes with equal threads: speed, CPU seconds, bytes of the tiles and
# peak resident memory. `vips dzsave`, where there is that program, is run once a picture, as many at once as there are
# threads, of one thread each: the fastest way to use it.
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
peer_names=()
if command -v vips >/dev/null; then peer_names+=(vips); fi
if "$python" -c 'import pyvips' 2>/dev/null; then peer_names+=(dzsave pillow); fi
[ ${#peer_names[@]} -gt 0 ] || { echo "tile.sh: no vips (libvips-tools), and no pyvips in $python; run bench/peers/setup.sh" >&2; exit 3; }
if [ ! -d "$pictures" ]; then
  "$python" bench/peers/make_large_pictures.py --photos "$assets/photos/bsds500-val" --out "$pictures" --count "$images"
fi
mapfile -t files < <(find "$pictures" -name '*.png' | sort | head -n "$images")
[ ${#files[@]} -gt 0 ] || { echo "tile.sh: no PNG files in $pictures" >&2; exit 3; }

scratch=$(mktemp -d)
out=$(mktemp -d ${where:+-p "$where"})
trap 'rm -rf "$scratch" "$out"' EXIT

# vips_dzsave OUT FILE...
vips_dzsave() {
  local to=$1; shift
  mkdir -p "$to"
  printf '%s\0' "$@" | VIPS_CONCURRENCY=1 xargs -0 -P "$threads" -I{} sh -c \
    'vips dzsave "$1[access=sequential]" "$2/$(basename "$1" .png)" --layout google --depth one --tile-size 512 --suffix ".jpg[Q=90]"' - {} "$to"
}
export -f vips_dzsave
export threads

# measure NAME COMMAND...: a line "seconds MiB CPU-seconds" into NAME.runs; the tiles are counted and removed.
measure() {
  local name=$1; shift
  rm -rf "$out/tiles"
  if ! /usr/bin/time -f '%e %M %U %S' -o "$scratch/time" "$@" >"$scratch/stdout" 2>"$scratch/stderr"; then
    echo "tile.sh: $name failed:" >&2
    tail -n 20 "$scratch/stderr" >&2
    exit 1
  fi
  awk '{ printf "%s %.0f %.2f\n", $1, $2 / 1024, $3 + $4 }' "$scratch/time" >>"$scratch/$name.runs"
  find "$out/tiles" -name '*.jpg' -printf '%s\n' | awk '{ sum += $1 } END { print NR, sum / 1e6 }' >"$scratch/$name.tiles"
  printf '  %-10s %s s, %s MiB, %s CPU s\n' "$name" $(tail -n 1 "$scratch/$name.runs") >&2
}

cat "${files[@]}" >/dev/null  # nobody pays for a cold disk
for ((run = 1; run <= runs; ++run)); do
  measure imgmill "$imgmill" tile "${files[@]}" -o "$out/tiles" --size 512 --format jpg --quality 90 -j "$threads" --quiet \
    "${more[@]}"
  for peer in "${peer_names[@]}"; do
    case $peer in
      vips) measure vips bash -c 'vips_dzsave "$@"' - "$out/tiles" "${files[@]}"; continue ;;
      pillow) measure pillow "$python" bench/peers/tile_peers.py pillow "$out/tiles" "${files[@]}"; continue ;;
    esac
    measure dzsave "$python" bench/peers/tile_peers.py dzsave "$out/tiles" "${files[@]}" --threads "$threads"
  done
done

# median COLUMN, of lines on stdin
median() { awk -v c="$1" '{ print $c }' | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

echo "${#files[@]} PNG of 4000x3000, $threads threads, medians of $runs runs:"
echo
echo "| | seconds | images/s | CPU s | peak MiB | tiles | MB of tiles | imgmill is faster |"
echo "|---|---|---|---|---|---|---|---|"
for name in imgmill "${peer_names[@]}"; do
  ratio=$(paste "$scratch/$name.runs" "$scratch/imgmill.runs" | awk '{ print $1 / $4 }' | median 1)
  read -r tiles bytes <"$scratch/$name.tiles"
  awk -v name="$name" -v s="$(median 1 <"$scratch/$name.runs")" -v mib="$(median 2 <"$scratch/$name.runs")" -v n="${#files[@]}" \
    -v cpu="$(median 3 <"$scratch/$name.runs")" -v tiles="$tiles" -v bytes="$bytes" -v ratio="$ratio" 'BEGIN {
      printf "| %s | %.2f | %.2f | %.2f | %d | %d | %.1f | %s |\n", name, s, n / s, cpu, mib, tiles, bytes, name == "imgmill" ? "" : sprintf("%.2f times", ratio)
    }'
done
