#!/usr/bin/env bash
# Measures that imgmill stays within its budget: every command under budgets from the smallest that starts up to what
# the machine has, on photos mixed with 12, 50 and 100 megapixels in each format. Then what a tight budget costs in time.
#
# Usage: bench/memory-budget.sh [--cells | --throughput] [--only WORD] [--runs N] [--jobs N]
#   --cells       peak resident memory over budget in each cell, by the kernel's account; fails above 1.00
#   --throughput  images a second at a half and a quarter of the peak of a run without limit, against that run, on the
#                 images that all three do; interleaved, medians of N
#   --only WORD   only commands whose name contains it: dedup, filter, tile, embed, embed-model, upscale, upscale-model
# Without one of the first two, both. Environment: IMGMILL (build/release/bin/imgmill); PEERS (~/.cache/imgmill-peers),
# where bench/peers/setup.sh made the photos and bench/peers/make_big_files.py the big ones; IMGMILL_TEST_ASSETS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cells=yes throughput=yes only= runs=3 jobs=$(nproc)
while [ $# -gt 0 ]; do
  case "$1" in
    --cells) throughput=; shift ;;
    --throughput) cells=; shift ;;
    --only) only=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    *) echo "memory-budget.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=$(realpath "${IMGMILL:-build/release/bin/imgmill}")
peers=${PEERS:-$HOME/.cache/imgmill-peers}
python=$peers/venv/bin/python
assets=$(realpath "${IMGMILL_TEST_ASSETS:-../shared/assets}")
[ -x "$imgmill" ] || { echo "memory-budget.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -d "$peers/corpus/photos" ] || { echo "memory-budget.sh: run bench/peers/setup.sh first" >&2; exit 3; }
"$python" bench/peers/make_big_files.py --photos "$assets/photos/bsds500-val" --out "$peers/corpus/big_files" \
  --only mixed >&2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source bench/timing.sh

# What each command works on: photos of 1600x1066 and all big files; enlarged are 12 megapixels at most, by the model
# small photos.
links() { mkdir -p "$scratch/$1"; local from=$2 count=$3; shift 3
  find "$from" -type f "$@" | LC_ALL=C sort | sed -n "1,${count}p" | while read -r file; do ln -s "$file" "$where/"; done; }
where=$scratch/all; links all "$peers/corpus/photos" 60; links all "$peers/corpus/big_files/mixed" 99 -not -name '.*'
where=$scratch/medium; links medium "$peers/corpus/photos" 20; links medium "$peers/corpus/big_files/mixed" 99 -name '12_*'
where=$scratch/small; links small "$assets/photos/bsds500-val" 8 -name '*.jpg'
network=$assets/weights/torchscript/mobilenet_v2_1.0_224_coral_embed1280_f32.pt
upscaler=$assets/weights/realesrgan/realesr-animevideov3-x4.pth
commands=(
  "dedup|dedup $scratch/all --decode full --no-catalog"
  "filter|filter $scratch/all --keep sharpness>0 --no-catalog"
  "tile|tile $scratch/all --size 512 -o $scratch/out --no-catalog"
  "embed|embed $scratch/all --catalog $scratch/out/catalog"
  "embed-model|embed $scratch/all --model $network --scale 1/127.5 --shift -1 --device cpu --catalog $scratch/out/catalog"
  "upscale|upscale $scratch/medium --method lanczos3 --scale 2 --format jpg -o $scratch/out --no-catalog"
  "upscale-model|upscale $scratch/small --model $upscaler --device cpu -o $scratch/out --no-catalog"
)

# run COMMAND [MiB]: leaves "seconds KiB exit" in $scratch/time and the report.
run() {
  local budget=()
  [ -z "${2:-}" ] || budget=(--memory "$2MiB")
  rm -rf "$scratch/out" "$scratch/report.json"
  # shellcheck disable=SC2086  # a command is several words
  /usr/bin/time -f '%e %M %x' -o "$scratch/time.all" "$imgmill" $1 -j "$jobs" --quiet "${budget[@]}" \
    --report "$scratch/report.json" >/dev/null 2>"$scratch/stderr" || true
  tail -n 1 "$scratch/time.all" >"$scratch/time"
}

# The smallest budget that starts, as the refusal names it: with the model's weights, where there is one.
smallest() {
  local mib=20 named
  for _ in 1 2 3 4 5 6; do
    run "$1" "$mib"
    named=$(grep -oE -- '--memory [0-9]+MiB' "$scratch/stderr" | grep -oE "[0-9]+" | sed -n 1p || true)
    read -r _ _ code <"$scratch/time"
    if [ "$code" != 2 ] && [ "$code" != 3 ]; then break; fi
    [ -n "$named" ] && [ "$named" -gt "$mib" ] ||
      { echo "memory-budget.sh: --memory ${mib}MiB is refused, and no larger one named: $(cat "$scratch/stderr")" >&2; exit 1; }
    mib=$named
  done
  echo "$mib"
}

cat >"$scratch/row.py" <<'PYTHON'
import collections, json, re, sys
name, report, times, budget = sys.argv[1:]
seconds, kib, code = open(times).read().split()
document = json.load(open(report))
peak = int(kib) / 1024
limit = float(budget) if budget else document["memory"]["budget"] / 1048576
reasons = collections.Counter(f"{f['code']}" for f in document.get("failed", []))
listed = document.get("listed", 0)
failed = len(document.get("failed", []))
print(f"| {name} | {'none' if not budget else budget} | {peak:.0f} | {peak / limit:.2f} | {listed - failed} | {failed} | "
      f"{', '.join(f'{n} {r}' for r, n in reasons.items())} | {float(seconds):.1f} |", flush=True)
for failure in document.get("failed", []):
    print(f"    {name} {budget}: {failure['path'].rsplit('/')[-1]}: {failure['message']}", file=sys.stderr)
good = code in "01" and peak <= limit
sys.exit(0 if good else 1)
PYTHON

status=0
if [ -n "$cells" ]; then
  echo "| command | budget MiB | peak MiB | peak / budget | done | failed | why | seconds |"
  echo "|---|---|---|---|---|---|---|---|"
  for entry in "${commands[@]}"; do
    name=${entry%%|*} command=${entry#*|}
    case "$name" in *"$only"*) ;; *) continue ;; esac
    least=$(smallest "$command")
    steps=("$least" $((least * 3 / 2)) $((least * 2)) $((least * 4)) $((least * 8)) $((least * 16)) "")
    case "$name" in *-model) steps=("$least" $((least * 5 / 4)) $((least * 3 / 2)) $((least * 2)) $((least * 4)) "") ;; esac
    for mib in "${steps[@]}"; do
      run "$command" "$mib"
      "$python" "$scratch/row.py" "$name" "$scratch/report.json" "$scratch/time" "$mib" || status=1
    done
  done
fi

if [ -n "$throughput" ]; then
  echo
  echo "| command | peak without limit, MiB | images | of them timed | images/s | at a half | at a quarter |"
  echo "|---|---|---|---|---|---|---|"
  for entry in "${commands[@]}"; do
    name=${entry%%|*} command=${entry#*|}
    case "$name" in *"$only"*) ;; *) continue ;; esac
    least=$(smallest "$command")
    run "$command" ""
    read -r _ kib _ <"$scratch/time"
    peak=$((kib / 1024))
    half=$((peak / 2 > least ? peak / 2 : least)) quarter=$((peak / 4 > least ? peak / 4 : least))
    # Refusing an image takes no time: only those that every budget can hold say what a tight one costs.
    read -r _ folder _ <<<"$command"
    run "$command" "$quarter"
    rm -rf "$scratch/fit"
    cp -rP "$folder" "$scratch/fit"
    "$python" -c 'import json,sys
for f in json.load(open(sys.argv[1])).get("failed", []): print(f["path"])' "$scratch/report.json" |
      while read -r path; do rm "$scratch/fit/$(basename "$path")"; done
    all=$(find "$folder" -type l | wc -l) count=$(find "$scratch/fit" -type l | wc -l)
    # Libraries and weights alone may take more than a quarter.
    [ "$count" -gt 0 ] || { echo "| $name | $peak | $all | 0 | | | none fits in $quarter MiB |"; continue; }
    rm -f "$scratch"/{full,half,quarter}.runs
    for ((i = 0; i < runs; ++i)); do
      for each in full half quarter; do
        case $each in full) budget=() ;; half) budget=(--memory "${half}MiB") ;; quarter) budget=(--memory "${quarter}MiB") ;; esac
        rm -rf "$scratch/out"
        # shellcheck disable=SC2086  # a command is several words
        measure $each "$imgmill" ${command/"$folder"/"$scratch/fit"} -j "$jobs" --quiet "${budget[@]}"
      done
    done
    awk -v name="$name" -v peak="$peak" -v all="$all" -v count="$count" -v full="$(median full 1)" -v half="$(median half 1)" \
      -v quarter="$(median quarter 1)" -v hm="$half" -v qm="$quarter" 'BEGIN {
        printf "| %s | %d | %d | %d | %.2f | %.2f (%d MiB) | %.2f (%d MiB) |\n", name, peak, all, count, count / full,
          full / half, hm, full / quarter, qm }'
  done
fi
exit $status
