#!/usr/bin/env bash
# Feeds every reader of ours with made-up files, under libFuzzer with the address and undefined behaviour sanitizers:
# 20 seconds each in CI, minutes each by hand. docs/fuzzing.md says what each program tries and what was found.
#
# Usage: scripts/fuzz.sh [--seconds N] [--timeout N] [--jobs N] [--seed N] [READER]...
#   READER       of tests/fuzz/READER.cpp (all)
#   --seconds N  for each reader (20)
#   --timeout N  seconds of one input that count as a hang (2); more on a machine that is busy with something else
#   --jobs N     readers at the same time (as many as there are cores)
#   --seed N     begin with these random numbers, so that two runs are much alike (others each time)
# What is learned is kept in build/fuzz/corpus, so that the next run begins there; inputs that did harm lie in
# build/fuzz/found. Ends with a table, also in build/fuzz/table.md; fails if anything was found.
# Environment: IMGMILL_TEST_ASSETS, whose small files are tried too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

seconds=20 timeout=2 jobs=$(nproc) seed=0 readers=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds=$2; shift 2 ;;
    --timeout) timeout=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    -*) sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) readers+=("$1"); shift ;;
  esac
done
if [ ${#readers[@]} = 0 ]; then
  for file in tests/fuzz/*.cpp; do
    reader=$(basename "$file" .cpp)
    [ "$reader" = make_seeds ] || readers+=("$reader")
  done
fi
for reader in "${readers[@]}"; do
  [ -e "tests/fuzz/$reader.cpp" ] || { echo "fuzz.sh: there is no tests/fuzz/$reader.cpp" >&2; exit 2; }
done

build=build/fuzz
scripts/setup.sh --no-torch --with clang-16 --with libclang-rt-16-dev --with llvm-16  # the last one for names in traces
mkdir -p "$build"
cmake --preset fuzz >"$build/configure.log" 2>&1 || { cat "$build/configure.log" >&2; exit 1; }
case " ${readers[*]} " in *" yaml_options "* | *" pipeline "*)
  # Their flags are those of the commands, as they are for users: see tests/fuzz/CMakeLists.txt.
  mkdir -p build/release
  [ -e build/release/CMakeCache.txt ] || cmake --preset release -DIMGMILL_TORCH=OFF >"$build/configure.log" 2>&1 ||
    { cat "$build/configure.log" >&2; exit 1; }
  cmake --build --preset release --target imgmill_cli >"$build/build.log" 2>&1 ||
    { grep -E 'error|FAILED' "$build/build.log" | head -n 40 >&2; exit 1; } ;;
esac
targets=(fuzz_seeds)
for reader in "${readers[@]}"; do targets+=("fuzz_$reader"); done
cmake --build --preset fuzz --target "${targets[@]}" >"$build/build.log" 2>&1 ||
  { grep -E 'error|FAILED' "$build/build.log" | head -n 40 >&2; exit 1; }

# What to begin with: the seeds program's, and pictures by the endings of their names.
rm -rf "$build/seeds"
mkdir -p "$build/seeds" "$build/corpus" "$build/found" "$build/logs"
"$build/bin/fuzz_seeds" "$build/seeds"
pictures() {  # READER ENDING...
  local reader=$1 ending folder
  shift
  mkdir -p "$build/seeds/$reader"
  for ending in "$@"; do
    for folder in tests/corpus/files tests/golden/frames sample_data ${IMGMILL_TEST_ASSETS:+"$IMGMILL_TEST_ASSETS/odd"}; do
      find "$folder" -type f -iname "*.$ending" -size -32k -print0
    done
  done | while IFS= read -r -d '' file; do cp "$file" "$build/seeds/$reader/$(tr / _ <<<"${file#/}")"; done
}
pictures jpeg_rows jpg jpeg mpo
pictures png png
pictures tiff tif tiff
pictures heif heic heif avif
pictures pnm pbm pgm ppm pam pfm
pictures stills bmp tga ico qoi dds sgi
pictures tiff_facts tif tiff
pictures tiff_exif tif tiff
pictures missing_end gif jp2 j2k webp avif png exr
# Small ones, drawn for this.
mkdir -p "$build/seeds/video"
videos() {  # NAME CODEC...
  ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=64x48:r=10:d=0.5 "${@:2}" "$build/seeds/video/$1"
}
videos a.mp4 -pix_fmt yuv420p -c:v libx264 -movflags +faststart
videos a.mkv -pix_fmt yuv420p10 -c:v libx264
videos a.webm -pix_fmt yuv420p -c:v libvpx-vp9
videos a.ts -pix_fmt yuv420p -c:v mpeg2video
videos a.avi -pix_fmt yuvj420p -c:v mjpeg
videos b.avi -pix_fmt yuv420p -c:v mpeg4
videos a.flv -pix_fmt yuv420p -c:v flv1
videos a.mov -pix_fmt yuv422p10 -c:v prores_ks
pictures frames gif png webp jxl tif tiff
pictures image_count png heic avif tif mpo
pictures tiff_directory tif tiff
pictures block_rows tif tiff jp2 j2k
pictures image jpg jpeg png webp gif tif tiff avif heic jp2 j2k jxl hdr exr pfm ppm pgm pbm pam bmp tga ico qoi dds sgi
mkdir -p "$build/seeds/parquet"
cp tests/golden/tables/*.parquet "$build/seeds/parquet/"
mkdir -p "$build/seeds/tar_index"
for format in v7 ustar gnu oldgnu pax; do
  tar --format "$format" -b 1 -cf "$build/seeds/tar_index/$format.tar" .clang-format scripts/format.sh
done
long=$(printf 'long_%.0s' {1..40})
tar --format gnu -b 1 --transform "s,.*,$long," -cf "$build/seeds/tar_index/gnu-long.tar" .clang-format
tar --format pax -b 1 --transform "s,.*,$long," -cf "$build/seeds/tar_index/pax-long.tar" .clang-format
cat "$build/seeds/tar_index/"{gnu,pax}.tar >"$build/seeds/tar_index/joined.tar"
mkdir -p "$build/seeds/pipeline" "$build/seeds/yaml_options" "$build/seeds/checkpoint"
cp configs/*.yaml "$build/seeds/pipeline/"
cp configs/*.yaml "$build/seeds/yaml_options/"
if [ -n "${IMGMILL_TEST_ASSETS:-}" ]; then
  # Their beginnings hold the directory of tensors, but for ZIP archives, which have it at their end.
  find "$IMGMILL_TEST_ASSETS/weights" -type f -regex '.*\.\(pth\|pt\|th\|safetensors\)' -print0 |
    while IFS= read -r -d '' file; do head -c 32768 "$file" >"$build/seeds/checkpoint/$(tr / _ <<<"${file#/}")"; done
fi

# Sizes that nobody has must come back as null, as from the kernel. And new memory is filled whole with one value, as
# src/image/heif/hevc_decoder.cpp has it while libde265 decodes: what that leaves undecoded must not count as a difference.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
ASAN_OPTIONS+=:max_malloc_fill_size=1073741824:malloc_fill_byte=128
export UBSAN_OPTIONS=print_stacktrace=1
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-16)
export ASAN_SYMBOLIZER_PATH build seconds timeout seed
fuzz_one() {
  local reader=$1 leaks=1
  # libvips and dav1d lose some bytes of damaged OpenEXR and AVIF files, which is not ours to mend.
  case "$reader" in frames | image | heif | tiff | png | stills | video) leaks=0 ;; esac
  mkdir -p "$build/corpus/$reader" "$build/seeds/$reader"
  ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=$leaks "$build/bin/fuzz_$reader" \
    -max_total_time="$seconds" -timeout="$timeout" -rss_limit_mb=1024 -max_len=32768 -seed="$seed" \
    -print_final_stats=1 -close_fd_mask=2 -artifact_prefix="$build/found/$reader-" \
    "$build/corpus/$reader" "$build/seeds/$reader" >"$build/logs/$reader.log" 2>&1
}
export -f fuzz_one
printf '%s\n' "${readers[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}; echo $? >"$build/logs/{}.status"'

# The last line with numbers that libFuzzer printed for a reader: "#N ... cov: N ft: N corp: N/... exec/s: N rss: NMb".
row() {
  local log=$build/logs/$1.log line number
  line=$(grep -aE '^#[0-9]+.* cov: ' "$log" | tail -n 1)
  number() { sed -nE "s/.*$1([0-9]+).*/\1/p" <<<"$line"; }
  printf '| %s | %s | %s | %s | %s | %s MB | %s |\n' "$1" "$(find "$build/seeds/$1" -type f | wc -l)" \
    "$(number '^#')" "$(number ' cov: ')" "$(number ' corp: ')" "$(number 'rss: ')" "$2"
}
failed=0
{
  echo "| reader | seeds | executions | edges | corpus | memory | found |"
  echo "|---|---|---|---|---|---|---|"
  for reader in "${readers[@]}"; do
    found=nothing
    if [ "$(cat "$build/logs/$reader.status")" != 0 ]; then
      found=$(grep -aE 'SUMMARY: |runtime error: ' "$build/logs/$reader.log" | head -n 1)
      found=${found:-see $build/logs/$reader.log}
      failed=1
    fi
    row "$reader" "$found"
  done
} >"$build/table.md"
cat "$build/table.md"
for reader in "${readers[@]}"; do
  [ "$(cat "$build/logs/$reader.status")" = 0 ] || { echo "--- $reader"; tail -n 40 "$build/logs/$reader.log"; } >&2
done
exit $failed
