#!/usr/bin/env bash
# Runs the examples of README.md and docs/*.md, so that what users are shown is what they get.
#
# An example is a fenced ```sh block right below a line `<!-- run -->`, or `<!-- run exit=1 -->` where it ends with
# another exit code than 0; it ends at its first command that fails. A fenced block right below a line `<!-- printed -->`
# holds lines that the example before must have printed, in this form, to stdout or stderr; a line `...` stands for others.
# The examples of one document share a fresh folder with imgmill on the PATH, copies of configs/, sample_data/ and, as
# animations/, tests/golden/frames/, and an empty HOME.
#
# Usage: tests/docs/test_examples.sh [DOCUMENT]...
# Environment: IMGMILL, the program (build/release/bin/imgmill).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
IMGMILL=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
[ -x "$IMGMILL" ] || { echo "test_examples.sh: no program $IMGMILL; build it or set IMGMILL" >&2; exit 2; }
if [ $# -eq 0 ]; then cd "$root" && set -- README.md docs/*.md; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/blocks"
ln -s "$IMGMILL" "$scratch/bin/imgmill"

# Writes each marked block of a document to a file of its own, named NUMBER.LINE.run.EXIT or NUMBER.LINE.printed.
extract() {
  awk -v folder="$2" '
    function complain(what) { print FILENAME ":" FNR ": " what > "/dev/stderr"; bad = 1 }
    /^<!-- run( exit=[0-9]+)? -->$/ { code = 0; if (split($0, part, "=") > 1) code = part[2] + 0; mark = "run." code; next }
    /^<!-- printed -->$/ { mark = "printed"; next }
    /^<!-- (run|printed)/ { complain("a mark that is neither run, run exit=N nor printed") }
    /^```/ && inside { inside = 0; if (file) close(file); file = ""; next }
    /^```/ {
      inside = 1
      if (mark ~ /^run/ && $0 != "```sh") complain("an example must be a ```sh block")
      if (mark) { file = sprintf("%s/%03d.%d.%s", folder, ++blocks, FNR, mark); printf "" > file }
      mark = ""
      next
    }
    inside { if (file) print > file; next }
    mark { complain("nothing to run below the mark"); mark = "" }
    END { exit bad }' "$1"
}

# Each line of the first file must be in the second.
missing_line() {
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    [ "$line" = ... ] || grep -qxF -- "$line" "$2" || { printf '%s\n' "$line"; return; }
  done <"$1"
}

passed=0 failed=0
fail() { printf 'FAILED %s:%s: %s\n' "$document" "$line" "$1"; failed=$((failed + 1)); }
for document; do
  work=$scratch/work blocks=$scratch/blocks/$(basename "$document") output=$scratch/output
  rm -rf "$work" "$work.home" "$output"
  mkdir -p "$blocks" "$work/build" "$work.home"
  cp -r "$root/configs" "$work/configs"
  cp -r "$root/sample_data" "$work/sample_data"
  cp -r "$root/tests/golden/frames" "$work/animations"
  line=1
  extract "$document" "$blocks" || fail "its marks are wrong"
  for block in "$blocks"/*; do
    [ -e "$block" ] || continue
    IFS=. read -r _ line kind expected <<<"$(basename "$block")"
    if [ "$kind" = printed ]; then
      absent=$(missing_line "$block" "$output" 2>&1)
      if [ -n "$absent" ]; then fail "not printed: $absent"; sed 's/^/    /' "$output"; else passed=$((passed + 1)); fi
      continue
    fi
    (cd "$work" && env -u XDG_STATE_HOME HOME="$work.home" PATH="$scratch/bin:$PATH" LC_ALL=C.UTF-8 \
      timeout --kill-after=10 240 bash -e "$block" </dev/null >"$output" 2>&1)
    status=$?
    if [ $status != "$expected" ]; then
      fail "exit code $status, expected $expected"; sed 's/^/    /' "$output"
    else
      passed=$((passed + 1))
    fi
  done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
