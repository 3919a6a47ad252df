#!/bin/sh
# Makes the sample images of this folder with qemu-img 7.2; no root needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A disk of 1 MiB: text, zeros, one byte repeated.
{
	seq 1 4000
	head -c 400000 /dev/zero
	seq 1 2000
	head -c 200000 /dev/zero | tr '\0' '\366'
	seq 30000 33000
	head -c 1000000 /dev/zero
} | head -c 1048576 >disk

for kind in monolithicSparse monolithicFlat twoGbMaxExtentSparse twoGbMaxExtentFlat streamOptimized; do
	qemu-img convert -f raw -O vmdk -o subformat=$kind disk $kind.vmdk
done
qemu-img convert -f raw -O vmdk -o subformat=monolithicSparse,zeroed_grain=on disk base.vmdk
qemu-img create -q -f vmdk -b base.vmdk -F vmdk -o subformat=monolithicSparse delta.vmdk 1M
qemu-io -c 'write -P 3 100k 50k' delta.vmdk >/dev/null
for f in *.vmdk; do gzip -n -9 <"$f" >"$here/$f.gz"; done
