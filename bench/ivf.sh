#!/usr/bin/env bash
# Measures grouping by vectors: all compared, by lists around centroids, and faiss's IndexIVFFlat with as many lists and
# probes, which finds all near pairs and makes no groups of them. Seconds of the search, the index included, and peak
# memory of the process.
#
# Usage: bench/ivf.sh [--runs N] [--vectors N] [--dimension N] [--least COSINE] [--threads N] [--no-exact]
# Environment: BENCH (build/release/bin/similarity_bench); PEERS, where bench/peers/setup.sh made the environment with
# faiss (~/.cache/imgmill-peers).
#
# The vectors are seeded: of 32 degrees of freedom and a little noise, one in five near an earlier one. They are in memory
# on all sides. The runs alternate, since a machine's speed drifts; the figures are medians.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 vectors=100000 dimension=512 least=0.9 threads=2 exact=exact
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --vectors) vectors=$2; shift 2 ;;
    --dimension) dimension=$2; shift 2 ;;
    --least) least=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --no-exact) exact=; shift ;;
    *) echo "ivf.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
. bench/search.sh

thousandths=$(awk -v least="$least" 'BEGIN { printf "%.0f", least * 1000 }')
"$bench" make-near-vectors "$scratch/vectors" "$vectors" "$dimension"
for ((run = 1; run <= runs; ++run)); do
  for index in ivf $exact; do
    expected=  # faiss counts pairs, and lists may miss a duplicate
    search "ours, $index" "$bench" group "$scratch/vectors" "$dimension" "$thousandths" "$threads" "$index"
    echo "  $found duplicates" >&2
  done
  read -r lists _ probes _ <"$scratch/ours, ivf.stderr"
  expected=
  search "faiss IndexIVFFlat" "$python" bench/peers/search_faiss.py ivf "$scratch/vectors" "$dimension" "$thousandths" "$lists" "$probes" "$threads"
  echo "  $found pairs" >&2
done
echo "$vectors vectors of $dimension, cosine $least, $threads threads, $(cat "$scratch/ours, ivf.stderr"), medians of $runs runs:"
table "faiss IndexIVFFlat"
