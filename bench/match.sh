#!/usr/bin/env bash
# One query against a catalog, as a user runs it, beside reading the catalog's vectors once from memory. The images are
# small ones that all differ, the vectors seeded and imported; the query is one of the images. Whole processes: seconds and
# the peak memory by the kernel.
#
# Usage: bench/match.sh [--images N] [--dimension N] [--runs N] [--threads N] [--memory SIZE] [--folder DIR]
#   --folder DIR  where images and catalog are made, and stay, for another run; by default in a temporary folder
# Environment: IMGMILL (build/release/bin/imgmill), BENCH (build/release/bin/similarity_bench).
#
# A million images of 512 numbers take 4 GiB as files and 2 GiB as vectors, twice while they are imported.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

images=20000 dimension=512 runs=5 threads=2 memory=2GiB folder=
while [ $# -gt 0 ]; do
  case "$1" in
    --images) images=$2; shift 2 ;;
    --dimension) dimension=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --memory) memory=$2; shift 2 ;;
    --folder) folder=$2; shift 2 ;;
    *) echo "match.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=$(realpath "${IMGMILL:-build/release/bin/imgmill}")
bench=$(realpath "${BENCH:-build/release/bin/similarity_bench}")
[ -x "$imgmill" ] && [ -x "$bench" ] || { echo "match.sh: no $imgmill or no $bench; build them, or set IMGMILL and BENCH" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
folder=${folder:-$scratch}
. bench/timing.sh

photos=$folder/photos-$images catalog=$folder/catalog-$images-$dimension
if [ ! -d "$catalog" ]; then
  [ -d "$photos" ] || python3 bench/make_small_images.py "$photos" "$images"
  find "$photos" -name '*.png' | sort >"$scratch/vectors.paths.txt"
  "$bench" make-vectors "$scratch/raw" "$images" "$dimension"
  python3 - "$scratch/vectors.npy" "$images" "$dimension" <<'PYTHON'
import sys
head = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s, %s), }" % (sys.argv[2], sys.argv[3])
head = head.ljust(117) + "\n"
open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode())
PYTHON
  cat "$scratch/raw" >>"$scratch/vectors.npy"
  rm "$scratch/raw"
  TMPDIR=$scratch "$imgmill" embed "$photos" --import "$scratch/vectors.npy" --model-name bench --catalog "$catalog" --quiet
  rm "$scratch/vectors.npy"
fi
query=$(find "$photos" -name '*.png' | sort | sed -n "$((images / 2))p")
vectors=$(echo "$catalog"/vectors/*.vec)

# Once, so that what is read lies in the system's cache; and the right answer.
"$imgmill" match "$query" --catalog "$catalog" --model-name bench --format csv --quiet -j "$threads" >"$scratch/first.csv"
sed -n 2p "$scratch/first.csv" | grep -qF "\"$query\",1,1.000000,\"$query\"" || { echo "match.sh: it does not find itself first" >&2; exit 1; }
for ((run = 1; run <= runs; ++run)); do
  measure read "$bench" read "$vectors" "$threads"
  read -r seconds _ <"$scratch/read.stdout"
  sed -i '$d' "$scratch/read.runs"
  echo "$seconds 0" >>"$scratch/read.runs"
  for check in found all; do
    measure "match, files checked: $check" "$imgmill" match "$query" --catalog "$catalog" --model-name bench --format csv \
      --quiet -j "$threads" --memory "$memory" --check-files "$check"
    cmp -s "$scratch/first.csv" "$scratch/match, files checked: $check.stdout" || { echo "match.sh: another result" >&2; exit 1; }
  done
done
echo "$images vectors of $dimension numbers, $threads threads, --memory $memory, medians of $runs runs:"
echo
echo "| | seconds | peak MiB | times as long as reading the vectors |"
echo "|---|---|---|---|"
read_once=$(median read 1)
printf '| the vectors read once from memory | %.3f | | |\n' "$read_once"
for check in found all; do
  name="match, files checked: $check"
  awk -v check="$check" -v s="$(median "$name" 1)" -v m="$(median "$name" 2)" -v of="$read_once" \
    'BEGIN { printf "| one query, `--check-files %s` | %.2f | %d | %.1f |\n", check, s, m, s / of }'
done
