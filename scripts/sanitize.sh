#!/usr/bin/env bash
# Builds the tests with sanitizers and runs them: address and undefined behaviour (asan), or data races (tsan). By
# hand, not in CI: tsan takes ten times as long as the plain tests.
#
# Usage: scripts/sanitize.sh asan|tsan [TEST]...      (all of them; "sweep" means test_sweep)
# Environment: IMGMILL_TEST_ASSETS, as for scripts/test.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-}
case "$preset" in asan | tsan) shift ;; *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac

build=build/$preset
mkdir -p "$build"
cmake --preset "$preset" >"$build/configure.log" 2>&1 || { cat "$build/configure.log" >&2; exit 1; }
targets=()
for name in "$@"; do targets+=(--target "test_$name"); done
cmake --build --preset "$preset" "${targets[@]}"
# GLib and LibTorch keep what they allocate until the process ends, so leaks are counted by the pools instead; and what
# the pools refuse must come back as null from operator new, not end the process.
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

failed=0
for program in "$build"/bin/test_*; do
  name=${program##*/test_}
  if [ $# -gt 0 ] && ! printf '%s\n' "$@" | grep -qx -- "$name"; then continue; fi
  start=$SECONDS
  status=0
  "$program" --no-colors >"$build/$name.log" 2>&1 || status=$?
  echo "$name: $(grep -a 'test cases:' "$build/$name.log" || echo 'did not come to its end'), exit code $status, $((SECONDS - start)) s"
  if [ $status != 0 ]; then
    failed=1
    grep -aE -A 12 'ERROR: |WARNING: ThreadSanitizer|runtime error' "$build/$name.log" | head -n 60 || true
  fi
done
exit $failed
