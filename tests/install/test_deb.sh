#!/usr/bin/env bash
# The Debian package: it declares what its programs need, runs from wherever it is unpacked, and, as root, is installed
# with apt, used, and removed again.
# Environment: IMGMILL, the program in its build folder (build/release/bin/imgmill); IMGMILL_TEST_ASSETS.
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
for tool in cpack dpkg-deb dpkg-shlibdeps; do
  command -v $tool >/dev/null || { skip "the Debian package: no $tool on this machine"; finish; exit; }
done
libtorch=$(readlink -f "$build/lib/libtorch" || true)
model=${IMGMILL_TEST_ASSETS:-}/weights/realesrgan/realesr-animevideov3-x4.pth
unset LIBTORCH
cd "$scratch"

mapfile -t lines < <(example package)  # making it, installing it
check "cpack makes it" bash -ec "${lines[0]}"
deb=$(echo *.deb)
[ -e "$deb" ] || { finish; exit 1; }
field() { dpkg-deb -f "$deb" "$1"; }
check "its name" [ "$(field Package)" = imgmill ]
check "its version is the program's" [ "imgmill $(field Version)" = "$("$imgmill" --version)" ]
check "it wants no package of LibTorch" [ -z "$(field Depends | grep -i torch)" ]

# Dependencies are declared if each library that a program or library of the package names is its own, LibTorch's, or
# of a package that Depends names.
dpkg-deb -x "$deb" unpacked
depends=$(field Depends | tr ',' '\n' | awk '{ print $1 }')
undeclared=
for file in unpacked/usr/bin/imgmill unpacked/usr/lib/lib*.so unpacked/usr/lib/imgmill/*.so; do
  for library in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    case $library in libimgmill*|libc10.so|libtorch_cpu.so) continue ;; esac
    path=$(ldconfig -p | awk -v name="$library" '$1 == name { print $NF; exit }')
    # dpkg knows a file by the path it was installed to, which a merged /usr may have changed.
    owner=$(dpkg -S "$path" "${path#/usr}" "$(readlink -f "$path")" 2>/dev/null | head -n 1 | cut -d : -f 1)
    names=$(dpkg-query -W -f '${Package}, ${Provides}' "${owner:-none}" | tr ',' '\n' | awk '{ print $1 }')
    grep -qxF "${names:-none}" <<<"$depends" || undeclared+=" $library($owner)"
  done
done
check "all its libraries are declared, not:$undeclared" [ -z "$undeclared" ]
check "it runs where it is unpacked" unpacked/usr/bin/imgmill --version
for path in bin/imgmill share/man/man1/imgmill-dedup.1 share/bash-completion/completions/imgmill \
  share/zsh/vendor-completions/_imgmill share/fish/vendor_completions.d/imgmill.fish lib/cmake/imgmill/imgmillConfig.cmake \
  include/imgmill/image/reader.h share/doc/imgmill/install.md share/doc/imgmill/configs/quickstart.yaml share/doc/imgmill/sample_data/harbour.jpg share/imgmill/models/sr-x4.safetensors; do
  check "it holds $path" [ -s "unpacked/usr/$path" ]
done

if [ "$(id -u)" != 0 ] || [ ! -w /usr/bin ]; then
  skip "installing the package: needs root"
elif dpkg-query -W -f '${db:Status-Status}' imgmill 2>/dev/null | grep -qx installed; then
  skip "installing the package: imgmill is installed on this machine, and stays as it is"
else
  exec 9>/run/lock/imgmill-test-deb  # another run of this test on the same machine
  flock 9
  apt=(apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300)
  trap '"${apt[@]}" purge imgmill >/dev/null 2>&1; rm -rf "$scratch"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  check "apt installs it" "${apt[@]}" ${lines[1]#apt }
  # Containers often leave out what is in share/doc and share/man.
  check "its files are as they were packed" [ -z "$(dpkg -V imgmill | grep -vE ' /usr/share/(doc|man)/')" ]
  check "it runs" /usr/bin/imgmill --version
  /usr/bin/imgmill dedup --no-catalog "$samples" >found 2>/dev/null
  "$imgmill" dedup --no-catalog "$samples" >expected 2>/dev/null
  check "dedup says what it says in the build folder" cmp expected found
  check "doctor finds all well" /usr/bin/imgmill doctor
  check "the loader knows the library" bash -c 'ldconfig -p | grep libimgmill.so.0 >/dev/null'
  if [ -e /usr/lib/imgmill/libimgmill_torch.so ] && [ -e "$model" ]; then
    check "a model on our own kernels" env PATH=/usr/bin:/bin /usr/bin/imgmill upscale "$samples/harbour.jpg" --model "$model" -o ours
    PATH=/usr/bin:/bin /usr/bin/imgmill upscale "$samples/harbour.jpg" --model "$model" -o out --kernels reference 2>error
    status=$?
    check "a model without LibTorch: exit code 3" [ $status = 3 ]
    check "a model without LibTorch: says so" grep -qF "is needed, and was not found" error
    check "a model with LibTorch" env LIBTORCH="$libtorch" /usr/bin/imgmill upscale "$samples/harbour.jpg" --model "$model" -o out --kernels reference
  else
    skip "a model by the package: IMGMILL_TEST_ASSETS is not set, or built without LibTorch"
  fi
  check "apt removes it" "${apt[@]}" purge imgmill
  check "and nothing is left" bash -c '! ls -d /usr/bin/imgmill /usr/lib/imgmill /usr/include/imgmill /usr/share/doc/imgmill 2>/dev/null'
fi
finish
