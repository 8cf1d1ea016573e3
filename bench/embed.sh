#!/usr/bin/env bash
# Measures embedding networks against their own libraries on PyTorch with equal threads: the network alone, from memory, and
# `imgmill embed --model` from JPEG files of 1600x1066 to vectors, as whole processes.
#
# Usage: bench/embed.sh [--runs N] [--photos N] [--threads N] [--only WORD]
#   --only WORD  rows whose name contains it
# Environment: IMGMILL (build/release/bin/imgmill; embed_perftest beside its folder is built where it can be);
# IMGMILL_TEST_ASSETS (../shared/assets); PEERS, where `bench/peers/setup.sh networks` made the peers' Python environment
# and the photos (~/.cache/imgmill-peers).
#
# The runs alternate, since a machine's speed drifts; a ratio is the median of the runs' own. "Of a product" is the share of
# the rate at which PyTorch multiplies matrices of 2048 x 2048 in the same round, by the network's own multiplications.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 photos=256 threads=2 only=
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    *) echo "embed.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
imgmill=${IMGMILL:-build/release/bin/imgmill}
peers=${PEERS:-$HOME/.cache/imgmill-peers}
python=$peers/venv/bin/python
library=bench/peers/embed_library.py
[ -x "$imgmill" ] || { echo "embed.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] || { echo "embed.sh: no $python; run bench/peers/setup.sh networks" >&2; exit 3; }
build=$(dirname "$(dirname "$imgmill")")
cmake --build "$build" --target embed_perftest >/dev/null
alone=$(find "$build" -name embed_perftest -type f -perm -u+x | head -n 1)
IMGMILL_TORCH_MODULE=$(find "$build" -name libimgmill_torch.so | head -n 1)
export IMGMILL_TORCH_MODULE
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_NUM_THREADS=$threads
# shellcheck source=bench/timing.sh
. bench/timing.sh

mapfile -t files < <(find "$peers/corpus/photos" -name '*.jpg' | sort | head -n "$photos")
[ ${#files[@]} -gt 0 ] || { echo "embed.sh: no photos in $peers/corpus; run bench/peers/setup.sh" >&2; exit 3; }
script=$(find "$assets/weights/torchscript" -name 'mobilenet_v2*.pt' | head -n 1)

weights_of() { if [ "$1" = script ]; then echo "$script"; else echo "$scratch/$1.safetensors"; fi; }
# middle FILE EXPRESSION: the median of an awk expression over the file's lines.
middle() { awk "{ print $2 }" "$scratch/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# from_memory TITLE NETWORK COUNT GFLOP OPTIONS...: GFLOP an image, two for each multiplication
from_memory() {
  local title=$1 network=$2 count=$3 flop=$4 run ours theirs product; shift 4
  [[ $title == *"$only"* ]] || return 0
  rm -f "$scratch/alone"
  for ((run = 1; run <= runs; ++run)); do
    ours=$("$alone" "$(weights_of "$network")" "$threads" "$count")
    theirs=$("$python" "$library" --network "$network" --weights "$(weights_of "$network")" --threads "$threads" \
      --from-memory "$count" "$@")
    product=$("$python" "$library" --matrix --threads "$threads")
    echo "  $title: $ours, $theirs images/s; product $product GFLOP/s" >&2
    echo "$ours $theirs $product" >>"$scratch/alone"
  done
  printf '| %s, alone | %s | %s | %.2f | %.0f %% | | | |\n' "$title" "$(middle alone '$1')" "$(middle alone '$2')" \
    "$(middle alone '$1 / $2')" "$(middle alone "100 * \$1 * $flop / \$3")"
}

# from_files TITLE NETWORK OPTIONS...
from_files() {
  local title=$1 network=$2 run; shift 2
  [[ $title == *"$only"* ]] || return 0
  rm -f "$scratch"/*.runs
  echo "$title" >&2
  for ((run = 1; run <= runs; ++run)); do
    rm -f "$scratch/vectors.csv"
    measure imgmill "$imgmill" embed "${files[@]}" --model "$(weights_of "$network")" --device cpu -j "$threads" \
      --no-catalog --export "$scratch/vectors.csv" --quiet
    measure peer "$python" "$library" --network "$network" --weights "$(weights_of "$network")" --threads "$threads" "$@" \
      "${files[@]}"
  done
  paste "$scratch/imgmill.runs" "$scratch/peer.runs" >"$scratch/both"
  printf '| %s | %.1f | %.1f | %.2f | | %s | %s | %.2f |\n' "$title" "$(middle both "${#files[@]} / \$1")" \
    "$(middle both "${#files[@]} / \$3")" "$(middle both '$3 / $1')" "$(median imgmill 2)" "$(median peer 2)" \
    "$(middle both '$2 / $4')"
}

for network in clip-vit-b-32 resnet50 mobilenet_v3_small efficientnet_lite0; do
  "$python" "$library" --network "$network" --weights "$(weights_of "$network")" >&2
done
printf '%d photos, %d threads, medians of %d\n\n' "${#files[@]}" "$threads" "$runs"
printf '| network | imgmill images/s | peer images/s | times as fast | of a product | imgmill MiB | peer MiB | of its memory |\n'
printf '|---|---|---|---|---|---|---|---|\n'
from_memory 'CLIP ViT-B/32' clip-vit-b-32 128 8.83
from_memory 'ResNet-50' resnet50 128 8.18
from_memory 'MobileNetV3-Small' mobilenet_v3_small 2048 0.113
from_memory 'EfficientNet-Lite0' efficientnet_lite0 512 0.77
from_memory 'MobileNetV2, TorchScript' script 512 0.6
from_files 'CLIP ViT-B/32, open_clip' clip-vit-b-32
from_files 'CLIP ViT-B/32, open_clip, 2 workers' clip-vit-b-32 --workers 2
from_files 'MobileNetV3-Small, torchvision, 2 workers' mobilenet_v3_small --workers 2
from_files 'MobileNetV3-Small, torchvision, 2 workers, draft' mobilenet_v3_small --workers 2 --draft
from_files 'EfficientNet-Lite0, timm, 2 workers' efficientnet_lite0 --workers 2
from_files 'EfficientNet-Lite0, timm, 2 workers, draft' efficientnet_lite0 --workers 2 --draft
