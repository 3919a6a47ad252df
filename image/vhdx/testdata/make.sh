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

for kind in dynamic fixed; do
	qemu-img convert -f raw -O vhdx -o subformat=$kind,block_size=1M disk $kind.vhdx
done
# With entries in its log; the test makes the disk of it that was not closed.
cp dynamic.vhdx log.vhdx
qemu-io -c 'write -P 5 2M 1M' -c 'write -P 6 5M 64k' -c 'abort' log.vhdx >/dev/null 2>&1 || true
for f in *.vhdx; do gzip -n -9 <"$f" >"$here/$f.gz"; done
