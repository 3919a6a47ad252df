#!/bin/sh
# Makes the sample images of this folder with ewfacquire (libewf 20140813); no root needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A disk of 600 KB: text, zeros, one byte repeated, and 20 KB that cannot be compressed.
{
	seq 1 20000
	head -c 200000 /dev/zero
	head -c 200000 /dev/zero | tr '\0' '\366'
	openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null | head -c 20000
	seq 40000 60000
} | head -c 600064 >"$work/disk"

for format in smart encase1 encase6 encase7 ewfx; do
	ewfacquire -u -q -f $format -c fast -d sha1 -C 17/3 -e 'K. Holm' -D web -E e1 -N note -t "$work/$format" "$work/disk"
done
ewfacquire -u -q -f linen6 -c none -B 200192 -t "$work/linen6" "$work/disk"
for f in "$work"/*.*01; do gzip -n -9 <"$f" >"$here/$(basename "$f").gz"; done
