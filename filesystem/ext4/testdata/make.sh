#!/bin/sh
# Makes the sample images of this folder with mke2fs and debugfs (e2fsprogs 1.47);
# no root needed. Ids and seeds are fixed; owners and change times are those of the run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export E2FSPROGS_FAKE_TIME=1700000000 TZ=UTC0
uuid=11111111-2222-3333-4444-555555555555
tree=$work/tree

words() { # so many words of made-up text
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "word%d%s", i * 7919 % 1000, i % 9 == 8 ? "\n" : " " }'
}

mkdir -p "$tree/etc" "$tree/var/log" "$tree/many" "$tree/empty"
echo 'root:x:0:0:root:/root:/bin/bash' >"$tree/etc/passwd"
words 1500 >"$tree/var/log/syslog"
: >"$tree/empty-file"
for n in 59 60 61 100 150; do head -c $n /dev/zero | tr '\0' a >"$tree/size-$n"; done
ln "$tree/etc/passwd" "$tree/hard-link"
ln -s etc/passwd "$tree/short-link"
ln -s "$(head -c 200 /dev/zero | tr '\0' x)" "$tree/long-link"
touch "$tree/$(printf 'new\nline')" "$tree/$(printf '\377\376')" "$tree/..." "$tree/ "
i=0
while [ $i -lt 25 ]; do
	: >"$tree/many/a-name-that-fills-the-directory-$i"
	i=$((i + 1))
done
i=0
while [ $i -lt 40 ]; do # holes between all blocks: a tree of extents
	printf 'island %d' $i | dd of="$tree/sparse" bs=1 seek=$((i * 5000)) conv=notrunc status=none
	i=$((i + 1))
done
truncate -s 300000 "$tree/sparse"
find "$tree" -exec touch -h -d '2023-11-14 22:13:20.123456789' {} +

make() { # name size options...: an image with the tree and what only debugfs can make
	name=$1 size=$2
	shift 2
	mke2fs -q -F -U $uuid -E "hash_seed=$uuid,root_owner=0:0" -b 1024 -L sample -M /srv -d "$tree" "$@" "$work/$name" "$size"
	debugfs -w -f - "$work/$name" >/dev/null 2>&1 <<-END
		mknod fifo p
		mknod char c 1 3
		mknod block b 8 1
		ea_set size-59 user.note hello
		ea_set size-59 trusted.overlay.opaque y
		ea_set etc/passwd security.selinux system_u:object_r:passwd_file_t:s0
		sif size-60 mode 0104755
		sif size-60 uid 70000
		sif size-61 mtime_extra 0x0bebc201
		sif size-61 flags 0x$(case $name in ext2* | ext3) echo 30 ;; inline) echo 10000030 ;; *) echo 80030 ;; esac)
		sif short-link mtime 0x92ad4780
		sif size-100 flags 0x$(case $name in ext2* | ext3) echo 800 ;; inline) echo 10000800 ;; *) echo 80800 ;; esac)
	END
}

keep() { gzip -n -9 <"$work/$1" >"$here/$1.img.gz"; }

make ext4 4M -t ext4 -J size=1 -I 256 && keep ext4
make ext2 1M -t ext2 -I 128 && keep ext2
make ext2-rev0 1M -t ext2 -r 0 && keep ext2-rev0
make ext3 4M -t ext3 -J size=1 && keep ext3
make inline 1M -t ext4 -O inline_data,^has_journal -I 256 && keep inline
make casefold 1M -t ext4 -O casefold,^has_journal && keep casefold
make big-blocks-ext4 4M -t ext4 -O ^has_journal -b 4096 && keep big-blocks-ext4

# A big value in an inode of its own, and one in a block.
make ea-ext4 1M -t ext4 -O ea_inode,^has_journal
words 900 >"$work/value"
head -c 600 "$work/value" >"$work/small"
debugfs -w -R "ea_set -f $work/value size-60 user.big" "$work/ea-ext4" 2>/dev/null
debugfs -w -R "ea_set -f $work/small size-61 user.block" "$work/ea-ext4" 2>/dev/null
keep ea-ext4

# Deleted while open, and a journal not written back.
make orphan-ext4 4M -t ext4 -J size=1
n=$(debugfs -R 'stat size-150' "$work/orphan-ext4" 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')
debugfs -w -f - "$work/orphan-ext4" >/dev/null 2>&1 <<-END
	unlink size-150
	sif <$n> links_count 0
	ssv last_orphan $n
	feature needs_recovery
END
keep orphan-ext4

# Damage: no first superblock, a broken inode, directory block, extent block.
make damaged-ext4 10M -t ext4 -O ^has_journal -I 256
at() { debugfs -R "$1" "$work/damaged-ext4" 2>/dev/null; }
poke() { printf "$2" | dd of="$work/damaged-ext4" bs=1 seek="$1" conv=notrunc status=none; }
poke $(($(at 'imap etc/passwd' | sed -n 's/.*block \([0-9]*\), offset 0x\([0-9a-f]*\)/\1*1024+0x\2/p') + 4)) '\043'
poke $(($(at 'blocks many' | awk '{ print $2 }') * 1024 + 20)) 'XX'
poke $(($(at 'ex sparse' | awk '/^ 0\// { print $8; exit }') * 1024 + 12 + 5 * 12 + 8)) '\377\377\377\377'
poke 1024 "$(head -c 1024 /dev/zero | tr '\0' '!' | sed 's/!/\\000/g')"
keep damaged-ext4
ls -l "$here"/*.img.gz
