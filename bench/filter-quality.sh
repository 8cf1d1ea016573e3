#!/usr/bin/env bash
# How well filter's signals follow what they are meant to measure: ladders made from real photos (JPEG quality, blur, noise,
# exposure, saturation, enlargement, text), the pictures of ../shared/assets/odd/quality-issues, and what cleanvision says of both.
#
# Usage: bench/filter-quality.sh [--photos N]
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS, the folder of test pictures (../shared/assets); PEERS,
# where bench/peers/setup.sh made an environment with Pillow, SciPy and cleanvision (~/.cache/imgmill-peers).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

photos=25
while [ $# -gt 0 ]; do
  case "$1" in
    --photos) photos=$2; shift 2 ;;
    *) echo "filter-quality.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
python=${PEERS:-$HOME/.cache/imgmill-peers}/venv/bin/python
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
[ -x "$imgmill" ] || { echo "filter-quality.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] || { echo "filter-quality.sh: no $python; run bench/peers/setup.sh" >&2; exit 3; }
[ -d "$assets/photos/bsds500-val" ] || { echo "filter-quality.sh: no photos in $assets; set IMGMILL_TEST_ASSETS" >&2; exit 3; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -W ignore bench/filter_quality.py make "$assets/photos/bsds500-val" "$scratch/ladders" --photos "$photos"
"$imgmill" filter "$scratch/ladders" --export "$scratch/ladders.csv" --no-catalog --quiet >"$scratch/list"
"$python" -W ignore bench/filter_quality.py judge "$scratch/ladders.csv"

echo
echo "cleanvision's examples: what it flags, and what configs/filter-photo-cleaning.yaml drops:"
echo
"$imgmill" filter "$assets/odd/quality-issues" --config configs/filter-photo-cleaning.yaml --no-catalog --quiet >"$scratch/ours"
"$python" -W ignore bench/filter_quality.py compare "$assets/odd/quality-issues" "$scratch/ours" 2>"$scratch/stderr" ||
  { cat "$scratch/stderr" >&2; exit 1; }
