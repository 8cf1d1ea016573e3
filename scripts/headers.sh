#!/usr/bin/env bash
# Compiles each header of include/ and src/ alone, as the first thing in a file: one that leans on what another happens
# to include breaks with the next compiler. Those that need LibTorch are left out (20 seconds each); scripts/compilers.sh
# builds what uses them.
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

compile() {
  local folder
  folder=$(dirname "$1")
  echo "#include \"$PWD/$1\"" | "${@:2}" -I"$folder" -x c++ - || { echo "headers: $1 does not compile alone" >&2; return 1; }
}
export -f compile
xargs -P "$(nproc)" -I{} bash -c 'compile "$@"' compile {} "$compiler" "${flags[@]}" <<<"$alone"
echo "headers: $(wc -l <<<"$alone") compile alone with $compiler; $(wc -l <<<"$torch") need LibTorch and were left out"
