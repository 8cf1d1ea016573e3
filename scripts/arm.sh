#!/usr/bin/env bash
# Compiles what runs networks on our own kernels, and searches by hashes and vectors, for 64-bit ARM with a cross compiler, and
# runs their tests in QEMU: no ARM machine is needed.
#
# Usage: scripts/arm.sh [ARGUMENT]...   of the test programs
# Needs: Debian's g++-aarch64-linux-gnu (or a numbered one), qemu-user-static, doctest-dev and libhwy-dev.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compiler=$(compgen -c aarch64-linux-gnu-g++ | sort -V | tail -n 1)
[ -n "$compiler" ] && command -v qemu-aarch64-static >/dev/null ||
  { echo "arm.sh: install g++-aarch64-linux-gnu and qemu-user-static" >&2; exit 3; }
build=build/arm
mkdir -p "$build/headers"
# Alone: the rest of /usr/include is this machine's.
for library in doctest hwy; do ln -sfn "/usr/include/$library" "$build/headers/$library"; done

# compiled FLAG FILE...: the objects of source files, from standard input.
compiled() {
  xargs -P "$(nproc)" -I{} bash -c '
    object=$1/$(tr / _ <<<"${3%.cpp}").o
    "$0" -std=c++20 -O2 "$2" -Wall -Wextra -Wshadow -Werror -Iinclude -Isrc -Itests -isystem "$1/headers" -c "$3" -o "$object" &&
      echo "$object"
  ' "$compiler" "$build" "$1" {}
}

# Both need nothing but these; what opens LibTorch stays out.
shared=$(git ls-files 'src/base/*.cpp' 'src/memory/*.cpp' tests/doctest_main.cpp | compiled -ffp-contract=fast)
networks=$(git ls-files 'src/networks/*.cpp' src/infer/batch_model.cpp 'tests/networks/*.cpp' |
  grep -vE '/(conv_(avx512|avx2|sse2)|graph_runtime)\.cpp$' | compiled -ffp-contract=fast)
similarity=$(git ls-files 'src/similarity/*.cpp' 'tests/similarity/*.cpp' | compiled -ffp-contract=off)
# shellcheck disable=SC2086
"$compiler" -static $shared $networks -o "$build/test_networks" -pthread
# shellcheck disable=SC2086
"$compiler" -static $shared $similarity -o "$build/test_similarity" -pthread
qemu-aarch64-static "$build/test_networks" "$@"
qemu-aarch64-static "$build/test_similarity" "$@"
