#!/usr/bin/env bash
# Measures `imgmill compare` (PSNR and SSIM, RGB and Y) against the same figures in Python: BasicSR's functions,
# scikit-image's, and OpenCV's separable filters in float32, on pairs of the corpus' photos, as whole processes with equal
# workers: time and peak resident memory.
#
# Usage: bench/compare.sh [--runs N] [--workers N] [--pairs N] [--photos FOLDER] [--peers "opencv skimage basicsr"]
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, where bench/peers/setup.sh made the peers' environment and the
# corpus (~/.cache/imgmill-peers).
#
# A pair is a photo of 1600x1066 as PNG and the same as JPEG of quality 60. The runs alternate, since a machine's speed
# drifts; the figures are medians. Memory is that of the largest process; the peers have one more a worker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 workers=2 pairs=40 others="opencv skimage basicsr"
peers=${PEERS:-$HOME/.cache/imgmill-peers}
photos=$peers/corpus/photos
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --workers) workers=$2; shift 2 ;;
    --pairs) pairs=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --peers) others=$2; shift 2 ;;
    *) echo "compare.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
python=$peers/venv/bin/python
[ -x "$imgmill" ] || { echo "compare.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] && [ -d "$photos" ] || { echo "compare.sh: no $python or $photos; run bench/peers/setup.sh" >&2; exit 3; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh

"$python" - "$photos" "$scratch" "$pairs" <<'PYTHON'
import pathlib, sys
import cv2
photos, scratch, pairs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
for side in "ab":
    (scratch / side).mkdir()
for path in sorted(photos.iterdir())[:pairs]:
    image = cv2.imread(str(path))
    cv2.imwrite(str(scratch / "a" / f"{path.stem}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    cv2.imwrite(str(scratch / "b" / f"{path.stem}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 60])
PYTHON
for ((run = 1; run <= runs; ++run)); do
  measure imgmill "$imgmill" compare "$scratch/a" "$scratch/b" --metrics psnr,psnr-y,ssim,ssim-y -j "$workers" \
    --no-catalog --quiet
  for peer in $others; do
    measure "$peer" "$python" -W ignore bench/peers/compare_peers.py "$peer" "$scratch/a" "$scratch/b" --processes "$workers"
  done
done

count=$(find "$scratch/a" -type f | wc -l)
echo "$count pairs, $workers workers, medians of $runs runs:"
echo
echo "| | seconds | pairs/s | peak MiB | imgmill is faster |"
echo "|---|---|---|---|---|"
for name in imgmill $others; do
  awk -v name="$name" -v s="$(median "$name" 1)" -v mib="$(median "$name" 2)" -v n="$count" -v ours="$(median imgmill 1)" 'BEGIN {
    printf "| %s | %.2f | %.1f | %d | %s |\n", name, s, n / s, mib, name == "imgmill" ? "" : sprintf("%.1f times", s / ours)
  }'
done
