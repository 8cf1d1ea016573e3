#!/usr/bin/env bash
# The small bench of the CI: our own kernels must stay well ahead of the same network on LibTorch's, which is kept as their
# reference. Fails where the ratio of CPU times falls under a floor.
#
# Usage: bench/floor.sh [--runs N]
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets).
#
# CPU time, not the clock: other work on the machine must not fail a build. On AVX-512 the
# ratios were 2.5 to 5.2, 2.9 to 4.5 and 2.0 to 4.4: what falls below a floor has lost its kernels, not a few per cent.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    *) echo "floor.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
imgmill=${IMGMILL:-build/release/bin/imgmill}
[ -x "$imgmill" ] || { echo "floor.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
photo=$(find "$assets/photos/bsds500-val" -name '*.jpg' | sort | sed -n 1p)
[ -n "$photo" ] || { echo "floor.sh: no photos in $assets/photos/bsds500-val" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# cpu KERNELS WEIGHTS: CPU seconds of one run, of which the file that is written is to be little
cpu() {
  /usr/bin/time -f '%U %S' -o "$scratch/time" "$imgmill" upscale "$photo" -o "$scratch/out" --model "$2" \
    --device cpu --kernels "$1" -j 2 --compression 0 --force --no-catalog --quiet >/dev/null
  awk "{ print \$1 + \$2 }" "$scratch/time"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

status=0
# floor NAME WEIGHTS RATIO
floor() {
  local name=$1 weights=$assets/weights/$2 least=$3 run reference ours
  [ -f "$weights" ] || { echo "floor.sh: no $weights" >&2; exit 3; }
  rm -f "$scratch/ratios"
  for ((run = 0; run < runs; ++run)); do
    reference=$(cpu reference "$weights")
    ours=$(cpu auto "$weights")
    awk -v r="$reference" -v o="$ours" 'BEGIN { print r / o }' >>"$scratch/ratios"
  done
  local ratio
  ratio=$(median <"$scratch/ratios")
  if awk -v r="$ratio" -v least="$least" 'BEGIN { exit !(r >= least) }'; then
    printf 'floor: %s: %.2f times as fast as on LibTorch, at least %s is asked\n' "$name" "$ratio" "$least"
  else
    printf 'floor: %s: only %.2f times as fast as on LibTorch, where %s is asked\n' "$name" "$ratio" "$least" >&2
    status=1
  fi
}
floor 'SRVGGNetCompact x4' realesrgan/realesr-animevideov3-x4.safetensors 1.2
floor 'RRDBNet x4, 6 blocks' converted/RealESRGAN_x4plus_anime_6B.safetensors 1.2
floor 'SPAN x4' converted/spanx4_ch48.safetensors 1.2
exit $status
