#!/usr/bin/env bash
# Compiles the kernels for 64-bit ARM with a cross compiler, and runs their tests in QEMU: no ARM machine is needed.
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

sources=(src/networks/kernels/{conv_kernels,conv_neon,layer_graph,layer_graph_layout,map_sampling,worker_team}.cpp
  src/base/*.cpp src/memory/*.cpp tests/torch/{conv_kernels,layer_graph}_test.cpp tests/doctest_main.cpp)
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I{} bash -c '
  "$0" -std=c++20 -O2 -ffp-contract=fast -Wall -Wextra -Wshadow -Werror -Iinclude -Isrc -Itests -isystem "$1/headers" -c "$2" -o "$1/$(basename "$2" .cpp).o"
' "$compiler" "$build" {}
"$compiler" -static "$build"/*.o -o "$build/test_kernels" -pthread
qemu-aarch64-static "$build/test_kernels" "$@"
