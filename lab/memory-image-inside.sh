#!/bin/busybox sh
# The init of the guest of memory-image.sh: makes the story, then says on the console what is so, in base64, for the dump to be
# held against.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /tmp /srv/data /run
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /srv/data
mount -t cgroup2 cgroup2 /sys/fs/cgroup
hostname web-memory
for ko in $(cat /lib/modules/order); do insmod "/lib/modules/$(uname -r)/$ko"; done
ip link set lo up
ip addr add 192.0.2.10/32 dev lo
ip addr add 203.0.113.66/32 dev lo
date -u -s "2026-03-14 09:26:53" >/dev/null
g=/bin/guest

# A program that was deleted, as the web server's user.
mkdir -p /dev/shm/.x
cp $g /dev/shm/.x/kdevtmpfsi
$g as 33 /dev/shm/.x/kdevtmpfsi stay --pool 203.0.113.66:3333 &
# A program that never was a file, named as a thread of the kernel.
$g memfd &
$g rwx &
$g listen 0.0.0.0:31337 &
$g listen '[::]:8443' &
$g listen 203.0.113.66:4444 &
sleep 1
SSH_CONNECTION="198.51.100.7 51000 192.0.2.10 22" HISTFILE=/dev/null $g connect 203.0.113.66:4444 &
$g udp 0.0.0.0:5353 &
$g packet &
$g bpf &
$g held /tmp/held-and-gone &
# Below another mount, and in a unit.
cp $g /srv/data/worker
(cd /srv/data && exec ./worker stay) &
worker=$!
mkdir -p /sys/fs/cgroup/system.slice/worker.service
echo $worker >/sys/fs/cgroup/system.slice/worker.service/cgroup.procs
echo 1000 >/proc/$worker/loginuid
# A shell that waits, with a place of its own.
mkdir -p /tmp/gone
(cd /tmp/gone && rmdir /tmp/gone && exec sh -c 'read x </tmp/never') 2>/dev/null &
mkfifo /tmp/never
(exec sh -c 'read x </tmp/never') &
sleep 3
rm -rf /dev/shm/.x
echo "telltale-kmsg-mark 5b1f" >/dev/kmsg

tell() { echo "@@ $1"; base64 -w 0 <"$1" 2>/dev/null; echo; }
link() { echo "@> $1"; readlink "$1" 2>/dev/null | base64 -w 0; echo; }
for p in $(ls /proc | grep -E '^[0-9]+$' | sort -n); do
	[ -d /proc/$p ] || continue
	for f in stat status cmdline environ cgroup loginuid sessionid maps; do tell /proc/$p/$f; done
	for f in exe cwd root; do link /proc/$p/$f; done
	for f in $(ls /proc/$p/fd 2>/dev/null); do link /proc/$p/fd/$f; done
done
for f in tcp tcp6 udp udp6 raw raw6 packet; do tell /proc/net/$f; done
for f in modules stat version cmdline iomem kmsg-none sys/kernel/tainted sys/kernel/hostname self/mountinfo; do [ -e /proc/$f ] && tell /proc/$f; done
dmesg >/tmp/dmesg; tell /tmp/dmesg
echo "@@ done"
echo GUEST-READY
while :; do sleep 1000; done
