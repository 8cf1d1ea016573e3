#!/usr/bin/env bash
# Builds imgmill and runs all its tests: the doctest programs, the golden command-line cases in tests/cli, and
# the test scripts tests/*/test_*.sh. The last line is "N passed, N failed" or "N passed, N failed, N skipped",
# in test cases; the exit code is 0 when none failed and at least one ran.
#
# Usage: scripts/test.sh [--preset NAME] [--jobs N] [FILTER]
#   --preset NAME  a preset of CMakePresets.json (release)
#   --jobs N       how many programs at once (one a core, at most 4)
#   FILTER         run only programs, scripts and cases whose name contains this
# Environment: IMGMILL_TEST_ASSETS, the folder of test pictures and weights; tests that need it are skipped
# without it. IMGMILL_TEST_PYTHON (python3), for a test that compiles a model with LibTorch's Python half, and is skipped
# where that lacks its own requirements. The logs, with each case's seconds, are in build/PRESET/test_logs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
jobs=$(nproc)
[ "$jobs" -le 4 ] || jobs=4
part=30  # test cases: so few that no part of a slow or busy machine takes 15 minutes
filter=
while [ $# -gt 0 ]; do
  case "$1" in
    --preset) preset=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    -*) echo "test.sh: unknown option $1" >&2; exit 2 ;;
    *) filter=$1; shift ;;
  esac
done
if [ -n "${IMGMILL_TEST_ASSETS:-}" ]; then
  IMGMILL_TEST_ASSETS=$(cd "$IMGMILL_TEST_ASSETS" && pwd)
  export IMGMILL_TEST_ASSETS
fi

scripts/setup.sh --with chromium  # to look at the report page
build=$PWD/build/$preset
logs=$build/test_logs
mkdir -p "$logs"
if ! cmake --preset "$preset" >"$build/configure.log" 2>&1; then cat "$build/configure.log" >&2; exit 1; fi
cmake --build --preset "$preset" | tee "$build/build.log"
rm -rf "$logs"
mkdir -p "$logs"

# What each test is called, and how it is run: "name<TAB>command".
list_tests() {
  local program script name cases first
  for program in "$build"/bin/test_*; do
    if [ ! -x "$program" ]; then continue; fi
    name=$(basename "$program")
    # A program of many cases is run in parts, of which several can run at once.
    cases=$("$program" --count --no-colors | sed -nE 's/.*filters: ([0-9]+).*/\1/p')
    if [ "$cases" -le "$part" ]; then printf '%s\t%q --no-colors --duration=true\n' "$name" "$program"; continue; fi
    for ((first = 1; first <= cases; first += part)); do
      printf '%s\t%q --no-colors --duration=true --first=%d --last=%d\n' "$name.$(((first - 1) / part + 1))" "$program" \
        "$first" "$((first + part - 1))"
    done
  done
  if [ -x "$build/bin/imgmill" ]; then
    printf 'cli\t%q\n' "$PWD/tests/cli/run_cases.sh"
    for script in tests/*/test_*.sh; do
      if [ ! -e "$script" ]; then continue; fi
      name=$(basename "$(dirname "$script")")/$(basename "$script")
      printf '%s\t%q\n' "${name//\//_}" "$PWD/$script"
    done
  fi
}

# Runs one test, keeps its output in NAME.log and "passed failed skipped" in NAME.count.
run_test() {
  local name=${1%%$'\t'*} command=${1#*$'\t'} log start status=0
  log=$logs/$name.log
  start=$(date +%s.%N)
  # A hanging test must not hold up the rest. stdin is closed: no test may wait for a person.
  timeout --kill-after=10 900 bash -c "exec $command" </dev/null >"$log" 2>&1 || status=$?
  scripts/count_tests.awk -v status="$status" "$log" >"$logs/$name.count"
  local passed failed skipped verdict=ok
  read -r passed failed skipped <"$logs/$name.count"
  [ "$failed" = 0 ] || verdict=FAILED
  printf '%-7s %-28s %4d passed %3d failed %3d skipped %6.1f s\n' "$verdict" "$name" "$passed" "$failed" \
    "$skipped" "$(echo "$(date +%s.%N) $start" | awk '{print $1 - $2}')"
  if [ "$failed" != 0 ]; then
    # In one write, so that tests that run side by side do not mix their lines. What failed may stand far from
    # the end of a long log.
    printf -- '--- %s, exit code %s; what failed:\n%s\n--- the end of %s:\n%s\n---\n' "$name" "$status" \
      "$(grep -aE -m 20 -A 4 'ERROR:|^FAILED|^not ok' "$log")" "$log" "$(tail -n 60 "$log")"
  fi
}
export -f run_test
export logs build
export IMGMILL=$build/bin/imgmill

list_tests | { if [ -n "$filter" ]; then grep -F -- "$filter" || true; else cat; fi; } |
  tr '\n' '\0' | xargs -0 -r -n 1 -P "$jobs" bash -c 'run_test "$1"' run_test

skips=$(grep -H 'SKIPPED:' "$logs"/*.log 2>/dev/null | sed -E 's#^.*/([^/:]*)\.log:.*SKIPPED:#  \1:#' | sort -u || true)
[ -z "$skips" ] || printf 'skipped, and why:\n%s\n' "$skips"
cat "$logs"/*.count 2>/dev/null | awk '
  { passed += $1; failed += $2; skipped += $3 }
  END {
    line = passed + 0 " passed, " failed + 0 " failed"
    if (skipped) line = line ", " skipped " skipped"
    print line
    exit !(failed == 0 && passed + skipped > 0)
  }'
