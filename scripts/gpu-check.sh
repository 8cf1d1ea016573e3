#!/usr/bin/env bash
# Builds the core-only configuration against the LibTorch of the active python3 (or $LIBTORCH) and runs the device
# tests on this machine's accelerator. Ends with a table; says "no GPU here" where there is none.
# Usage: scripts/gpu-check.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/gpu-check}

if [ -z "${LIBTORCH:-}" ]; then
  LIBTORCH=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null || true)
  export LIBTORCH
fi
generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DIMGMILL_CORE_ONLY=ON >&2
cmake --build "$build" -j "$(nproc)" --target test_torch >&2

test=$build/bin/test_torch
output=$("$test" --test-case='accelerator*' --no-path-filenames=true 2>&1) && status=0 || status=$?
printf '%s\n' "$output" >&2
if grep -q 'no GPU here' <<<"$output"; then
  echo "no GPU here"
  exit 0
fi

echo "| device check | result |"
echo "|---|---|"
cases=$("$test" --test-case='accelerator*' --list-test-cases --no-version=true | grep '^accelerator') || true
while IFS= read -r name; do
  # A comma in a name would separate two filters.
  if "$test" --test-case="${name//,/\\,}" >/dev/null 2>&1; then result=passed; else result=FAILED; fi
  echo "| ${name#accelerator: } | $result |"
done <<<"$cases"
grep -oE '(largest difference|output megapixels|cuda:|hip:|xpu:|mps:|a filled card|fragmented|prediction error|20 batches).*' <<<"$output" | sed 's/^/| measured | /; s/$/ |/' || true
exit "$status"
