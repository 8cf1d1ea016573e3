#!/usr/bin/env bash
# Compiles what runs networks on our own kernels for 64-bit ARM with a cross compiler, and runs its tests in QEMU: no ARM machine is needed.
#
# Usage: scripts/arm.sh
# Needs: Debian's g++-aarch64-linux-gnu (or a numbered one), qemu-user-static and doctest-dev.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compiler=$(compgen -c aarch64-linux-gnu-g++ | sort -V | tail -n 1)
[ -n "$compiler" ] && command -v qemu-aarch64-static >/dev/null ||
  { echo "arm.sh: install g++-aarch64-linux-gnu and qemu-user-static" >&2; exit 3; }
build=build/arm
mkdir -p "$build/headers"
ln -sfn /usr/include/doctest "$build/headers/doctest"  # alone: the rest of /usr/include is this machine's

# All of src/networks needs nothing but these; what opens LibTorch stays out.
mapfile -t sources < <(git ls-files 'src/base/*.cpp' 'src/memory/*.cpp' 'src/networks/*.cpp' src/infer/batch_model.cpp \
  'tests/networks/*.cpp' tests/doctest_main.cpp | grep -vE '/(conv_(avx512|avx2|sse2)|graph_runtime)\.cpp$')
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I{} bash -c '
  "$0" -std=c++20 -O2 -ffp-contract=fast -Wall -Wextra -Wshadow -Werror -Iinclude -Isrc -Itests -isystem "$1/headers" -c "$2" -o "$1/$(tr / _ <<<"${2%.cpp}").o"
' "$compiler" "$build" {}
"$compiler" -static "$build"/*.o -o "$build/test_networks" -pthread
qemu-aarch64-static "$build/test_networks" "$@"
