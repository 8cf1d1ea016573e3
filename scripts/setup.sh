#!/usr/bin/env bash
# Makes a Debian 12 machine able to build imgmill: installs the Debian packages that are missing and fetches
# LibTorch into .deps/libtorch and ONNX Runtime into .deps/onnxruntime. Changes nothing, and needs no network, where all of it is there.
#
# Usage: scripts/setup.sh [--with PACKAGE]... [--no-torch]
#   --with PACKAGE  one more Debian package (clang-format, for scripts/format.sh)
#   --no-torch      for a build with -DIMGMILL_TORCH=OFF
#
# Environment:
#   LIBTORCH        a LibTorch that is there already: none is fetched
#   IMGMILL_PYTHON  the Python whose pip fetches LibTorch (default: the first python3 that has pip)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

torch_version=2.13.0
onnxruntime_version=1.32.0
packages=(
  g++ cmake ninja-build pkg-config
  libvips-dev libopencv-dev libjpeg62-turbo-dev libwebp-dev libtiff-dev libdeflate-dev zlib1g-dev libzstd-dev libheif-dev libde265-dev libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libjxl-dev
  libsqlite3-dev liblmdb-dev libxxhash-dev libhwy-dev
  libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev doctest-dev
  dpkg-dev file   # what makes a .deb: its dependencies are read off the programs
  time            # /usr/bin/time, which the tests and benchmarks ask for peak memory
  ffmpeg          # draws the tests' videos, and says what their frames are
  libjxl-tools libavif-bin libimage-exiftool-perl  # read what is written as other programs do
  zsh fish man-db # the tests look at completions and manual pages where users do
)
want_torch=1
while [ $# -gt 0 ]; do
  case "$1" in
    --with) packages+=("$2"); shift 2 ;;
    --no-torch) want_torch=0; shift ;;
    *) echo "setup.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done

say() { echo "setup: $*" >&2; }

# Installs those of the named Debian packages that the machine lacks.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "no Debian packages on this machine; the build needs the equivalents of: $*"
    return
  fi
  local missing=() package installed
  # `|| true`: dpkg-query fails when any of the names is unknown to it, and prints the others.
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | grep ' installed$' || true)
  for package in "$@"; do
    case $'\n'"$installed" in *$'\n'"$package installed"*) ;; *) missing+=("$package") ;; esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "to install ${missing[*]}, run this as root or install sudo"; exit 3; }
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "${missing[@]}" >/dev/null
}

# The first Python with pip; nothing where there is none.
python_with_pip() {
  local python
  for python in ${IMGMILL_PYTHON:-python3 /usr/bin/python3}; do
    if "$python" -m pip --version >/dev/null 2>&1; then echo "$python"; return; fi
  done
}

pip_options=(--quiet --no-compile --only-binary=:all: --disable-pip-version-check --root-user-action=ignore)

# Unpacks the torch wheel into a folder; nothing else on the machine is touched.
unpack_torch() {
  local options=("${pip_options[@]}" --no-deps --target "$1" "torch==$torch_version")
  # LibTorch's libraries do not depend on the Python that unpacks them, so that one wheel, 3.11's, serves a
  # machine with any Python; should a package index not have that one, the Python's own will do.
  "$python" -m pip install --python-version 3.11 --implementation cp "${options[@]}" ||
    { rm -rf "$1"; "$python" -m pip install "${options[@]}"; }
}

# The CUDA build of the wheel leaves CUDA's libraries to wheels of their own, gigabytes of them. A machine with a GPU
# gets them; on any other the CUDA half is taken out, and only the two small ones are fetched that the CPU half is
# linked to.
complete_cuda_build() {
  local folder=$1 requirements
  [ -e "$folder/torch/lib/libtorch_cuda.so" ] || return 0
  if [ -e /dev/nvidiactl ]; then
    mapfile -t requirements < <(required_by_torch 's/^Requires-Dist: ((nvidia|cuda-toolkit)[^;]*).*/\1/p')
  else
    mapfile -t requirements < <(required_by_torch 's/^Requires-Dist: (cuda-toolkit)\[[^]]*\]([^;]*).*/\1[cudart,cupti]\2/p')
    # libtorch.so holds no code, only the names of the two halves.
    (cd "$folder/torch/lib" && rm -f libtorch_cuda*.so libc10_cuda.so libtorch_nvshmem.so libcaffe2_nvrtc.so libtorch.so)
    say "no NVIDIA GPU here: keeping only the CPU half of the CUDA build (delete .deps/libtorch to choose again)"
  fi
  say "fetching ${requirements[*]}"
  # With their dependencies: cuda-toolkit is only a list of others. They unpack to nvidia/, beside torch/, where
  # LibTorch's libraries look for them.
  "$python" -m pip install "${pip_options[@]}" --target "$folder/cuda" "${requirements[@]}"
  mv "$folder/cuda/nvidia" "$folder/nvidia"
  rm -rf "$folder/cuda"
}

required_by_torch() { sed -nE "$1" "$folder"/torch-*.dist-info/METADATA; }

install_libtorch() {
  local target=$root/.deps/libtorch
  has_libtorch() {
    [ -e "$target/torch/share/cmake/Torch/TorchConfig.cmake" ] &&
      compgen -G "$target/torch-$torch_version*.dist-info" >/dev/null
  }
  if has_libtorch; then return; fi
  mkdir -p "$root/.deps"
  exec 9>"$root/.deps/lock"
  flock 9  # two scripts at once fetch it once
  if has_libtorch; then return; fi
  local python
  python=$(python_with_pip)
  if [ -z "$python" ]; then
    install_packages python3 python3-pip
    python=/usr/bin/python3
  fi
  # Under another name until it is whole: an interrupted run leaves nothing that a later one takes for good.
  rm -rf "$root/.deps/libtorch.partial" "$target"
  say "fetching LibTorch $torch_version into .deps/libtorch (some minutes)"
  unpack_torch "$root/.deps/libtorch.partial"
  complete_cuda_build "$root/.deps/libtorch.partial"
  mv "$root/.deps/libtorch.partial" "$target"
  has_libtorch || { say "the torch wheel has no TorchConfig.cmake: cannot build against it"; exit 3; }
}

# ONNX Runtime's library, without its Python half. Only .onnx files need it: a build without it is complete.
install_onnxruntime() {
  local target=$root/.deps/onnxruntime python
  if compgen -G "$target/libonnxruntime.so*" >/dev/null; then return; fi
  exec 9>"$root/.deps/lock"
  flock 9
  if compgen -G "$target/libonnxruntime.so*" >/dev/null; then return; fi
  python=$(python_with_pip)
  say "fetching ONNX Runtime $onnxruntime_version into .deps/onnxruntime"
  rm -rf "$target.partial" "$target"
  if ! "$python" -m pip install "${pip_options[@]}" --no-deps --python-version 3.11 --implementation cp \
    --target "$target.partial" "onnxruntime==$onnxruntime_version"; then
    say "no ONNX Runtime $onnxruntime_version to be had: .onnx files will not be read"
    return
  fi
  mkdir "$target"
  mv "$target.partial"/onnxruntime/capi/libonnxruntime.so* "$target.partial"/onnxruntime/LICENSE "$target"
  rm -rf "$target.partial"
}

install_packages "${packages[@]}"
if [ $want_torch = 1 ] && [ -z "${LIBTORCH:-}" ]; then install_libtorch; fi
if [ $want_torch = 1 ]; then install_onnxruntime; fi
