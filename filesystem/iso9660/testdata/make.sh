#!/bin/sh
# Makes the sample images of this folder with genisoimage 1.1.11 (cdrkit). Root is needed for owners and devices.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC0
tree=$work/tree
deep=$tree/a/b/c/d/e/f/g/h/i/j

mkdir -p "$tree/etc" "$tree/many" "$tree/empty" "$deep"
echo 'root:x:0:0:root:/root:/bin/bash' >"$tree/etc/passwd"
echo bottom >"$deep/bottom"
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "word%d ", i * 7919 % 1000 }' >"$tree/words.txt"
: >"$tree/empty-file"
echo long >"$tree/A rather long name with blanks, $(head -c 150 /dev/zero | tr '\0' y).text"
echo two >"$tree/zwei-äöü"
i=0
while [ $i -lt 60 ]; do
	: >"$tree/many/file-$i"
	i=$((i + 1))
done

make() { # name options...
	name=$1
	shift
	find "$tree" -exec touch -h -d '2023-11-14 22:13:20' {} +
	genisoimage -quiet -V SAMPLE -input-charset utf-8 -o "$work/$name" "$@" "$tree" 2>/dev/null
	gzip -n -9 <"$work/$name" >"$here/$name.img.gz"
}
make joliet -J
make plain -iso-level 1
ln -s etc/passwd "$tree/short-link"
ln -s /abs/../x/./y "$tree/odd-link"
ln -s "$(head -c 600 /dev/zero | tr '\0' x)/end" "$tree/long-link"
mkfifo "$tree/fifo"
mknod "$tree/char" c 1 3
mknod "$tree/block" b 259 70000
chmod 4755 "$tree/etc/passwd"
chown 1000:70000 "$tree/etc/passwd"
make rock -R
make both -R -J
ls -l "$here"/*.img.gz
