#!/bin/bash
# Puts the tree on an ext4 disk and mounts it. The installation is dated back: 45 days for what the packages brought, 30 for what
# was set up afterwards, so that the case does not begin minutes after it.
# Usage: disk.sh WORK CASE SIZE_MiB
set -euo pipefail
work=$1 case=$2 size=$3
tree=$case/tree img=$case/disk.img mnt=$case/mnt
old=$(date -u -d '-45 days 09:12:31' +%s) new=$(date -u -d '-30 days 14:03:10' +%s)
truncate -s "${size}M" "$img"
E2FSPROGS_FAKE_TIME=$old mkfs.ext4 -q -F -T default -b 4096 -L root -d "$tree" -E lazy_itable_init=0,lazy_journal_init=0 "$img"
mkdir -p "$mnt"
epoch=$(stat -c %Y "$work/base2/.complete")
mount -o loop,ro "$img" "$mnt"
find "$mnt" -printf '%i %T@ %y\n' >"$case/inodes"
umount "$mnt"
# Modification times of packaged files are the packages' own and stay.
awk -v base="$epoch" -v old="$old" -v new="$new" -v seed=$RANDOM 'BEGIN { srand(seed) }
	{ t = ($2 > base + 1) ? new : old; t += int(rand() * 90)
	  if ($2 > base - 86400) printf "sif <%d> mtime @%d\nsif <%d> atime @%d\nsif <%d> mtime_extra %.0f\n", $1, t, $1, t, $1, int(rand() * 999999999) * 4
	  printf "sif <%d> crtime @%d\nsif <%d> crtime_extra %.0f\n", $1, t - 1, $1, int(rand() * 999999999) * 4
	  printf "sif <%d> ctime_extra %.0f\nsif <%d> ctime @%d\n", $1, int(rand() * 999999999) * 4, $1, t }' "$case/inodes" >"$case/debugfs"
cat "$case/times" >>"$case/debugfs" # of the logs of the days before
debugfs -w -f "$case/debugfs" "$img" >/dev/null 2>"$case/debugfs.err"
mount -o loop "$img" "$mnt"
mkdir "$mnt/.ovl"
mount -t overlay overlay -o "lowerdir=$work/base2/usr,upperdir=$mnt/usr,workdir=$mnt/.ovl" "$mnt/usr"
rm -rf --one-file-system "$tree"
