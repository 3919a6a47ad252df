#!/bin/bash
# Puts the tree on an ext4 disk and mounts it. The installation is dated back: 45 days for what the packages brought, 30 for what
# was set up afterwards, so that the case does not begin minutes after it.
# Usage: disk.sh WORK CASE SIZE_MiB NOW BASE [nousr]; NOW is the server's time, "nousr" leaves the overlay away
set -euo pipefail
work=$1 case=$2 size=$3 now=$4 base=$work/$5 overlay=${6:-}
tree=$case/tree img=$case/disk.img mnt=$case/mnt
old=$(date -u -d "@$((now - 45 * 86400))" +%s) new=$(date -u -d "@$((now - 30 * 86400))" +%s)
truncate -s "${size}M" "$img"
E2FSPROGS_FAKE_TIME=$old mkfs.ext4 -q -F -T default -b 4096 -L root -d "$tree" -E lazy_itable_init=0,lazy_journal_init=0 "$img"
mkdir -p "$mnt"
epoch=$(stat -c %Y "$base/.complete")
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
rm -f "$case/inodes" "$case/debugfs"
if [ "$overlay" = nousr ]; then
	rm -rf --one-file-system "$tree"
	exit 0
fi
mount -o loop "$img" "$mnt"
mkdir "$mnt/overlay"
mount -t overlay overlay -o "lowerdir=$base/usr,upperdir=$mnt/usr,workdir=$mnt/overlay" "$mnt/usr"
rm -rf --one-file-system "$tree"
