#!/bin/sh
# Makes disk images that Linux itself laid out: LVM, md arrays and LUKS volumes, each with a known
# pattern, beside the digest of every volume as the kernel reads it. It boots a guest under emulation,
# with a kernel and the tools of this system in an initramfs; nothing of the system is changed.
# Needs a Debian-like system with qemu-system-x86, busybox-static, kmod, lvm2, mdadm, cryptsetup-bin,
# thin-provisioning-tools and dpkg.
#
#   lab/volume-guest.sh directory      images and *.truth (size, sha256, volume) end up there
#   TELLTALE_VOLUMES=directory go test ./volume/...
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${1:?usage: volume-guest.sh directory}
mkdir -p "$to"
to=$(cd "$to" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
if [ -z "${TELLTALE_KERNEL_DEB:-}" ]; then
	apt-get -q download "$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')"
	TELLTALE_KERNEL_DEB=$(echo "$work"/linux-image-*.deb)
fi
dpkg-deb -x "$TELLTALE_KERNEL_DEB" kernel
version=$(ls kernel/lib/modules)

root=$work/root
mkdir -p "$root/bin" "$root/sbin" "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/t" "$root/etc/lvm" "$root/lib/modules/$version" "$root/lib64"
cp "$(command -v busybox)" "$root/bin/busybox"
for tool in lvm mdadm cryptsetup pdata_tools; do
	bin=$(command -v $tool)
	cp -L "$bin" "$root/sbin/"
	ldd "$bin" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -Lu "$lib" "$root$lib"
	done
done
for so in "$(dirname "$(ldconfig -p | awk '/libc.so.6/ { print $NF; exit }')")"/libgcc_s.so.1; do
	mkdir -p "$root$(dirname "$so")" && cp -L "$so" "$root$so" # argon2 runs threads, whose end loads it
done
for tool in thin_check thin_dump cache_check cache_dump; do ln -s pdata_tools "$root/sbin/$tool"; done

depmod -b kernel "$version"
modules="virtio_pci virtio_blk loop dm_mod dm_raid dm_mirror dm_snapshot dm_thin_pool dm_cache dm_cache_smq dm_writecache dm_integrity dm_crypt
md_mod linear raid0 raid1 raid10 raid456 xts cbc ecb essiv aes_generic aesni_intel sha256_generic sha1_generic sha512_generic algif_skcipher algif_hash"
for m in $modules; do
	modprobe -d kernel -S "$version" --show-depends "$m" 2>/dev/null | awk '/^insmod/ { print $2 }'
done | awk '!seen[$0]++' | while read -r ko; do
	cp "$ko" "$root/lib/modules/$version/"
	basename "$ko" >>"$root/lib/modules/order"
done
cp "$here/volume-guest-inside.sh" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >initrd.gz

# The pattern: sectors that say their number, so that each misplaced one is seen.
awk 'BEGIN { for (i = 0; i < 4096; i++) printf "sector %08d of the pattern%478s\n", i, "" }' >pattern
truncate -s 512M out
# shellcheck disable=SC2086
timeout "${TELLTALE_GUEST_TIME:-1500}" qemu-system-x86_64 ${TELLTALE_ACCEL:--accel tcg} -cpu max -m 1536 -smp 1 -display none -no-reboot \
	-kernel kernel/boot/vmlinuz-* -initrd initrd.gz -append "console=ttyS0 mitigations=off quiet panic=-1 raid0.default_layout=2" \
	-drive file=pattern,format=raw,if=virtio,readonly=on -drive file=out,format=raw,if=virtio,cache=unsafe \
	-device virtio-rng-pci -serial "file:$to/console" </dev/null
tar -xSf out -C "$to"
if grep -A5 '^FAIL' "$to/console"; then exit 1; fi
grep -c . "$to"/*.truth
