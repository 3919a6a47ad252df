#!/bin/sh
# Makes the sample images of this folder with mkfs.xfs (xfsprogs 6.1), the kernel and xfs_io;
# needs root to mount. Version 4, which kernels no longer mount, is filled by mkfs.xfs itself.
# Ids and times are those of the run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
mnt=$work/mnt
mkdir "$mnt"
trap 'umount "$mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
uuid=11111111-2222-3333-4444-555555555555
# mkfs.xfs makes filesystems below 300 MB only for its own tests.
export TEST_DIR=$work TEST_DEV=$work QA_CHECK_FS=1

words() { # so many words of made-up text
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "word%d%s", i * 7919 % 1000, i % 9 == 8 ? "\n" : " " }'
}

make() { # name size options...
	name=$1 size=$2
	shift 2
	truncate -s "$size" "$work/$name"
	mkfs.xfs -q -f -L sample -m uuid=$uuid "$@" "$work/$name"
}

open() { mount -o loop "$work/$1" "$mnt"; }
keep() { gzip -n -9 <"$work/$1" >"$here/$1.img.gz"; }

fill() {
	mkdir -p "$mnt/etc" "$mnt/var/log" "$mnt/many" "$mnt/empty"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$mnt/etc/passwd"
	words 1500 >"$mnt/var/log/syslog"
	: >"$mnt/empty-file"
	ln "$mnt/etc/passwd" "$mnt/hard-link"
	ln -s etc/passwd "$mnt/short-link"
	ln -s "$(head -c 700 /dev/zero | tr '\0' x)" "$mnt/long-link"
	touch "$mnt/$(printf 'new\nline')" "$mnt/$(printf '\377\376')" "$mnt/..." "$mnt/ "
	i=0
	while [ $i -lt "$1" ]; do
		: >"$mnt/many/a-name-that-fills-the-directory-$i"
		i=$((i + 1))
	done
	i=0
	while [ $i -lt 40 ]; do # holes between all blocks: a tree of extents
		printf 'island %d' $i | dd of="$mnt/sparse" bs=1 seek=$((i * 9000)) conv=notrunc status=none
		i=$((i + 1))
	done
	truncate -s 500000 "$mnt/sparse"
	mknod "$mnt/char" c 1 3
	mknod "$mnt/block" b 8 1
	mkfifo "$mnt/fifo"
	chmod 4755 "$mnt/var/log/syslog"
	chown 70000:70000 "$mnt/empty-file"
	setfattr -n user.note -v hello "$mnt/etc/passwd"
	setfattr -n trusted.overlay.opaque -v y "$mnt/etc"
	setfattr -n user.big -v "$(words 200)" "$mnt/etc/passwd"
	setfattr -n user.remote -v "$(words 1000)" "$mnt/empty-file"
	setfacl -m u:1:r "$mnt/var/log/syslog" 2>/dev/null || true
	touch -h -d '1960-01-02 03:04:05.123456789' "$mnt/short-link"
	chattr +i "$mnt/..."
	sync
}

make xfs 32M -d agcount=2
open xfs && fill 120 && umount "$mnt" && keep xfs

make old-times-1k 32M -b size=1024 -n size=4096 -m bigtime=0,inobtcount=0,reflink=0 -d agcount=2
open old-times-1k && fill 60 && umount "$mnt" && keep old-times-1k

make nrext64-rmapbt 32M -i nrext64=1,size=1024 -m rmapbt=1 -d agcount=2
open nrext64-rmapbt && fill 60 && umount "$mnt" && keep nrext64-rmapbt

# Files deleted by name and with their directory; one of them in many pieces.
make deleted 32M -d agcount=2
open deleted
fill 10
mkdir -p "$mnt/gone/deep"
words 3000 >"$mnt/gone/deep/report"
words 300 >"$mnt/gone/notes"
words 40 >"$mnt/script"
cp "$mnt/sparse" "$mnt/gone/pieces"
sync
umount "$mnt" && open deleted
rm -rf "$mnt/gone" "$mnt/script"
umount "$mnt" && keep deleted

# The machine stopped: the log is written, the filesystem is not.
make dirty 32M -d agcount=2
open dirty
fill 10
umount "$mnt" && open dirty
mkdir "$mnt/late"
words 500 >"$mnt/late/file"
words 100 >"$mnt/late/open"
rm "$mnt/fifo"
xfs_io -c fsync "$mnt/late/file" -c 'open '"$mnt/late/open" -c fsync
exec 9<"$mnt/late/open"
rm "$mnt/late/open"
xfs_io -x -c 'shutdown -f' "$mnt"
exec 9<&-
umount "$mnt" && keep dirty

# Damage: no first superblock, a broken inode, directory block and extent.
cp "$work/xfs" "$work/damaged"
poke() { printf "$2" | dd of="$work/damaged" bs=1 seek="$1" conv=notrunc status=none; }
ask() { xfs_db -r -c "$1" "$work/xfs"; }
inode() { # where the record of an inode lies
	echo $(($(ask "convert inode $1 fsblock" | sed 's/.*(\(.*\))/\1/') * 4096 + $(ask "convert inode $1 inoidx" | sed 's/.*(\(.*\))/\1/') * 512))
}
open xfs
passwd=$(stat -c %i "$mnt/etc/passwd") many=$(stat -c %i "$mnt/many")
umount "$mnt"
poke $(($(inode "$passwd") + 8)) '\043'
poke $(($(ask "inode $many" >/dev/null; xfs_db -r -c "inode $many" -c 'bmap' "$work/xfs" | awk '/startblock/ { print $5; exit }') * 4096 + 80)) 'XX'
poke 0 "$(head -c 512 /dev/zero | tr '\0' '!' | sed 's/!/\\000/g')"
keep damaged

# Version 4.
words 300 >"$work/file"
long=$(head -c 200 /dev/zero | tr '\0' x)
cat >"$work/proto" <<END
/no/boot/block
0 0
d--755 0 0
etc d--755 0 0
passwd ---644 3 4 $work/file
$
fifo p--644 0 0
char c--666 0 0 1 3
link l--777 0 0 etc/passwd
$(for i in $(seq 150); do echo "a-name-that-fills-the-directory-$i ---600 0 0 /dev/null"; done)
many d--755 0 0
$(for i in $(seq 10); do echo "f$i ---600 0 0 $work/file"; done)
link l--777 0 0 $long
$
$
END
make v4 32M -m crc=0 -d agcount=2 -n ftype=0 -p "$work/proto"
keep v4
make v4-512 32M -m crc=0 -b size=512 -d agcount=2 -n ftype=1 -p "$work/proto"
keep v4-512
ls -l "$here"/*.img.gz
