#!/bin/sh
# Makes dumps of the memory of a Linux that was broken into, by QEMU from outside: to a directory go dump.elf (ELF core),
# dump.kdump (zlib), dump.raw (by address, up to the first hole), and truth, what the guest itself said of what ran. Nothing of
# the system is changed. The dumps hold memory of Debian's kernel and of busybox (GPL-2): they stay out of the repository.
# Needs a Debian-like system with qemu-system-x86, busybox-static, kmod, dpkg, and Go.
#
#   lab/memory-image.sh directory
#   TELLTALE_MEMORY_IMAGE=directory go test ./memory/... ./cmd/telltale
#
# TELLTALE_KERNEL_DEB is a package of a kernel to use (since 7.x two: linux-binary, linux-modules), TELLTALE_GUEST_RAM the MiB of memory (256), TELLTALE_GUEST_CPU the
# processor (the emulation of QEMU 7.2 lacks what newer kernels do on "max"; "qemu64,+la57,-cx16" has five levels of page
# tables). TELLTALE_GUEST_ARCH=arm64 makes a guest of arm64; it needs qemu-system-arm, that kernel's package, and in
# TELLTALE_GUEST_BUSYBOX a busybox of that kind. It gets no dump.raw, for its memory does not begin at zero.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${1:?usage: memory-image.sh directory}
mkdir -p "$to"
to=$(cd "$to" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

arch=${TELLTALE_GUEST_ARCH:-amd64}
(cd "$here/.." && CGO_ENABLED=0 GOARCH=$arch go build -trimpath -ldflags "-s -w" -o "$work/guest" ./lab/memoryguest)
cd "$work"
if [ -z "${TELLTALE_KERNEL_DEB:-}" ]; then
	apt-get -q download "$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')"
	TELLTALE_KERNEL_DEB=$(echo "$work"/linux-image-*.deb)
fi
for deb in $TELLTALE_KERNEL_DEB; do dpkg-deb -x "$deb" kernel; done
[ -e kernel/lib ] || ln -s usr/lib kernel/lib
version=$(ls kernel/lib/modules)
vmlinuz=$(ls kernel/boot/vmlinuz-* kernel/lib/modules/*/vmlinuz 2>/dev/null | head -1)

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/root" "$root/etc" "$root/lib/modules/$version"
cp "${TELLTALE_GUEST_BUSYBOX:-$(command -v busybox)}" "$root/bin/busybox"
cp guest "$root/bin/guest"
printf 'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\n' >"$root/etc/passwd"
depmod -b kernel "$version"
for m in virtio_pci crc32c_generic ext4 af_packet; do
	modprobe -d kernel -S "$version" --show-depends "$m" 2>/dev/null | awk '/^insmod/ { print $2 }'
done | awk '!seen[$0]++' | while read -r ko; do
	case $ko in *.xz) xz -dc "$ko" >"$root/lib/modules/$version/$(basename "$ko" .xz)" ;; *) cp "$ko" "$root/lib/modules/$version/" ;; esac
	basename "$ko" .xz >>"$root/lib/modules/order"
done
cp "$here/memory-image-inside.sh" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >initrd.gz

ram=${TELLTALE_GUEST_RAM:-256}
case $arch in
amd64) program="qemu-system-x86_64 -cpu ${TELLTALE_GUEST_CPU:-qemu64}" console=ttyS0 ;;
arm64) program="qemu-system-aarch64 -M virt -cpu ${TELLTALE_GUEST_CPU:-cortex-a72}" console=ttyAMA0 ;;
esac
: >console
{
	n=0
	until grep -q '^GUEST-READY' console; do
		n=$((n + 1))
		[ $n -lt "${TELLTALE_GUEST_TIME:-300}" ] || break
		sleep 1
	done
	echo stop
	echo "dump-guest-memory $to/dump.elf"
	echo "dump-guest-memory -z $to/dump.kdump"
	[ "$ram" -gt 3000 ] || [ "$arch" != amd64 ] || echo "pmemsave 0 $((ram * 1048576)) \"$to/dump.raw\""
	echo quit
} | timeout 900 $program ${TELLTALE_ACCEL:--accel tcg} -m "$ram" -smp 1 -display none -nodefaults -no-reboot \
	-kernel "$vmlinuz" -initrd initrd.gz -append "console=$console quiet panic=-1" -serial file:console -monitor stdio >/dev/null
tr -d '\r' <console | sed -n '/^@/,$p' >"$to/truth"
if ! grep -q '^@@ done' "$to/truth"; then
	tail -20 console >&2
	exit 1
fi
