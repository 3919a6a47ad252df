#!/bin/sh
# Makes the samples of this folder out of what lab/volume-guest.sh made. The random bytes of key slots
# that are not in use are cleared, which makes the archives small and changes nothing that is read.
#   testdata/make.sh directory-with-the-guest's-images
set -eu
from=${1:?usage: make.sh directory}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make() { # name first-KiB end-KiB: what is cleared
	cp "$from/luks-$1.img" "$work/"
	dd if=/dev/zero of="$work/luks-$1.img" bs=1k seek="$2" count=$(($3 - $2)) conv=notrunc status=none
	tar -C "$work" --owner=0 --group=0 --mtime=@0 -cS "luks-$1.img" | gzip -9n >"$here/$1.tar.gz"
}
make 1-essiv 68 1024
make 2-essiv 96 544
cp "$from/luks.truth" "$here/"
