#!/bin/sh
# Copies the memory of a running Linux by telltale acquire memory, in a guest whose kernel has /proc/kcore: to a
# directory go m.lime with what lies beside it, the guest's iomem, and what was said on the way. The guest's memory holds a
# marker, MARKER in it, that stands in no file of the copy's making. Nothing of the system is changed.
# Needs a Debian-like system with qemu-system-x86, busybox-static, kmod, e2fsprogs, dpkg, and Go.
#
#   lab/memory-guest.sh directory
#   TELLTALE_MEMORY=directory go test ./acquire/memory
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${1:?usage: memory-guest.sh directory}
mkdir -p "$to"
to=$(cd "$to" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$here/.." && CGO_ENABLED=0 go build -o "$work/telltale" ./cmd/telltale)
cd "$work"
if [ -z "${TELLTALE_KERNEL_DEB:-}" ]; then
	apt-get -q download "$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')"
	TELLTALE_KERNEL_DEB=$(echo "$work"/linux-image-*.deb)
fi
dpkg-deb -x "$TELLTALE_KERNEL_DEB" kernel
version=$(ls kernel/lib/modules)

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/t" "$root/mnt" "$root/lib/modules/$version"
cp "$(command -v busybox)" "$root/bin/busybox"
cp telltale "$root/bin/telltale"
depmod -b kernel "$version"
for m in virtio_pci virtio_blk crc32c_generic ext4; do
	modprobe -d kernel -S "$version" --show-depends "$m" 2>/dev/null | awk '/^insmod/ { print $2 }'
done | awk '!seen[$0]++' | while read -r ko; do
	cp "$ko" "$root/lib/modules/$version/"
	basename "$ko" >>"$root/lib/modules/order"
done
cp "$here/memory-guest-inside.sh" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >initrd.gz

truncate -s 400M out
mkfs.ext4 -q -O ^metadata_csum out
timeout "${TELLTALE_GUEST_TIME:-900}" qemu-system-x86_64 ${TELLTALE_ACCEL:--accel tcg} -cpu max -m 256 -smp 1 -display none -no-reboot \
	-kernel kernel/boot/vmlinuz-* -initrd initrd.gz -append "console=ttyS0 mitigations=off quiet panic=-1" \
	-drive file=out,format=raw,if=none,id=out,cache=unsafe -device virtio-blk-pci,drive=out,serial=GUEST-1 -serial "file:$to/console" </dev/null
debugfs -R "rdump / $to" out 2>/dev/null
rm -rf "$to/lost+found"
cat "$to/said"
if grep '^FAIL' "$to/said"; then exit 1; fi
