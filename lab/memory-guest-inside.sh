#!/bin/busybox sh
# The init of the guest of memory-guest.sh.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /t
for ko in $(cat /lib/modules/order); do insmod "/lib/modules/$(uname -r)/$ko"; done
mount -t ext4 /dev/vda /mnt || echo "FAIL mount"
# Put together only in memory, so that no file on the disk holds it whole.
a=telltale-mark
b=er-in-memory-5b1f
awk -v s="$a$b" 'BEGIN { for (i = 0; i < 1000; i++) print s }' >/t/marker
cat /proc/iomem >/mnt/iomem
{
	telltale acquire memory --to /mnt/m.lime || echo "FAIL memory: $?"
	telltale acquire memory --quiet --to - | wc -c
	# What must be refused, and what must not.
	telltale acquire disk /dev/vda --to /mnt/x.raw && echo "FAIL a disk was copied onto itself"
	telltale acquire disk /dev/vda --json --to - 2>/mnt/disk.json | wc -c
} >/mnt/said 2>&1
umount /mnt
sync
poweroff -f
