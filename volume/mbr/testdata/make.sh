#!/bin/sh
# Makes the sample disks of this folder with sfdisk (util-linux 2.38); no root needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

disk() { # name size: the table comes on stdin
	truncate -s "$2" "$work/$1"
	sfdisk -q "$work/$1"
	gzip -n -9 <"$work/$1" >"$here/$1.img.gz"
}
disk logical 16M <<END
label: dos
start=2048, size=4096, type=83, bootable
start=6144, size=2048, type=82
start=8192, size=20000, type=5
start=10240, size=1000, type=83
start=14336, size=2000, type=8e
start=18432, size=3000, type=83
END
disk one 4M <<END
label: dos
start=63, type=c
END
