#!/usr/bin/env bash
# Measures `imgmill dedup` as a nightly job has it: a folder of many small images once, then each night again, where
# nothing is new and where some images are. Seconds, CPU seconds (user and system) and peak memory of the processes, by
# the kernel's account. The images are 64x64 and all differ, so that what is measured is what each costs beside its
# pixels.
#
# Usage: bench/nightly.sh [--images N] [--new N] [--nights N] [--workers N] [-- MORE OPTIONS OF DEDUP]
# Environment: IMGMILL (build/release/bin/imgmill); TMPDIR, where the images are made: 4 KiB each.
#
# Nights alternate between nothing new and some; their figures are medians.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

images=1000000 new=1000 nights=3 workers=2
more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --images) images=$2; shift 2 ;;
    --new) new=$2; shift 2 ;;
    --nights) nights=$2; shift 2 ;;
    --workers) workers=$2; shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) echo "nightly.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
[ -x "$imgmill" ] || { echo "nightly.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh

night() {
  measure "$1" /usr/bin/time -f '%U %S' -a -o "$scratch/$1.cpu" \
    "$imgmill" dedup "$scratch/images" --catalog "$scratch/catalog" -j "$workers" --quiet "${more[@]}"
}
median_cpu() {
  awk '{ print $1 + $2 }' "$scratch/$1.cpu" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
bench/make_small_images.py "$scratch/images" "$images"
night first
there=$images
for ((i = 1; i <= nights; ++i)); do
  night "nothing new"
  bench/make_small_images.py "$scratch/images" "$new" "$there"
  there=$((there + new))
  night "some new"
done

echo "$images images of 64x64, $workers workers, medians of $nights nights:"
echo
echo "| | seconds | CPU seconds | images/s | peak MiB |"
echo "|---|---|---|---|---|"
row() {
  awk -v what="$2" -v n="$images" -v s="$(median "$1" 1)" -v cpu="$(median_cpu "$1")" -v mib="$(median "$1" 2)" \
    'BEGIN { printf "| %s | %.2f | %.2f | %.0f | %d |\n", what, s, cpu, n / s, mib }'
}
row first "the first run"
row "nothing new" "a night with nothing new"
row "some new" "a night with $new new ones"
