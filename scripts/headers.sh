#!/usr/bin/env bash
# Compiles each header of include/ and src/ alone, as the first thing in a file: one that leans on what another happens
# to include breaks with the next compiler. The build has done so with those that come first in a source file, which are
# left to it. Those that need LibTorch are left out, too (10 seconds each); scripts/compilers.sh builds what uses them.
# Usage: scripts/headers.sh [COMPILER]      (c++)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compiler=${1:-${CXX:-c++}}

read -ra libraries <<<"$(pkg-config --cflags vips libjpeg sqlite3 libxxhash yaml-cpp opencv4 | sed 's/-I/-isystem /g')"
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Wconversion -Werror -Iinclude -Isrc "${libraries[@]}")

# Headers that reach LibTorch, however many steps away.
needs_torch() {
  local all=$1 found more
  found=$(grep -lE '#include <(torch|ATen|c10)/' $all | sort)
  while :; do
    more=$(grep -lF -f <(sed -E 's#^(src|include)/#"#; s#$#"#' <<<"$found") $all | sort)
    more=$(sort -u <(echo "$found") <(echo "$more"))
    [ "$more" != "$found" ] || break
    found=$more
  done
  echo "$found"
}

# What lacks the pragma is no header, but the body of a kernel that is compiled once an instruction set.
all=$(git ls-files --cached --others --exclude-standard 'include/*.h' 'src/*.h' | xargs grep -l '^#pragma once')
torch=$(needs_torch "$all")
alone=$(comm -23 <(sort <<<"$all") <(echo "$torch"))

# Those that are the first include of a source file. Where LibTorch is used, a precompiled header comes before it.
built_alone() {
  local source name header
  git ls-files --cached --others --exclude-standard 'src/*.cpp' ':(exclude,glob)src/torch/*.cpp' \
    ':!src/torch/architectures' ':!src/torch/executors' ':!src/torch/onnx' | while read -r source; do
    name=$(sed -nE 's/^#include [<"]([^>"]+)[>"]$/\1/p;T;q' "$source")
    for header in "$(dirname "$source")/$name" "src/$name" "include/$name"; do
      if [ -e "$header" ]; then echo "$header"; break; fi
    done
  done | sort -u
}
built=
if [ $# = 0 ]; then built=$(built_alone); fi  # another compiler has built nothing yet
alone=$(comm -23 <(echo "$alone") <(echo "$built"))

compile() {
  local folder
  folder=$(dirname "$1")
  echo "#include \"$PWD/$1\"" | "${@:2}" -I"$folder" -x c++ - || { echo "headers: $1 does not compile alone" >&2; return 1; }
}
export -f compile
xargs -P "$(nproc)" -I{} bash -c 'compile "$@"' compile {} "$compiler" "${flags[@]}" <<<"$alone"
echo "headers: $(wc -l <<<"$alone") compile alone with $compiler, $(grep -c . <<<"$built") do in the build;" \
  "$(wc -l <<<"$torch") need LibTorch and were left out"
