#!/usr/bin/env bash
# Builds imgmill for a machine that has none of its libraries: program, module and all shared libraries but LibTorch's
# and the C library's in one folder. LibTorch must be of the version that is there: LIBTORCH names such a one here.
# Usage: [LIBTORCH=FOLDER] scripts/carry.sh FOLDER
# There: LD_LIBRARY_PATH=FOLDER/lib/carried LIBTORCH=... FOLDER/bin/imgmill ...
set -euo pipefail
target=$(mkdir -p "${1:?usage: scripts/carry.sh FOLDER}" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
cmake -S . -B build/carry -G Ninja -DCMAKE_BUILD_TYPE=Release -DIMGMILL_TESTS=OFF >&2
cmake --build build/carry >&2
cmake --install build/carry --prefix "$target" --strip >/dev/null

mkdir -p "$target/lib/carried"
# The C library and its loader are the other machine's own: theirs may be newer, never older.
ldd "$target/bin/imgmill" | awk '$3 ~ /^\// { print $3 }' |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv|ld-linux[^/]*)\.so' |
  grep -v "^$target/" | xargs cp -Lt "$target/lib/carried"
du -sh "$target" | sed 's/^/carry: /' >&2
