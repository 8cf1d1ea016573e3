#!/usr/bin/env bash
# Runs the tests of memory limits under control groups of version 2, in a virtual machine: a machine whose memory
# controller belongs to version 1 (or to a container's host) cannot try them otherwise. A Debian kernel is booted on
# this machine's own file tree, read-only, with a disk of its own for what the tests write. By hand, as root.
#
# Usage: scripts/cgroup2-check.sh [TEST_CASES]    (a doctest filter; default: those that make a control group)
# Environment: IMGMILL_TEST_ASSETS, as for scripts/test.sh; IMGMILL_KVM=1 to use /dev/kvm instead of emulation.
# Needs build/release and 4 GiB of memory.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
test=$root/build/release/bin/test_commands
cases=${1:-'*kernel limit*,*control group*'}
[ -x "$test" ] || { echo "cgroup2-check: no $test; scripts/test.sh builds it" >&2; exit 2; }
assets=${IMGMILL_TEST_ASSETS:-}
[ -z "$assets" ] || assets=$(cd "$assets" && pwd)

scripts/setup.sh --with qemu-system-x86 --with busybox-static --with cpio --with kmod --with e2fsprogs
vm=$root/build/cgroup2
mkdir -p "$vm"

# The kernel is unpacked, not installed: this machine continues to boot its own.
if [ ! -e "$vm/kernel/boot" ]; then
  package=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ {print $2; exit}')
  (cd "$vm" && apt-get -qq download "$package" 2>/dev/null && dpkg-deb -x "$package"_*.deb kernel && rm "$package"_*.deb)
fi
kernel=$(echo "$vm"/kernel/boot/vmlinuz-*)
version=${kernel##*/vmlinuz-}

# What is booted: busybox, the drivers of the file tree and the disk, and a script.
boot=$vm/initramfs
rm -rf "$boot"
mkdir -p "$boot"/{bin,dev,proc,disk,new,lib}
cp /bin/busybox "$boot/bin/busybox"
(cd "$vm/kernel" && find lib/modules/"$version" \( -path '*/fs/9p/*' -o -path '*/net/9p/9pnet.ko' -o \
  -name '9pnet_virtio.ko' -o -path '*/fs/netfs/*' -o -path '*/fs/fscache/*' -o -path '*/drivers/virtio/*' -o \
  -name 'virtio_blk.ko' -o -path '*/fs/ext4/*' -o -path '*/fs/jbd2/*' -o -name 'mbcache.ko' -o -name 'crc16.ko' -o \
  -name 'crc32c*.ko' -o -name 'libcrc32c.ko' -o -name 'modules.order' -o -name 'modules.builtin' \) -print0 |
  cpio --quiet -0 -pdm "$boot")
depmod -b "$boot" "$version"
cat >"$boot/init" <<INIT
#!/bin/busybox sh
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
for driver in virtio_pci 9pnet_virtio 9p virtio_blk crc32c_generic ext4; do busybox modprobe \$driver; done
busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=524288 host /new &&
busybox mount -t ext4 /dev/vda /disk || { echo "vm: exit 125"; busybox poweroff -f; }
busybox mount -t proc proc /new/proc
busybox mount -t sysfs sys /new/sys
busybox mount -t devtmpfs dev /new/dev
busybox mount -t cgroup2 group /new/sys/fs/cgroup
echo +memory >/new/sys/fs/cgroup/cgroup.subtree_control
busybox mount --bind /disk /new/tmp
export PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp TMPDIR=/tmp IMGMILL_TEST_ASSETS='$assets' LIBTORCH='${LIBTORCH:-$root/.deps/libtorch/torch}'
busybox chroot /new /bin/bash -c 'cd "$root" && exec "$test" --no-colors --test-case="$cases"' </dev/null
echo "vm: exit \$?"
busybox poweroff -f
INIT
chmod +x "$boot/init"
(cd "$boot" && find . | cpio --quiet -o -H newc | gzip -1) >"$vm/initramfs.gz"
rm -f "$vm/disk"
truncate -s 8G "$vm/disk"
mkfs.ext4 -q "$vm/disk"

# Emulated, some ten times slower than this machine: /dev/kvm inside a virtual machine may be there and hang.
processor=(-accel "tcg,thread=multi" -cpu max)
if [ "${IMGMILL_KVM:-0}" = 1 ]; then processor=(-enable-kvm -cpu host); fi
timeout 3600 qemu-system-x86_64 "${processor[@]}" -smp "$(nproc)" -m 4G -display none -no-reboot -serial stdio -monitor none \
  -kernel "$kernel" -initrd "$vm/initramfs.gz" -append "console=ttyS0 quiet panic=-1" \
  -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
  -drive file="$vm/disk",format=raw,if=virtio,cache=unsafe </dev/null | stdbuf -oL tr -d '\r' | tee "$vm/log"
rm -f "$vm/disk"
grep -q '^vm: exit 0$' "$vm/log"
grep -q 'limit tried: control group, version 2' "$vm/log"
