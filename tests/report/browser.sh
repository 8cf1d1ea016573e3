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

# found NAME: a field of $counts, JSON that a page was made to tell.
found() { grep -o "\"$1\":\(\"[^\"]*\"\|[^,}]*\)" <<<"$counts" | head -n 1 | sed "s/^\"$1\"://; s/^\"//; s/\"\$//"; }

# The browser makes a socket in its temporary folder, whose path must be short.
# dom FILE SIZE: the page as the browser has it after its scripts, in a window of WIDTH,HEIGHT.
dom() {
  TMPDIR=/tmp timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --window-size="$2" \
    --user-data-dir="$scratch/profile" --dump-dom "file://$scratch/$1" 2>browser.err
}

# ask METHOD PARAMETERS: what a browser that waits on the pipes of its DevTools protocol answers.
ask() {
  local id=$RANDOM reply
  printf '{"id":%d,"method":"%s","params":%s%s}\0' "$id" "$1" "$2" "${page:+,\"sessionId\":\"$page\"}" >&"$to"
  while IFS= read -r -t 60 -d '' reply <&"$from"; do
    case $reply in "{\"id\":$id,"*) break ;; esac
  done
  printf '%s' "$reply"
}

# live FILE SIZE EXPRESSION: its value, as JSON, once the page is there, in a browser that goes on drawing.
live() {
  local page= target ready to from browser
  [ -p to ] || mkfifo to from
  TMPDIR=/tmp chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$scratch/profile.live" \
    --remote-debugging-pipe about:blank 3<to 4>from 2>browser.err &
  browser=$!
  exec {to}>to {from}<from
  target=$(ask Target.createTarget '{"url":"about:blank"}' | sed 's/.*"targetId":"\([^"]*\)".*/\1/')
  page=$(ask Target.attachToTarget "{\"targetId\":\"$target\",\"flatten\":true}" | sed 's/.*"sessionId":"\([^"]*\)".*/\1/')
  ask Emulation.setDeviceMetricsOverride "{\"width\":${2%,*},\"height\":${2#*,},\"deviceScaleFactor\":1,\"mobile\":false}" >/dev/null
  ask Page.navigate "{\"url\":\"file://$scratch/$1\"}" >/dev/null
  for _ in {1..600}; do
    ready=$(ask Runtime.evaluate '{"expression":"document.readyState"}')
    case $ready in *complete*) break ;; esac
    sleep 0.1
  done
  ask Runtime.evaluate "{\"expression\":\"$3\",\"awaitPromise\":true,\"returnByValue\":true}"
  page=
  ask Browser.close '{}' >/dev/null
  wait "$browser"
  exec {to}>&- {from}<&-
  rm -rf "$scratch/profile.live"
}

finish() {
  [ "$failed" = 0 ] || tail -n 5 browser.err
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
