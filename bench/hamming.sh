#!/usr/bin/env bash
# Measures the search for all pairs of hashes of 64 or 256 bits within a radius against faiss: IndexBinaryFlat's range search, which
# compares each with every one as our scan without an index does, and IndexBinaryMultiHash. Seconds of the search, index
# included, and peak memory of the process; all sides must find equally many pairs.
#
# Usage: bench/hamming.sh [--runs N] [--hashes N] [--bits 64|256] [--radius BITS] [--threads N] [--no-multihash]
# Environment: BENCH (build/release/bin/similarity_bench); PEERS, where bench/peers/setup.sh made the environment with
# faiss (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; the figures are medians. Where the machine has AVX-512 with instructions
# that count bits (Highway's AVX3_DL), ours is measured with that, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 hashes=100000 bits=64 radius= threads=2 multihash=multihash
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --hashes) hashes=$2; shift 2 ;;
    --bits) bits=$2; shift 2 ;;
    --radius) radius=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --no-multihash) multihash=; shift ;;
    *) echo "hamming.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
# What is near by a hash alone: PDQ's authors say 31.
[ -n "$radius" ] || { [ "$bits" = 256 ] && radius=31 || radius=10; }
. bench/search.sh

"$bench" make-hashes "$scratch/hashes" "$hashes" "$bits"
kernels=(AVX2)
! "$bench" scan "$scratch/hashes" "$bits" 0 1 AVX3_DL >/dev/null 2>&1 || kernels+=(AVX3_DL)
for ((run = 1; run <= runs; ++run)); do
  for index in flat $multihash; do
    search "faiss $index" "$python" bench/peers/search_faiss.py "$index" "$scratch/hashes" "$bits" "$radius" "$threads"
  done
  for kernel in "${kernels[@]}"; do
    search "ours, no index, $kernel" "$bench" scan "$scratch/hashes" "$bits" "$radius" "$threads" "$kernel"
    search "ours, $kernel" "$bench" pairs "$scratch/hashes" "$bits" "$radius" "$threads" "$kernel"
  done
done
echo "$hashes hashes of $bits bits, radius $radius, $threads threads, medians of $runs runs:"
table "faiss flat"
