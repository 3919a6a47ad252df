#!/bin/sh
# Makes the sample images of this folder with qemu-img and qemu-io 7.2; no root needed.
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

convert() { name=$1; shift; qemu-img convert -f raw -O qcow2 "$@" disk "$name.qcow2"; }
convert v2 -o compat=0.10,cluster_size=512
convert v3
convert zlib -c -o cluster_size=16k
convert zstd -c -o compression_type=zstd
convert subclusters -o extended_l2=on,cluster_size=32k

qemu-io -c 'write -P 1 0 100k' -c 'write -z 200k 100k' subclusters.qcow2 >/dev/null
qemu-img snapshot -c first v3.qcow2
qemu-io -c 'write -P 2 64k 200k' v3.qcow2 >/dev/null
qemu-img snapshot -c second v3.qcow2
qemu-io -c 'write -z 0 128k' v3.qcow2 >/dev/null

qemu-img create -q -f qcow2 -b zlib.qcow2 -F qcow2 overlay.qcow2 2M
qemu-io -c 'write -P 3 100k 50k' overlay.qcow2 >/dev/null
qemu-img create -q -f qcow2 -o data_file=data.raw outside.qcow2 1M
qemu-io -c 'write -P 4 0 70k' outside.qcow2 >/dev/null
for f in *.qcow2 data.raw; do gzip -n -9 <"$f" >"$here/$f.gz"; done
