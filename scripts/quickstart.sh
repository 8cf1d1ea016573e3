#!/usr/bin/env bash
# From a fresh Debian 12 machine to imgmill's main job done: installs what is missing, builds imgmill, and runs
# configs/quickstart.yaml on the pictures in sample_data/. A second run only does what is left to do.
#
# Two files in sample_data/ are broken on purpose, so the run itself ends with exit code 1 ("done, some images
# failed"); this script ends with 0 when exactly these two failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

broken_on_purpose='not_an_image.jpg truncated.jpg'
output=quickstart_out

scripts/setup.sh
build=build/release
mkdir -p $build
if ! cmake --preset release >$build/configure.log 2>&1; then cat $build/configure.log >&2; exit 1; fi
# The LibTorch module is built too, though this pipeline needs no model: `imgmill upscale --model` is ready after it.
cmake --build --preset release --target imgmill imgmill_torch

echo
echo "\$ imgmill run configs/quickstart.yaml"
status=0
table=$($build/bin/imgmill run configs/quickstart.yaml) || status=$?
echo "$table"
if [ $status != 0 ] && [ $status != 1 ]; then
  echo "quickstart: the run ended with exit code $status" >&2
  exit $status
fi

# column STEP N: a figure of the table that the run printed (step, listed, kept, dropped, failed)
column() { awk -v step="$1" -v column="$2" '$1 == step { print $column }' <<<"$table"; }
# A failed image's "path" stands right above its "stage" in the report.
failed=$(awk -F'"' '$2 == "path" { path = $4 } $2 == "stage" { print path }' $output/report.json |
  sed 's#.*/##' | sort -u | paste -sd' ')

cat <<EOF

Of $(column filter 2) files in sample_data/, $(column filter 4) were dropped for their quality and $(column dedup 4) as duplicates, and $(column filter 5) failed: $failed
The $(column tile 2) that were kept gave $(column upscale 2) tiles; twice as large they are in $output/upscale/, a vector of each in $output/vectors.npy
What happened to each file: open $output/report.html (or read $output/report.json); what each is for: sample_data/README.md
EOF
if [ $status = 1 ] && [ "$failed" = "$broken_on_purpose" ]; then
  echo "The run's exit code was 1, \"done, some images failed\": those two are broken on purpose. All is well."
else
  echo "quickstart: exit code $status; exactly these should have failed: $broken_on_purpose" >&2
  exit 1
fi
