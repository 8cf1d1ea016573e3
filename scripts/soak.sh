#!/usr/bin/env bash
# Runs imgmill over and over on the same pictures, under budgets and thread counts that change from round to round,
# and stops at the first sign of trouble: another output than the first round's, an exit code that changed, a peak
# above the budget, or memory, files or temporaries left behind.
#
# Usage: scripts/soak.sh [MINUTES] [FOLDER]      (10 minutes, sample_data)
#        scripts/soak.sh --gigapixel FOLDER      (as bench/peers/make_big_files.py makes it; 20 minutes)
# The second form sends each file of FOLDER/gigapixel (32768x32768) and FOLDER/whole (20000x20000, in forms that cannot be
# read row by row) through filter, tile, dedup and embed within 400 MiB, in a control group of that size where one can be
# made: each is done below it, or refused with the bytes that it needs.
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_MODEL, a weight file: upscale by it too.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ "${1:-}" = --gigapixel ]; then exec "$root/scripts/soak_gigapixel.sh" "${2:?FOLDER}"; fi
minutes=${1:-10}
folder=$(realpath "${2:-$root/sample_data}")
imgmill=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

budgets=(128MiB 192MiB 256MiB 512MiB)
threads=(1 2 4 7)
commands=("dedup --no-catalog --json" "upscale -o out --method lanczos3 --scale 2")
if [ -n "${IMGMILL_MODEL:-}" ]; then
  commands+=("upscale -o out --model $(realpath "$IMGMILL_MODEL")")
  budgets=(600MiB 800MiB 1GiB 2GiB)  # LibTorch and weights are in it
fi

# The outputs and results of a run as one digest; the catalog holds times, and is left out.
digest() {
  { if [ -d out ]; then find out -type f -not -path '*/.imgmill/*' -print0 | sort -z | xargs -0 -r sha256sum; fi
    cat stdout; } | sha256sum
}

fail() { echo "soak: $*" >&2; tail -n 20 stderr >&2; exit 1; }

declare -A first_digest first_status
end=$(($(date +%s) + minutes * 60))
round=0
while [ $round -lt ${#commands[@]} ] || [ "$(date +%s)" -lt $end ]; do
  command=${commands[round % ${#commands[@]}]}
  budget=${budgets[RANDOM % ${#budgets[@]}]}
  jobs=${threads[RANDOM % ${#threads[@]}]}
  rm -rf out
  status=0
  # shellcheck disable=SC2086  # the command is several words
  /usr/bin/time -f '%M' -o peak_kib "$imgmill" $command "$folder" --memory $budget -j $jobs >stdout 2>stderr || status=$?
  what="$command --memory $budget -j $jobs"
  [ $status -lt 2 ] || fail "exit code $status: $what"
  now=$(digest)
  : "${first_digest[$command]:=$now}" "${first_status[$command]:=$status}"
  [ "$now" = "${first_digest[$command]}" ] || fail "another result than in the first round: $what"
  [ $status = "${first_status[$command]}" ] || fail "exit code $status, at first ${first_status[$command]}: $what"
  limit=$(numfmt --from=auto "${budget%B}")
  [ $(($(tail -n 1 peak_kib) * 1024)) -le "$limit" ] || fail "peak $(tail -n 1 peak_kib) KiB, above the budget: $what"
  left=$(find . -name '.imgmill-*.tmp' | head -n 3)
  [ -z "$left" ] || fail "left behind: $left: $what"
  round=$((round + 1))
  [ $((round % 20)) != 0 ] || echo "soak: $round rounds"
done
echo "soak: $round rounds of ${#commands[@]} commands, all equal, all within their budgets"
