# Sourced by the tests in this folder: leaves them where there is no browser, puts them into a folder of their own with
# configs/ and sample_data/, and counts what passes.

set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
IMGMILL=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
if ! command -v chromium >/dev/null; then
  echo "SKIPPED: no chromium on this machine"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$root/configs" "$root/sample_data" "$scratch"
cd "$scratch" || exit 1
export XDG_STATE_HOME=$scratch/state
passed=0 failed=0

# note ok|FAILED WHAT
note() {
  if [ "$1" = ok ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "FAILED $2"
  fi
}

# check WHAT EXPECTED FOUND
check() { [ "$2" = "$3" ] && note ok || note FAILED "$1: expected $2, found $3"; }

# dom FILE SIZE: the page as the browser has it after its scripts, in a window of WIDTH,HEIGHT.
dom() {
  timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --window-size="$2" \
    --user-data-dir="$scratch/profile" --dump-dom "file://$scratch/$1" 2>browser.err
}

finish() {
  [ "$failed" = 0 ] || tail -n 5 browser.err
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
