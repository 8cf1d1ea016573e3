#!/usr/bin/env bash
# The nightly work of a product catalogue, over 1000 pictures: each night's arrivals are matched against the catalogue, the
# results go to a CSV, then they are embedded into it. A table of the memory of each night's two processes: before the
# first picture (the program, libraries and weights), at the highest, and after the last one.
#
# Usage: bench/catalogue.sh [--nights N] [--photos FOLDER] [-- OPTIONS OF A MODEL]
# Environment: IMGMILL (build/release/bin/imgmill); PEERS, where bench/peers/setup.sh made the corpus of 1000 photos
# (~/.cache/imgmill-peers).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

nights=5 photos=${PEERS:-$HOME/.cache/imgmill-peers}/corpus/photos
model=()
while [ $# -gt 0 ]; do
  case "$1" in
    --nights) nights=$2; shift 2 ;;
    --photos) photos=$2; shift 2 ;;
    --) shift; model=("$@"); break ;;
    *) echo "catalogue.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=$(realpath "${IMGMILL:-build/release/bin/imgmill}")
[ -d "$photos" ] || { echo "catalogue.sh: no $photos; run bench/peers/setup.sh" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
catalog=$scratch/catalog

mapfile -t all < <(find "$(realpath "$photos")" -type f | sort)
each=$((${#all[@]} / nights))

# memory STEP: its seconds, and MiB before, peak and after, from its report; and that no image failed.
memory() {
  python3 - "$scratch/$1.json" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1]))
memory = report["memory"]
assert not report["failed"], report["failed"]
mib = [f"{memory[key] / 2**20:.1f}" for key in ("fixed", "peak_resident", "resident")]
print(" | ".join([f"{report['seconds']:.1f}"] + mib))
PYTHON
}

echo "| night | arrivals | in the catalogue | matches | match, s | before MiB | peak | after | embed, s | before MiB | peak | after |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|"
for ((night = 0; night < nights; ++night)); do
  new=$scratch/arrivals-$night
  mkdir "$new"
  for file in "${all[@]:night * each:each}"; do ln "$file" "$new/" 2>/dev/null || cp "$file" "$new/"; done
  matched="- | - | - | -" matches=-
  if ((night > 0)); then
    "$imgmill" match "$new" --catalog "$catalog" --top 1 --min-similarity 0.9 --format csv --quiet \
      --report "$scratch/match.json" "${model[@]}" >"$scratch/matches-$night.csv"
    matched=$(memory match) matches=$(($(wc -l <"$scratch/matches-$night.csv") - 1))
  fi
  "$imgmill" embed "$new" --catalog "$catalog" --quiet --report "$scratch/embed.json" "${model[@]}"
  echo "| $((night + 1)) | $each | $((night * each)) | $matches | $matched | $(memory embed) |"
done
