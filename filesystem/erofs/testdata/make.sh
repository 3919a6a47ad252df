#!/bin/sh
# Makes the sample images of this folder with mkfs.erofs 1.5 (erofs-utils). Root is needed for the attributes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

words() { # so many words of made-up text
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "word%d%s", i * 7919 % 1000, i % 9 == 8 ? "\n" : " " }'
}

mkdir -p "$tree/etc" "$tree/many" "$tree/empty"
echo 'root:x:0:0:root:/root:/bin/bash' >"$tree/etc/passwd"
words 9000 >"$tree/words"
: >"$tree/empty-file"
ln "$tree/etc/passwd" "$tree/hard-link"
ln -s etc/passwd "$tree/short-link"
touch "$tree/$(printf 'new\nline')" "$tree/$(printf '\377\376')" "$tree/..." "$tree/ "
i=0
while [ $i -lt 120 ]; do
	: >"$tree/many/a-name-that-fills-the-directory-$i"
	i=$((i + 1))
done
printf island | dd of="$tree/sparse" bs=1 seek=100000 status=none
truncate -s 200000 "$tree/sparse"
mkfifo "$tree/fifo"
mknod "$tree/char" c 1 3
mknod "$tree/block" b 259 70000
chmod 4755 "$tree/sparse"
chown 1000:70000 "$tree/sparse"
setfattr -n user.note -v hello "$tree/etc/passwd"
setfattr -n trusted.overlay.opaque -v y "$tree/etc"
for f in etc/passwd words sparse; do setfattr -n security.selinux -v system_u:object_r:etc_t:s0 "$tree/$f"; done
find "$tree" -exec touch -h -d '2023-11-14 22:13:20.5' {} +

make() { # name options...
	name=$1
	shift
	mkfs.erofs --quiet -U 11111111-2222-3333-4444-555555555555 "$@" "$work/$name" "$tree" >/dev/null 2>&1
	gzip -n -9 <"$work/$name" >"$here/$name.img.gz"
}
make plain -x1
make compact -Eforce-inode-compact --all-root -T1700000000 -Enoinline_data
make chunks --chunksize=4096
make lz4 -zlz4
make lz4-16k -zlz4hc,9 -C16384
ls -l "$here"/*.img.gz
