#!/usr/bin/env bash
# Measures `imgmill tile` on one large picture by itself, with one thread and with several: seconds, CPU seconds and peak
# resident memory of whole processes, medians of the runs. That is what tells how well the threads share one image; for
# folders of images, which are worked on side by side, see bench/tile.sh.
#
# Usage: bench/tile-large.sh [--runs N] [--threads "1 2"] [--formats "jpg png"] [--gigapixel] [--out FOLDER] [-- MORE OPTIONS]
#   --gigapixel  the picture has 30,000x40,000 pixels, a JPEG, in place of 10,000x8,000, a PNG
#   --out        where the tiles go and are removed again (a temporary folder)
# Environment: IMGMILL (build/release/bin/imgmill), a list of programs "NAME=PATH ..." too, which are then compared;
# IMGMILL_TEST_ASSETS (../shared/assets), whose photos the picture is joined of by `vips` (libvips-tools); IMGMILL_LARGE
# (~/.cache/imgmill-peers/large), where it is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 threads="1 2" formats="jpg png" gigapixel= where=
more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --formats) formats=$2; shift 2 ;;
    --gigapixel) gigapixel=1; shift ;;
    --out) where=$2; shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) echo "tile-large.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
programs=${IMGMILL:-build/release/bin/imgmill}
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
kept=${IMGMILL_LARGE:-$HOME/.cache/imgmill-peers/large}
command -v vips >/dev/null || { echo "tile-large.sh: no vips (libvips-tools)" >&2; exit 3; }

mkdir -p "$kept"
picture=$kept/joined.png
if [ ! -f "$picture" ]; then  # 21x25 photos, each upright or not in a square of 481 pixels
  photos=()
  for ((i = 0; i < 6; ++i)); do photos+=("$assets"/photos/bsds500-val/*.jpg); done
  vips arrayjoin "${photos[*]:0:525}" "$kept/all.v" --across 21
  vips crop "$kept/all.v" "$picture" 0 0 10000 8000
  rm "$kept/all.v"
fi
if [ -n "$gigapixel" ]; then
  more+=(--max-pixels 1200000000)
  small=$picture picture=$kept/joined-gigapixel.jpg
  if [ ! -f "$picture" ]; then
    vips replicate "$small" "$picture[Q=90]" 3 5
  fi
fi

scratch=$(mktemp -d)
out=$(mktemp -d ${where:+-p "$where"})
trap 'rm -rf "$scratch" "$out"' EXIT
cat "$picture" >/dev/null  # nobody pays for a cold disk

# median COLUMN, of lines on stdin
median() { awk -v c="$1" '{ print $c }' | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

for ((run = 1; run <= runs; ++run)); do
  for format in $formats; do
    for count in $threads; do
      for program in $programs; do
        name=${program%%=*}; [ "$name" != "$program" ] || name=imgmill
        rm -rf "$out/tiles"
        if ! /usr/bin/time -f '%e %M %U %S' -o "$scratch/time" "${program#*=}" tile "$picture" -o "$out/tiles" --size 512 \
          --format "$format" -j "$count" --quiet "${more[@]}" >"$scratch/stdout" 2>"$scratch/stderr"; then
          tail -n 20 "$scratch/stderr" >&2
          exit 1
        fi
        awk '{ printf "%s %.0f %.2f\n", $1, $2 / 1024, $3 + $4 }' "$scratch/time" >>"$scratch/$format.$count.$name"
        printf '  %s, %s threads, %s: %s s, %s MiB, %s CPU s\n' "$format" "$count" "$name" $(tail -n 1 "$scratch/$format.$count.$name") >&2
      done
    done
  done
done

echo "$(basename "$picture") to tiles of 512 pixels, medians of $runs runs:"
echo
echo "| tiles | threads | program | seconds | CPU s | peak MiB |"
echo "|---|---|---|---|---|---|"
for format in $formats; do
  for count in $threads; do
    for program in $programs; do
      name=${program%%=*}; [ "$name" != "$program" ] || name=imgmill
      of=$scratch/$format.$count.$name
      printf '| %s | %s | %s | %.2f | %.2f | %.0f |\n' "$format" "$count" "$name" "$(median 1 <"$of")" "$(median 3 <"$of")" "$(median 2 <"$of")"
    done
  done
done
