#!/usr/bin/env bash
# Runs the golden command-line cases beside this file: each folder is a command and what it must print and return.
# README.md here says how a case is written.
#
# Usage: tests/cli/run_cases.sh [--update] [CASE]...
#   --update  write what the commands print now into the files that a case has (look at the diff before you commit)
# Environment: IMGMILL, the program (build/release/bin/imgmill); IMGMILL_TEST_ASSETS, the folder of test pictures.
set -uo pipefail
cases=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$cases/../.." && pwd)

update=0
if [ "${1:-}" = --update ]; then update=1; shift; fi
IMGMILL=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
[ -x "$IMGMILL" ] || { echo "run_cases.sh: no program $IMGMILL; build it or set IMGMILL" >&2; exit 2; }
if [ $# -eq 0 ]; then
  for file in "$cases"/*/command; do set -- "$@" "$(basename "$(dirname "$file")")"; done
fi
scratch=$(mktemp -d)
trap 'chmod -R u+rwx "$scratch"; rm -rf "$scratch"' EXIT

# What differs from run to run, or from machine to machine, gets one face: see "What is compared" in README.md.
normalise() {
  sed -E -e "s#$work#\$WORK#g; s#$cases/$name#\$CASE#g; s#$root#\$ROOT#g" \
    -e "${IMGMILL_TEST_ASSETS:+s#$IMGMILL_TEST_ASSETS#\$ASSETS#g}" \
    -e 's#(^|[^0-9.a-z])[0-9]+(\.[0-9]+)? ?(ms|s|min|h)($|[^a-zA-Z])#\1<time>\4#g' \
    -e 's#[0-9]+(\.[0-9]+)? (images|megapixels)/s#<rate> \2/s#g' \
    -e 's#[0-9]+(\.[0-9]+)? (B|KiB|MiB|GiB|TiB)($|[^a-zA-Z/])#<bytes>\3#g' "$1"
}

# Compares one stream with what the case expects of it; prints the difference.
check_stream() {
  local stream=$1 golden=$cases/$name/$1 line
  if [ -e "$golden" ]; then
    if [ $update = 1 ]; then
      cp "$work.$stream" "$golden"
    else
      diff -u --label "expected $stream" --label "actual $stream" "$golden" "$work.$stream" || return 1
    fi
  fi
  if [ -e "$golden.grep" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      grep -qF -- "$line" "$work.$stream" && continue
      printf '%s has no line with: %s\n--- it is:\n' "$stream" "$line"
      head -n 40 "$work.$stream"
      return 1
    done <"$golden.grep"
  fi
}

passed=0 failed=0 skipped=0
for name; do
  command=$cases/$name/command
  if [ ! -e "$command" ]; then
    echo "FAILED $name: no such case"
    failed=$((failed + 1))
    continue
  fi
  if [ -z "${IMGMILL_TEST_ASSETS:-}" ] && grep -q 'ASSETS' "$command"; then
    echo "SKIPPED: $name: IMGMILL_TEST_ASSETS is not set"
    skipped=$((skipped + 1))
    continue
  fi
  work=$scratch/$name
  mkdir -p "$work" "$work.home"
  # A catalog or configuration of the user's must not change what is seen; nor must a terminal.
  (cd "$work" && env -u XDG_STATE_HOME -u XDG_CONFIG_HOME -u XDG_CACHE_HOME HOME="$work.home" LC_ALL=C.UTF-8 \
    IMGMILL="$IMGMILL" ASSETS="${IMGMILL_TEST_ASSETS:-}" CASE="$cases/$name" SAMPLES="$root/sample_data" \
    timeout --kill-after=10 120 bash "$command" </dev/null >"$work.raw_stdout" 2>"$work.raw_stderr")
  status=$?
  for stream in stdout stderr; do normalise "$work.raw_$stream" >"$work.$stream"; done
  expected=0
  if [ -e "$cases/$name/exit" ]; then expected=$(cat "$cases/$name/exit"); fi
  trouble=$(
    check_stream stdout
    check_stream stderr
    if [ "$status" != "$expected" ]; then
      echo "exit code $status, expected $expected; stderr:"
      head -n 20 "$work.stderr"
    fi
  )
  if [ -z "$trouble" ]; then
    passed=$((passed + 1))
  else
    printf 'FAILED %s\n%s\n' "$name" "$trouble"
    failed=$((failed + 1))
  fi
done

line="$passed passed, $failed failed"
[ $skipped = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
