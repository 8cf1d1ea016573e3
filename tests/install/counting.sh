# Sourced by the tests in this folder: finds the build, installs it into a folder that is moved before anything is
# tried, and counts what passes.

set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
imgmill=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
build=$(dirname "$(dirname "$imgmill")")
[ -e "$build/cmake_install.cmake" ] || { echo "SKIPPED: no build folder around $imgmill"; exit 77; }
if grep -q '^IMGMILL_SANITIZE:STRING=.' "$build/CMakeCache.txt"; then
  echo "SKIPPED: a build with sanitizers is not for installing: programs of others cannot use its library"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The user's own settings, catalogs and LibTorch must not change what is seen.
unset XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME IMGMILL_TORCH_MODULE IMGMILL
export HOME=$scratch/home LC_ALL=C.UTF-8
mkdir "$HOME"
samples=$root/sample_data

passed=0 failed=0 skipped=0

# check WHAT COMMAND...: the command must succeed; its output is shown where it does not.
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s: %s\n%s\n' "$what" "$*" "$(sed 's/^/    /' <<<"$output" | head -n 40)"
  fi
}

skip() { skipped=$((skipped + 1)); echo "SKIPPED: $*"; }

finish() {
  local line="$passed passed, $failed failed"
  [ $skipped = 0 ] || line="$line, $skipped skipped"
  echo "$line"
  [ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
}

# example NAME: that block of docs/install.md, with this build, and a folder of this test for /opt/imgmill.
example() {
  awk -v mark="<!-- tested: $1 -->" '
    $0 == mark { on = 1; next }
    on && /^```/ { if (inside) exit; inside = 1; next }
    inside' "$root/docs/install.md" |
    sed "s#build/release#$build#g; s#/opt/imgmill#$scratch/prefix#g; s#sudo ##g"
}

# Sets $tree to an installation that no longer is where it was installed to.
install_and_move() {
  bash -e <(example install) >"$scratch/install.log" 2>&1 ||
    { cat "$scratch/install.log"; echo "0 passed, 1 failed"; exit 1; }
  tree="$scratch/moved here"
  mv "$scratch/prefix" "$tree"
}

# The subcommands, as the program's help lists them.
commands() { "$imgmill" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'; }

# The flags of a command, as its help lists them.
flags() { "$imgmill" "$1" --help | grep -oE '^  (-[a-zA-Z0-9],)?--[a-z][a-z0-9-]*(,--[a-z-]+)?' | tr -d ' ' | tr , '\n'; }
