#!/usr/bin/env bash
# Measures how long `imgmill --version` takes to start, against a program that only links OpenCV and does nothing.
#
# Usage: bench/startup.sh [--runs N]
# Environment: IMGMILL (build/release/bin/imgmill) and NOOP (build/release/bin/opencv_noop, made by
# `cmake --build build/release --target opencv_noop`).
#
# The runs alternate after one of each that is not measured; the figures are medians of the wall time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=21
[ "${1:-}" != --runs ] || runs=$2
imgmill=${IMGMILL:-build/release/bin/imgmill}
noop=${NOOP:-build/release/bin/opencv_noop}
for program in "$imgmill" "$noop"; do
  [ -x "$program" ] || { echo "startup.sh: no $program; build it first" >&2; exit 3; }
done

# milliseconds COMMAND...
milliseconds() {
  local start=$EPOCHREALTIME
  "$@" >/dev/null
  local end=$EPOCHREALTIME
  echo $(((${end/./} - ${start/./}) / 100)) | sed 's/.$/.&/'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

"$imgmill" --version >/dev/null
"$noop"
ours=() theirs=()
for ((run = 0; run < runs; ++run)); do
  ours+=("$(milliseconds "$imgmill" --version)")
  theirs+=("$(milliseconds "$noop")")
done
our_median=$(printf '%s\n' "${ours[@]}" | median)
their_median=$(printf '%s\n' "${theirs[@]}" | median)
echo "imgmill --version: $our_median ms; OpenCV no-op: $their_median ms (medians of $runs runs)"
awk -v a="$our_median" -v b="$their_median" 'BEGIN { printf "ratio %.2f\n", a / b }'
