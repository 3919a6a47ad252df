#!/bin/sh
# Makes the sample images of this folder with mkfs.btrfs and btrfs (btrfs-progs 6.2) and
# the kernel. Needs root and loop devices. Ids and times are those of the run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
mnt=$work/mnt
mkdir "$mnt"
trap 'umount "$mnt" 2>/dev/null || true; rm -rf "$work"' EXIT

words() { # so many words of made-up text
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "word%d%s", i * 7919 % 1000, i % 9 == 8 ? "\n" : " " }'
}

make() { # name options...: an empty image of mixed block groups, whose nodes have 4 KiB
	name=$1
	shift
	truncate -s 24M "$work/$name"
	mkfs.btrfs -q -M -L sample "$@" "$work/$name"
}

keep() { gzip -n -9 <"$work/$1" >"$here/$1.img.gz"; }

fill() {
	mkdir -p "$mnt/etc" "$mnt/var/log" "$mnt/many" "$mnt/empty"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$mnt/etc/passwd"
	words 1500 >"$mnt/var/log/syslog"
	words 300 >"$mnt/inline"
	: >"$mnt/empty-file"
	ln "$mnt/etc/passwd" "$mnt/hard-link"
	ln -s etc/passwd "$mnt/short-link"
	ln -s "$(head -c 200 /dev/zero | tr '\0' x)" "$mnt/long-link"
	touch "$mnt/$(printf 'new\nline')" "$mnt/$(printf '\377\376')" "$mnt/..." "$mnt/ "
	i=0
	while [ $i -lt 25 ]; do
		: >"$mnt/many/a-name-that-fills-the-directory-$i"
		i=$((i + 1))
	done
	i=0
	while [ $i -lt 20 ]; do
		printf 'island %d' $i | dd of="$mnt/sparse" bs=1 seek=$((i * 15000)) conv=notrunc status=none
		i=$((i + 1))
	done
	truncate -s 400000 "$mnt/sparse"
	fallocate -l 20000 "$mnt/preallocated"
	setfattr -n user.note -v hello "$mnt/inline"
	setfattr -n trusted.overlay.opaque -v y "$mnt/inline"
	mknod "$mnt/fifo" p
	mknod "$mnt/char" c 1 3
	mknod "$mnt/block" b 8 1
	chmod 4755 "$mnt/inline"
	chown 70000:80000 "$mnt/inline"
	chattr +ia "$mnt/empty-file"
}

for kind in none zlib lzo zstd; do
	make $kind
	case $kind in none) o=rw ;; *) o=compress-force=$kind ;; esac
	mount -o loop,$o "$work/$kind" "$mnt"
	fill
	umount "$mnt"
	keep $kind
done

make csum --csum xxhash -O ^no-holes
mount -o loop "$work/csum" "$mnt"
fill
umount "$mnt"
keep csum

# Subvolumes and snapshots within one another; the default is not the top level.
make subvolumes
mount -o loop "$work/subvolumes" "$mnt"
btrfs -q subvolume create "$mnt/@"
echo one >"$mnt/@/file"
btrfs -q subvolume create "$mnt/@/inner"
echo two >"$mnt/@/inner/file"
btrfs -q subvolume snapshot -r "$mnt/@" "$mnt/snapshot"
echo changed >"$mnt/@/file"
btrfs -q subvolume set-default "$mnt/@"
umount "$mnt"
keep subvolumes

# Files that were deleted and changed: the older trees hold them.
make deleted
mount -o loop,nodiscard "$work/deleted" "$mnt"
mkdir -p "$mnt/tmp/.x/deep" "$mnt/var/log"
words 1500 >"$mnt/tmp/.x/tool"
words 50 >"$mnt/tmp/.x/deep/note"
words 900 >"$mnt/var/log/auth.log"
sync
rm -rf "$mnt/tmp/.x"
sed -i /word7/d "$mnt/var/log/auth.log"
sync
umount "$mnt"
keep deleted

# Copied while mounted: fsynced files are in the log only, one is deleted while open.
make log
mount -o loop,commit=300 "$work/log" "$mnt"
mkdir "$mnt/d"
echo old >"$mnt/d/changed"
echo old >"$mnt/d/removed"
words 500 >"$mnt/open"
exec 9<"$mnt/open"
rm "$mnt/open"
sync
i=0
while [ $i -lt 5 ]; do
	words $((i * 300 + 5)) >"$mnt/d/new-$i"
	sync "$mnt/d/new-$i"
	i=$((i + 1))
done
echo new >"$mnt/d/changed"
sync "$mnt/d/changed"
rm "$mnt/d/removed"
sync "$mnt/d"
sleep 1
cp "$work/log" "$work/copied"
exec 9<&-
umount "$mnt"
mv "$work/copied" "$work/log"
keep log
ls -l "$here"/*.img.gz
