#!/usr/bin/env bash
# Measures how fast PNG is written and read: in one process next to OpenCV (libpng), with the same images in memory; and
# as whole processes, `imgmill upscale` by a classical kernel, next to an earlier build.
#
# Usage: bench/png.sh [--runs N] [--old PROGRAM]
#   --old  an earlier build's imgmill
# Environment: IMGMILL (build/release/bin/imgmill, with png_perftest beside it: cmake --build build/release --target
# png_perftest); IMGMILL_TEST_ASSETS (../shared/assets); PEERS, where bench/peers/setup.sh made the peers' environment and
# the corpus (~/.cache/imgmill-peers).
#
# One picture of 96 megapixels (a photo enlarged), and 100 photos of 481x321, at level 1 on one and on two cores, and at
# level 6. Runs alternate; a ratio is the median of each round's. Files are written to memory and read back: OpenCV
# and Pillow must see the pixels.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 old=
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --old) old=$2; shift 2 ;;
    *) echo "png.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
perftest=$(dirname "$imgmill")/png_perftest
peers=${PEERS:-$HOME/.cache/imgmill-peers}
python=$peers/venv/bin/python
photos=${IMGMILL_TEST_ASSETS:-../shared/assets}/photos/bsds500-val
[ -x "$perftest" ] || { echo "png.sh: no $perftest; build it (target png_perftest)" >&2; exit 3; }
[ -x "$python" ] && [ -d "$peers/corpus/photos" ] || { echo "png.sh: no $python or corpus; run bench/peers/setup.sh" >&2; exit 3; }

scratch=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh

photo=$(find "$peers/corpus/photos" -name '*.jpg' | sort | sed -n 4p)
"$python" - "$photo" "$scratch" <<'PYTHON'
import sys
import cv2
image = cv2.imread(sys.argv[1])
cv2.imwrite(sys.argv[2] + "/6000.jpg", cv2.resize(image, (6000, 4000), interpolation=cv2.INTER_LANCZOS4), [cv2.IMWRITE_JPEG_QUALITY, 92])
cv2.imwrite(sys.argv[2] + "/large.ppm", cv2.resize(image, (12000, 8000), interpolation=cv2.INTER_LANCZOS4))
PYTHON

echo "In memory, level 1:"
taskset -c 0 "$perftest" "$scratch/one" "$runs" 1 1 "$scratch/large.ppm"
taskset -c 0,1 "$perftest" "$scratch/two" "$runs" 2 1 "$scratch/large.ppm"
rm -rf "$scratch/one" "$scratch/two"
taskset -c 0 "$perftest" "$scratch/one" "$runs" 1 1 "$photos"/*.jpg
taskset -c 0,1 "$perftest" "$scratch/two" "$runs" 2 1 "$photos"/*.jpg
"$python" - "$scratch/one/imgmill" "$scratch/one/opencv" <<'PYTHON'
import pathlib, sys
import numpy as np
from PIL import Image
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    ours = np.asarray(Image.open(path))
    # The peer was given the same bytes as blue, green, red.
    others = np.asarray(Image.open(pathlib.Path(sys.argv[2]) / path.name))[..., ::-1]
    assert (ours == others).all(), path
print("Pillow reads the same pixels out of both programs' files")
PYTHON
rm -rf "$scratch/one" "$scratch/two" "$scratch/large.ppm"
echo "level 6:"
taskset -c 0,1 "$perftest" "$scratch/two" 1 2 6 "$photos"/*.jpg

[ -n "$old" ] || exit 0
one() {  # NAME PROGRAM INPUT THREADS
  rm -rf "$scratch/out"
  measure "$1" "$2" upscale "$3" -o "$scratch/out" --method lanczos3 --scale 2 -j "$4" --no-catalog --quiet
  du -sb "$scratch/out" | cut -f1 >"$scratch/$1.bytes"
}
for what in large folder; do
  input=$scratch/6000.jpg
  [ $what = large ] || input=$photos
  for threads in 1 2; do
    for ((run = 1; run <= runs; ++run)); do
      one "old.$what.$threads" "$old" "$input" "$threads"
      one "new.$what.$threads" "$imgmill" "$input" "$threads"
    done
  done
done
echo
echo "| upscale by lanczos3 x2 | -j | before, seconds | after, seconds | times as fast | before, peak MiB | after, peak MiB | size, after / before |"
echo "|---|---|---|---|---|---|---|---|"
for what in large folder; do
  for threads in 1 2; do
    a=old.$what.$threads b=new.$what.$threads
    paste "$scratch/$a.runs" "$scratch/$b.runs" | awk '{ print $1 / $3, 0 }' >"$scratch/ratio.runs"
    awk -v what=$what -v j=$threads -v a="$(median $a 1)" -v b="$(median $b 1)" -v r="$(median ratio 1)" -v ma="$(median $a 2)" \
      -v mb="$(median $b 2)" -v s="$(cat "$scratch/$b.bytes") $(cat "$scratch/$a.bytes")" \
      'BEGIN { split(s, size); printf "| %s | %d | %.2f | %.2f | %.2f | %d | %d | %.3f |\n", what, j, a, b, r, ma, mb, size[1] / size[2] }'
  done
done
