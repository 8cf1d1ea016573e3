#!/usr/bin/env bash
# Measures the exact search for the nearest vectors by cosine, as match does it, against faiss's IndexFlatIP. Seconds of
# the search, filling the index included, and peak memory of the process; both must find the same.
#
# Usage: bench/cosine.sh [--runs N] [--vectors N] [--dimension N] [--queries N] [--top N] [--threads N] [--avx2]
#   --avx2  neither side uses AVX-512
# Environment: BENCH (build/release/bin/similarity_bench); PEERS, where bench/peers/setup.sh made the environment with
# faiss (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; the figures are medians. The vectors are in memory on both sides.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 vectors=100000 dimension=512 queries=1000 top=10 threads=2 kernel=()
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --vectors) vectors=$2; shift 2 ;;
    --dimension) dimension=$2; shift 2 ;;
    --queries) queries=$2; shift 2 ;;
    --top) top=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --avx2) kernel=(AVX2); export OPENBLAS_CORETYPE=Haswell FAISS_OPT_LEVEL=avx2; shift ;;
    *) echo "cosine.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
. bench/search.sh

"$bench" make-vectors "$scratch/vectors" "$vectors" "$dimension"
for ((run = 1; run <= runs; ++run)); do
  search "faiss IndexFlatIP" "$python" bench/peers/search_faiss.py nearest "$scratch/vectors" "$dimension" "$queries" "$top" "$threads"
  search ours "$bench" nearest "$scratch/vectors" "$dimension" "$queries" "$top" "$threads" "${kernel[@]}"
done
echo "$queries queries against $vectors vectors of $dimension, top $top, $threads threads${kernel:+, $kernel}, medians of $runs runs:"
table "faiss IndexFlatIP"
