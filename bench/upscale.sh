#!/usr/bin/env bash
# Measures `imgmill upscale --model` against the same weights through spandrel on PyTorch, as whole processes with
# equal threads, on 20 photos of 481x321: speed and peak resident memory.
#
# Usage: bench/upscale.sh [--runs N] [--photos N] [--threads N] [--model FILE] [--quick]
#   --quick  one run of each, without the channels-last peer
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets);
# PEERS, where bench/peers/setup.sh made the peer's Python environment (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; the figures are medians. Both sides write PNG at compression
# level 1 into a folder that is new each time. Speed is output megapixels a second over the whole process, start
# and loading included; the peer's own figures without those, and without writing, are given beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 photos=20 threads=2 quick=0
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
model=$assets/weights/realesrgan/realesr-animevideov3-x4.safetensors
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --model) model=$2; shift 2 ;;
    --quick) quick=1; runs=1; shift ;;
    *) echo "upscale.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
python=${PEERS:-$HOME/.cache/imgmill-peers}/venv/bin/python
[ -x "$imgmill" ] || { echo "upscale.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] || { echo "upscale.sh: no $python; run bench/peers/setup.sh" >&2; exit 3; }
mapfile -t files < <(find "$assets/photos/bsds500-val" -name '*.jpg' | sort | head -n "$photos")
[ ${#files[@]} -gt 0 ] || { echo "upscale.sh: no photos in $assets/photos/bsds500-val" >&2; exit 3; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_NUM_THREADS=$threads

# measure NAME COMMAND...: a line "seconds, peak MiB" into NAME.runs, the last line of stdout into NAME.out.
measure() {
  local name=$1; shift
  rm -rf "$scratch/output"
  if ! /usr/bin/time -f '%e %M' -o "$scratch/time" "$@" >"$scratch/$name.stdout" 2>"$scratch/$name.stderr"; then
    echo "upscale.sh: $name failed:" >&2
    tail -n 20 "$scratch/$name.stderr" >&2
    exit 1
  fi
  awk '{ printf "%s %.0f\n", $1, $2 / 1024 }' "$scratch/time" >>"$scratch/$name.runs"
  tail -n 1 "$scratch/$name.stdout" >>"$scratch/$name.out"
  printf '  %-24s %s s, %s MiB\n' "$name" $(tail -n 1 "$scratch/$name.runs") >&2
}

ours() {
  measure imgmill "$imgmill" upscale "${files[@]}" -o "$scratch/output" --model "$model" --device cpu -j "$threads" \
    --compression 1 --no-catalog --quiet
}
peer() {
  measure "$1" "$python" bench/peers/sr_pytorch.py --weights "$model" -o "$scratch/output" --threads "$threads" \
    "${@:2}" "${files[@]}"
}

# Nobody pays for a cold disk, or for the first use of a model.
cat "${files[@]}" "$model" >/dev/null
peers=(spandrel)
[ $quick = 1 ] || peers+=(spandrel-channels-last)
for ((run = 1; run <= runs; ++run)); do
  echo "run $run of $runs" >&2
  ours
  peer spandrel
  if [ $quick = 0 ]; then peer spandrel-channels-last --channels-last; fi
done
if [ $quick = 0 ]; then peer spandrel-no-writing --no-write; peers+=(spandrel-no-writing); fi

# median FILE COLUMN
median() { awk -v column="$2" '{ print $column }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
# field NAME KEY: the median over a peer's JSON lines
field() { sed -E "s/.*\"$2\": ([0-9.]+).*/\1/" "$scratch/$1.out" >"$scratch/field"; median "$scratch/field" 1; }

megapixels=$(field spandrel megapixels)
ours_s=$(median "$scratch/imgmill.runs" 1)
ours_mib=$(median "$scratch/imgmill.runs" 2)
printf '\n%d photos, %s output megapixels, %d threads, median of %d\n\n' "${#files[@]}" "$megapixels" "$threads" "$runs"
printf '| program | seconds | megapixels/s, whole process | at work only | model only | peak MiB | imgmill is faster | and than its work only | imgmill holds |\n'
printf '|---|---|---|---|---|---|---|---|---|\n'
awk -v s="$ours_s" -v m="$ours_mib" -v p="$megapixels" 'BEGIN { printf "| imgmill | %.1f | %.2f | | | %d | | | |\n", s, p / s, m }'
for name in "${peers[@]}"; do
  awk -v name="$name" -v s="$(median "$scratch/$name.runs" 1)" -v m="$(median "$scratch/$name.runs" 2)" -v p="$megapixels" \
    -v work="$(field "$name" megapixels_per_s)" -v model="$(field "$name" model_megapixels_per_s)" -v os="$ours_s" -v om="$ours_mib" \
    'BEGIN { printf "| %s | %.1f | %.2f | %.2f | %.2f | %d | %.2f x | %.2f x | %.2f of its memory |\n", name, s, p / s, work, model, m, s / os, p / os / work, om / m }'
done
