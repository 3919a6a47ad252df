#!/bin/sh
# Makes the samples of this folder out of what lab/volume-guest.sh made: some of its arrays, and what
# the kernel read of them.
#   testdata/make.sh directory-with-the-guest's-images
set -eu
from=${1:?usage: make.sh directory}
here=$(cd "$(dirname "$0")" && pwd)
cd "$from"
for a in lin r0 zones-original zones-alternate r1 r1-090 r1-10 r4 r5-ls r5-090 r6-ls r6-ddf-N-restart r10-n2-of-5 r10-f2-of-5 r10-o2 stale reshape; do
	tar --owner=0 --group=0 --mtime=@0 --sort=name -cS md-$a-?.img | gzip -9n >"$here/$a.tar.gz"
done
cp md.truth "$here/md.truth"
