#!/usr/bin/env bash
# Makes a Debian 12 machine able to build imgmill: installs the Debian packages that are missing and fetches
# LibTorch into .deps/libtorch. Changes nothing, and needs no network, where all of it is there.
#
# Usage: scripts/setup.sh [--with PACKAGE]... [--no-torch]
#   --with PACKAGE  one more Debian package (clang-format, for scripts/format.sh)
#   --no-torch      for a build with -DIMGMILL_TORCH=OFF
#
# LibTorch is not fetched where Torch_DIR or LIBTORCH says where it is. Environment:
#   IMGMILL_PYTHON  the Python whose pip fetches LibTorch (default: the first python3 that has pip)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

torch_version=2.13.0
packages=(
  g++ cmake ninja-build pkg-config
  libvips-dev libopencv-dev libjpeg62-turbo-dev libsqlite3-dev libxxhash-dev
  libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev doctest-dev
  time  # /usr/bin/time, which the tests and benchmarks ask for peak memory
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

# pip_into FOLDER REQUIREMENT...: unpacks wheels there; nothing else on the machine is touched.
pip_into() {
  local folder=$1; shift
  local options=(--quiet --no-deps --no-compile --only-binary=:all: --disable-pip-version-check
                 --root-user-action=ignore --target "$folder")
  # LibTorch's libraries do not depend on the Python that unpacks them, so that one wheel, 3.11's, serves a
  # machine with any Python; should a package index not have that one, the Python's own will do.
  "$python" -m pip install "${options[@]}" --python-version 3.11 --implementation cp "$@" ||
    { rm -rf "$folder"; "$python" -m pip install "${options[@]}" "$@"; }
}

# The CUDA build of the wheel keeps CUDA's libraries in wheels of their own. They are fetched where LibTorch
# cannot be loaded without them, or where there is a GPU to run on.
add_cuda_libraries() {
  local folder=$1 requirements
  [ -e "$folder/torch/lib/libtorch_cuda.so" ] || return 0
  if [ ! -e /dev/nvidiactl ] && ! ldd "$folder/torch/lib/libtorch_cpu.so" | grep -q 'not found'; then return 0; fi
  mapfile -t requirements < <(sed -nE 's/^Requires-Dist: ((nvidia|cuda-toolkit)[^;]*).*/\1/p' \
                                "$folder"/torch-*.dist-info/METADATA | tr -d ' ')
  say "fetching CUDA's libraries: ${requirements[*]}"
  # With their dependencies here: cuda-toolkit is a list of others.
  "$python" -m pip install --quiet --no-compile --only-binary=:all: --disable-pip-version-check \
    --root-user-action=ignore --target "$folder/cuda" "${requirements[@]}"
  mv "$folder/cuda/nvidia" "$folder/nvidia"  # beside torch/, where its libraries look for them
  rm -rf "$folder/cuda"
}

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
  pip_into "$root/.deps/libtorch.partial" "torch==$torch_version"
  add_cuda_libraries "$root/.deps/libtorch.partial"
  mv "$root/.deps/libtorch.partial" "$target"
  has_libtorch || { say "the torch wheel has no TorchConfig.cmake: cannot build against it"; exit 3; }
}

install_packages "${packages[@]}"
if [ $want_torch = 1 ] && [ -z "${Torch_DIR:-}${LIBTORCH:-}" ]; then install_libtorch; fi
