#!/bin/sh
# Makes the sample images of this folder with mksquashfs 4.5 (squashfs-tools). Root is needed for the attributes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

words() { # so many words of made-up text
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "word%d%s", i * 7919 % 1000, i % 9 == 8 ? "\n" : " " }'
}

mkdir -p "$tree/etc" "$tree/var/log" "$tree/many" "$tree/empty"
echo 'root:x:0:0:root:/root:/bin/bash' >"$tree/etc/passwd"
words 4000 >"$tree/var/log/syslog"
: >"$tree/empty-file"
ln "$tree/etc/passwd" "$tree/hard-link"
ln -s etc/passwd "$tree/short-link"
ln -s "$(head -c 200 /dev/zero | tr '\0' x)" "$tree/long-link"
touch "$tree/$(printf 'new\nline')" "$tree/$(printf '\377\376')" "$tree/..." "$tree/ "
i=0
while [ $i -lt 300 ]; do # more than one row of a directory
	: >"$tree/many/a-name-that-fills-the-directory-$i"
	i=$((i + 1))
done
printf island | dd of="$tree/sparse" bs=1 seek=100000 status=none
truncate -s 300000 "$tree/sparse"
cat >"$work/pseudo" <<-END
	fifo i 600 0 0 f
	socket i 600 0 0 s
	char c 666 0 0 1 3
	block b 660 0 6 8 1
	chmod-me f 4755 1000 70000 echo suid
END
setfattr -n user.note -v hello "$tree/etc/passwd"
setfattr -n trusted.overlay.opaque -v y "$tree/etc"
setfattr -n security.selinux -v system_u:object_r:passwd_file_t:s0 "$tree/etc/passwd"
setfattr -n user.big -v "$(words 300)" "$tree/short-link" 2>/dev/null || setfattr -n user.big -v "$(words 300)" "$tree/var/log/syslog"
setfattr -n user.big -v "$(words 300)" "$tree/sparse"
find "$tree" -exec touch -h -d '2023-11-14 22:13:20' {} +

make() { # name options...
	name=$1
	shift
	mksquashfs "$tree" "$work/$name" -quiet -no-progress -noappend -mkfs-time 1700000000 -pf "$work/pseudo" -b 4096 -xattrs "$@" >/dev/null
	gzip -n -9 <"$work/$name" >"$here/$name.img.gz"
}
for c in gzip xz lzo lz4 zstd; do make $c -comp $c; done
make plain -noI -noD -noF -noX -noId
make no-fragments -no-fragments -no-exports -no-xattrs -b 131072
ls -l "$here"/*.img.gz
