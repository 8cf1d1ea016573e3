#!/usr/bin/env bash
# Builds the core-only configuration with other compilers than the default one, warnings as errors, and runs the tests
# that need no model's worth of time. Each compiler's build is in build/compilers/NAME.
#
# Usage: scripts/compilers.sh [--install] [COMPILER]...
#   --install  first gets those that are missing as Debian packages
#   COMPILER   clang++-16, g++-13 ...; without one, all of the list below that are on this machine
#
# Debian 12 has Clang 16, 19 and 22 and, of GCC, 11 and 12 only: GCC 13 and 14 are Ubuntu 24.04's and Debian 13's, and
# no Python package has them. There this script takes them by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

known=(clang++-16 clang++-19 clang++-22 g++-13 g++-14)
install=0
if [ "${1:-}" = --install ]; then install=1; shift; fi
chosen=("$@")

# The package of a compiler is called like it, save for Clang's.
if [ $install = 1 ]; then
  for compiler in "${chosen[@]:-${known[@]}}"; do
    package=${compiler/clang++/clang}
    if ! apt-cache show "$package" >/dev/null 2>&1; then echo "compilers: no package $package here" >&2; continue; fi
    scripts/setup.sh --no-torch --with "$package"
  done
fi

if [ ${#chosen[@]} = 0 ]; then
  for compiler in "${known[@]}"; do
    if command -v "$compiler" >/dev/null; then chosen+=("$compiler"); else echo "compilers: no $compiler here" >&2; fi
  done
fi
[ ${#chosen[@]} -gt 0 ] || { echo "compilers: none of ${known[*]} is here (try --install)" >&2; exit 3; }

generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
for compiler in "${chosen[@]}"; do
  build=build/compilers/$compiler
  # Not optimised: what is wanted is the compiler's opinion. That of Clang 17 and later on libstdc++ 12, whose own
  # stable_sort calls what it has deprecated, is none of ours.
  cmake -S . -B "$build" "${generator[@]}" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS_DEBUG="-O0 -Wno-deprecated-declarations" -DIMGMILL_CORE_ONLY=ON >/dev/null
  targets=(imgmill_torch test_base test_memory test_infer)
  cmake --build "$build" -j "$(nproc)" --target "${targets[@]}" >"$build/build.log" 2>&1 ||
    { tail -n 40 "$build/build.log" >&2; echo "compilers: $compiler FAILED" >&2; exit 1; }
  for test in test_base test_memory; do
    "$build/bin/$test" >"$build/$test.log" 2>&1 ||
      { tail -n 40 "$build/$test.log" >&2; echo "compilers: $test by $compiler FAILED" >&2; exit 1; }
  done
  echo "compilers: passed: $("$compiler" --version | head -n 1)"
done
