#!/usr/bin/env bash
# An installed tree, moved: the program runs in it, finds its module and LibTorch by the rule of docs/install.md or says
# what is missing, a program of somebody else's builds against it, and man renders its pages.
# Environment: IMGMILL, the program in its build folder (build/release/bin/imgmill); IMGMILL_TEST_ASSETS.
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
install_and_move
installed=$tree/bin/imgmill
libtorch=$(readlink -f "$build/lib/libtorch" || true)
unset LIBTORCH
cd "$scratch"

# The program.
check "it runs where it was moved" "$installed" --version
check "nothing in it remembers where it was built or installed" bash -c "
  ! grep -rlaF -e '$scratch/prefix' '$tree' && ! readelf -d '$tree'/bin/* '$tree'/lib/*.so '$tree'/lib/imgmill/*.so |
    grep -E '(RUNPATH|RPATH)' | grep -vE '\[\\\$ORIGIN(/\.\.(/lib)?)?\]'"
"$imgmill" dedup --no-catalog "$samples" >expected 2>/dev/null
"$installed" dedup --no-catalog "$samples" >found 2>/dev/null
status=$?
check "dedup's exit code, with two broken samples" [ $status = 1 ]
check "dedup says what it says in the build folder" cmp expected found

# The examples of the documents, by what is installed.
mkdir examples
ln -s "$tree" prefix
(cd examples && PATH=$tree/bin:$PATH bash <(example samples) >table 2>/dev/null)
check "the pipeline of docs/install.md runs on what is installed" grep -q '^embed  *36  *36  *0  *0$' examples/table
check "and only what it needs is" [ ! -e "$tree/share/doc/imgmill/sample_data/draw" ]
rm prefix

# Models. $1: what; the rest: the environment. The pixels must be the build folder's.
upscales() {
  local what=$1
  shift
  rm -rf out
  check "$what" env "$@" "$installed" upscale "$picture" --model "$model" -o out --kernels "$kernels"
  check "$what: the same pixels" cmp "out_of_the_build_$kernels/harbour.png" out/harbour.png
}
if [ ! -e "$tree/lib/imgmill/libimgmill_torch.so" ]; then
  skip "models: built without LibTorch"
elif [ -z "${IMGMILL_TEST_ASSETS:-}" ]; then
  skip "models: IMGMILL_TEST_ASSETS is not set"
else
  model=$IMGMILL_TEST_ASSETS/weights/realesrgan/realesr-animevideov3-x4.pth
  cp "$samples/harbour.jpg" harbour.jpg
  picture=$scratch/harbour.jpg
  for kernels in auto reference; do
    "$imgmill" upscale "$picture" --model "$model" -o "out_of_the_build_$kernels" --kernels "$kernels" >/dev/null 2>&1
  done

  kernels=auto
  upscales "our own kernels, without LibTorch" PATH=/usr/sbin:/sbin
  kernels=reference
  env PATH=/usr/sbin:/sbin "$installed" upscale "$picture" --model "$model" -o out --kernels reference --force 2>error
  status=$?
  check "without LibTorch its part cannot be done: exit code 3" [ $status = 3 ]
  for words in "is needed, and was not found" "\$LIBTORCH: not set" "lib/imgmill/libtorch has no lib/libtorch_cpu.so" "pip install torch=="; do
    check "and the reason names what was tried, and what helps" grep -qF "$words" error
  done
  upscales "LibTorch by \$LIBTORCH" LIBTORCH="$libtorch"
  mkdir -p python/bin python/lib/python3.11/site-packages
  printf '#!/bin/sh\nexit 1\n' >python/bin/python3
  chmod +x python/bin/python3
  ln -s "$libtorch" python/lib/python3.11/site-packages/torch
  upscales "LibTorch of the active python3, which need not be run" PATH="$scratch/python/bin:/usr/bin:/bin"
  ln -s "$tree" prefix
  check "the link of docs/install.md" env LIBTORCH="$libtorch" bash -e <(example link)
  rm prefix
  upscales "LibTorch beside the module" PATH=/usr/bin:/bin
  check "dedup does not map it" bash -c "! LD_DEBUG=libs '$installed' dedup --no-catalog '$samples/holiday' 2>&1 | grep -q torch"
fi

# The program of docs/install.md against libimgmill: ten lines and the includes.
mkdir ten_lines
example program >ten_lines/main.cpp
{
  echo 'cmake_minimum_required(VERSION 3.25)'
  echo 'project(my_program CXX)'
  echo 'add_executable(my_program main.cpp)'
  example cmake
} >ten_lines/CMakeLists.txt
check "find_package finds libimgmill" cmake -S ten_lines -B ten_lines/build -DCMAKE_PREFIX_PATH="$tree"
check "a program builds against it" cmake --build ten_lines/build
# What imagededup 0.3.3 says of the same file: PHash().encode_image("sample_data/harbour.jpg")
check "and hashes as imagededup does" [ "$(ten_lines/build/my_program "$samples/harbour.jpg")" = "jpeg 8a8b4b46b06ba7f6" ]
check "and gives errors as values" [ "$(ten_lines/build/my_program "$samples/not_an_image.jpg")" = \
  "$samples/not_an_image.jpg: cannot probe: it is text, not an image" ]

# Manual pages: one a command, without a warning of groff's, with every flag that the help has, and a guide.
page() { man --warnings -E UTF-8 --no-hyphenation -l "$tree/share/man/man1/$1.1" 2>"$scratch/warnings" | col -b; }
if ! command -v man >/dev/null; then
  skip "manual pages: no man on this machine"
else
  export MANWIDTH=200
  page imgmill >rendered_program
  check "imgmill(1) has text and no warnings" [ -s rendered_program -a ! -s warnings ]
  for command in $(commands); do
    check "imgmill(1) names imgmill-$command(1)" grep -qF "imgmill-$command(1)" rendered_program
    page "imgmill-$command" >rendered
    check "imgmill-$command(1) has no warnings" [ ! -s warnings ]
    missing=$(for flag in $(flags "$command"); do grep -qE -- "^ +(.*, )?$flag( |,|$)" rendered || echo "$flag"; done)
    check "imgmill-$command(1) has all flags of the help, not: $missing" [ -z "$missing" ]
    check "imgmill-$command(1) names a guide that is there" [ -s "$tree/share/doc/imgmill/$command.md" ]
  done
fi
finish
