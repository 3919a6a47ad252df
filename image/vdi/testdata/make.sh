#!/bin/sh
# Makes the sample images of this folder with qemu-img and qemu-io 7.2; no root needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A disk of 6 MiB: text, zeros, one byte repeated.
{
	seq 1 4000
	head -c 3000000 /dev/zero
	seq 1 2000
	head -c 200000 /dev/zero | tr '\0' '\366'
	seq 30000 33000
	head -c 6000000 /dev/zero
} | head -c 6291456 >disk

qemu-img convert -f raw -O vdi disk dynamic.vdi
qemu-img convert -f raw -O vdi -o static=on disk fixed.vdi
for f in *.vdi; do gzip -n -9 <"$f" >"$here/$f.gz"; done
