#!/usr/bin/env bash
# Measures `imgmill frames` against ffmpeg on one video, as whole processes: all frames as PNG, every tenth as JPEG, and
# the first of each scene: time and peak resident memory.
#
# Usage: bench/frames.sh [--runs N] [--threads N] [--seconds N] [--video FILE] [--out FOLDER]
#   --video  in place of the one that is drawn: H.264 of 1920x1080, 25 frames a second, with noise
#   --out    where the frames go and are removed again (a temporary folder). imgmill waits for the disk before it gives a
#            frame its name, ffmpeg leaves that to the system.
# Environment: IMGMILL (build/release/bin/imgmill).
#
# Both convert colours alike, with the flags that docs/frames.md names, and write PNG at level 1. The runs alternate, since
# a machine's speed drifts; the figures are medians.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=3 threads=2 seconds=4 video='' where=
while [ $# -gt 0 ]; do
  case "$1" in
    --runs) runs=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --video) video=$2; shift 2 ;;
    --out) where=$2; shift 2 ;;
    *) echo "frames.sh: unknown argument $1" >&2; exit 2 ;;
  esac
done
imgmill=${IMGMILL:-build/release/bin/imgmill}
[ -x "$imgmill" ] || { echo "frames.sh: no $imgmill; build it or set IMGMILL" >&2; exit 3; }

scratch=$(mktemp -d)
out=$(mktemp -d ${where:+-p "$where"})
trap 'rm -rf "$scratch" "$out"' EXIT
. bench/timing.sh
if [ -z "$video" ]; then
  video=$scratch/drawn.mp4
  ffmpeg -nostdin -v error -f lavfi -i "testsrc2=s=1920x1080:r=25:d=$seconds,noise=alls=6:allf=t" -pix_fmt yuv420p \
    -c:v libx264 -preset veryfast -crf 20 "$video"
fi

# own NAME OPTION...; peer NAME FILTER OPTION...: into an empty folder.
own() {
  rm -rf "$out/own"
  measure "imgmill-$1" "$imgmill" frames "$video" -o "$out/own" -j "$threads" --no-catalog --quiet "${@:2}"
}
peer() {
  rm -rf "$out/peer" && mkdir "$out/peer"
  measure "ffmpeg-$1" ffmpeg -nostdin -v error -threads "$threads" -i "$video" -map 0:v:0 -fps_mode passthrough \
    -sws_flags bicubic+accurate_rnd+full_chroma_int ${2:+-vf "$2"} -threads "$threads" "${@:3}"
}
for ((run = 1; run <= runs; ++run)); do
  own png
  peer png '' -pix_fmt rgb24 -compression_level 1 "$out/peer/%06d.png"
  own tenth --every 10 --format jpg
  peer tenth "select='not(mod(n,10))'" -q:v 2 "$out/peer/%06d.jpg"
  own scenes --scene-change 0.3 --format jpg
  peer scenes "select='eq(n,0)+gt(scene,0.3)'" -q:v 2 "$out/peer/%06d.jpg"
done

echo "$threads threads, medians of $runs runs:"
echo
echo "| | imgmill s | MiB | ffmpeg s | MiB |"
echo "|---|---|---|---|---|"
for what in png tenth scenes; do
  printf '| %s | %s | %s | %s | %s |\n' "$what" "$(median imgmill-$what 1)" "$(median imgmill-$what 2)" \
    "$(median ffmpeg-$what 1)" "$(median ffmpeg-$what 2)"
done
