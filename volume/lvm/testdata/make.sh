#!/bin/sh
# Makes the samples of this folder out of what lab/volume-guest.sh made: its volume groups, and what
# the kernel read of their volumes.
#   testdata/make.sh directory-with-the-guest's-images
set -eu
from=${1:?usage: make.sh directory}
here=$(cd "$(dirname "$0")" && pwd)
cd "$from"
for g in plain wrapped raid raid6 thin cache; do
	tar --owner=0 --group=0 --mtime=@0 --sort=name -cS $g-?.img | gzip -9n >"$here/$g.tar.gz"
	cp $g.truth "$here/$g.truth"
done
