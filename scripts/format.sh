#!/usr/bin/env bash
# Formats all C++ of the repo in place with clang-format; with --check, only says which files differ, and fails.
# Usage: scripts/format.sh [--check]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=14  # Debian 12's: other versions break lines elsewhere

# A pip-installed clang-format of another version may come first in PATH.
formatter=clang-format-$version
command -v "$formatter" >/dev/null || formatter=/usr/bin/clang-format
if [ ! -x "$(command -v "$formatter" || true)" ]; then scripts/setup.sh --no-torch --with clang-format; fi
if ! "$formatter" --version | grep -q "version $version\."; then
  echo "format.sh: needs clang-format $version, found: $("$formatter" --version)" >&2
  exit 3
fi
# New files count before they are added to git; ignored ones never.
files() {
  git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.h' |
    while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done
}
export formatter
case "${1:-}" in
  '') files | xargs -0 -r -n 20 -P "$(nproc)" "$formatter" -i ;;
  --check)
    # xargs fails when any of its commands does.
    files | xargs -0 -r -n 1 -P "$(nproc)" bash -c \
      '"$formatter" "$1" | cmp -s - "$1" || { echo "not formatted: $1" >&2; exit 1; }' check
    ;;
  *) echo "usage: scripts/format.sh [--check]" >&2; exit 2 ;;
esac
