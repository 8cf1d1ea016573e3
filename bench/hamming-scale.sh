#!/usr/bin/env bash
# Measures what grouping costs as there are more images: 10 thousand to 10 million hashes of 64 bits, drawn from a seeded
# model in which one in five lies near an earlier one, grouped as dedup groups what it has hashed. Seconds of the grouping,
# and the peak of the process's resident memory as the kernel counts it, the hashes included.
#
# Usage: bench/hamming-scale.sh [--most N] [--radius BITS] [--threads N] [--by keeper|clique|component]
# Environment: BENCH (build/release/bin/similarity_bench).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

most=10000000 radius=10 threads=2 by=keeper
while [ $# -gt 0 ]; do
  case "$1" in
    --most) most=$2; shift 2 ;;
    --radius) radius=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --by) by=$2; shift 2 ;;
    *) echo "hamming-scale.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
bench=${BENCH:-build/release/bin/similarity_bench}
[ -x "$bench" ] || { echo "hamming-scale.sh: no $bench; build the target similarity_bench or set BENCH" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh

echo "Within $radius bits, $threads threads, by $by:"
echo
echo "| hashes | seconds | peak MiB | bytes a hash | duplicates |"
echo "|---|---|---|---|---|"
for ((hashes = 10000; hashes <= most; hashes *= 10)); do
  measure "$hashes" "$bench" group-hashes "$hashes" "$radius" "$threads" "$by"
  read -r seconds found <"$scratch/$hashes.stdout"
  mib=$(median "$hashes" 2)
  echo "| $hashes | $seconds | $mib | $((mib * 1048576 / hashes)) | $found |"
done
