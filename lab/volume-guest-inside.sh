#!/bin/busybox sh
# The init of the guest of volume-guest.sh: makes the volumes on loop devices over files in memory, and
# writes all of them to the second disk as a tar archive.
/bin/busybox --install -s /bin
export PATH=/sbin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o size=1g tmpfs /t
mount -t tmpfs tmpfs /run
mkdir -p /run/lvm /run/lock/lvm /run/cryptsetup /run/mdadm /tmp
for ko in $(cat /lib/modules/order); do insmod "/lib/modules/$(uname -r)/$ko" 2>&1; done
cp /dev/vda /pattern
ln -s /proc/self/mounts /etc/mtab
cat >/etc/lvm/lvm.conf <<EOT
devices { dir="/dev" scan=["/dev"] obtain_device_list_from_udev=0 external_device_info_source="none" use_devicesfile=0 md_component_detection=0 filter=["a|/dev/loop|","r|.*|"] }
activation { udev_sync=0 udev_rules=0 monitoring=0 verify_udev_operations=1 }
global { use_lvmpolld=0 use_lvmlockd=0 thin_check_executable="/sbin/thin_check" cache_check_executable="/sbin/cache_check" }
backup { backup=0 archive=0 }
EOT
cd /t

next=0
disk() { # name size: a disk as a loop device; its device is in $dev
	truncate -s "$2" "$1.img"
	dev=/dev/loop$next
	[ -b "$dev" ] || mknod "$dev" b 7 "$next"
	losetup "$dev" "$1.img" || echo "FAIL losetup $1"
	next=$((next + 1))
}
disks() { # set count size: their devices are in $devs
	devs=
	i=0
	while [ $i -lt "$2" ]; do
		disk "$1-$i" "$3"
		devs="$devs $dev"
		i=$((i + 1))
	done
}
fill() { # device KiB [pattern-KiB]: part of the pattern at the device's start
	dd if=/pattern of="$1" bs=1k count="$2" skip="${3:-0}" conv=notrunc,fsync 2>/dev/null || echo "FAIL fill $1"
}
truth() { # set volume device
	echo "$(blockdev --getsize64 "$3") $(sha256sum "$3" | cut -d' ' -f1) $2" >>"$1.truth"
}
run() { "$@" >/tmp/log 2>&1 || { echo "FAIL $*"; cat /tmp/log; }; }
lv() { run lvm lvcreate -y -Wn "$@"; }
lvs() { run lvm lvcreate -y "$@"; } # snapshots and pools: nothing there is wiped
synced() { # wait until nothing is resyncing
	n=0
	while lvm lvs --noheadings -a -o sync_percent "$1" 2>/dev/null | grep -q '[0-9]' && lvm lvs --noheadings -a -o sync_percent "$1" 2>/dev/null | grep '[0-9]' | grep -qv 100.00 && [ $n -lt 120 ]; do
		sleep 0.5
		n=$((n + 1))
	done
}

plain() {
	disks plain 2 6M
	run lvm pvcreate -y $devs
	run lvm vgcreate -s 64k plain $devs
	set -- $devs
	lv -l 12 -n lin plain "$1"
	run lvm lvextend -l +6 plain/lin "$2"
	lv -l 12 -i 2 -I 4k -n str plain
	lv --type mirror -m1 --mirrorlog core -l 8 -n mir plain "$1" "$2"
	lv --type raid1 -m1 -l 8 -n r1 plain
	for v in lin str mir r1; do fill /dev/plain/$v 512; done
	fill /dev/plain/lin 200 7
	lvs -s -c 4k -l 8 -n lin-before plain/lin
	fill /dev/plain/lin 100 1000
	lvs -s -c 8k -l 4 -n lin-between plain/lin
	dd if=/pattern of=/dev/plain/lin bs=4k count=3 seek=40 skip=300 conv=notrunc,fsync 2>/dev/null
	lvs -s -c 4k -l 1 -n overflown plain/lin
	dd if=/pattern of=/dev/plain/lin bs=4k count=30 seek=60 skip=300 conv=notrunc,fsync 2>/dev/null
	run lvm lvrename plain/str plain/striped
	synced plain
	sync
	for v in lin striped mir r1 lin-before lin-between; do truth plain $v /dev/plain/$v; done
	lvm lvs -a plain >plain.lvs 2>&1
	run lvm vgchange -an plain
}

# The metadata ring is small, and so goes round; one disk has two of them, one none.
wrapped() {
	disks wrapped 3 2M
	set -- $devs
	run lvm pvcreate -y --metadatasize 12k --dataalignment 64k --pvmetadatacopies 2 "$1"
	run lvm pvcreate -y --metadatasize 12k --dataalignment 64k "$2"
	run lvm pvcreate -y --pvmetadatacopies 0 --dataalignment 64k "$3"
	run lvm vgcreate -s 64k wrapped $devs
	lv -l 4 -n secret wrapped "$3"
	fill /dev/wrapped/secret 200
	lv -l 20 -i 3 -I 8k -n kept wrapped
	fill /dev/wrapped/kept 512 300
	n=0
	while [ $n -lt 40 ]; do
		[ $n = 33 ] && run lvm lvremove -y wrapped/secret
		run lvm vgchange --addtag "tag$n" wrapped
		n=$((n + 1))
	done
	sync
	truth wrapped kept /dev/wrapped/kept
	run lvm vgchange -an wrapped
}

group() { # name count size n: a group with its metadata on the first and the n-th disk
	disks "$1" "$2" "$3"
	n=0
	for d in $devs; do
		n=$((n + 1))
		copies=0
		case $n in 1 | "$4") copies=1 ;; esac
		run lvm pvcreate -y --pvmetadatacopies $copies $d
	done
	run lvm vgcreate -s 64k "$1" $devs
}

raid() {
	group raid 6 4M 6
	lv --type raid0 -i 3 -I 4k -l 9 -n r0 raid
	lv --type raid10 -i 2 -m 1 -I 4k -l 8 -n r10 raid
	lv --type raid4 -i 2 -I 4k -l 8 -n r4 raid
	for l in ls la ra rs n; do lv --type raid5_$l -i 3 -I 4k -l 9 -n r5$l raid; done
	pattern raid
}

raid6() {
	group raid6 5 5M 5
	for l in zr nr nc n_6 ls_6 la_6 rs_6 ra_6; do lv --type raid6_$l -i 3 -I 4k -l 9 -n r6$l raid6; done
	pattern raid6
}

pattern() { # group: fill its volumes and tell what they read as
	synced "$1"
	for d in /dev/"$1"/*; do fill $d 96; done
	sync
	for d in /dev/"$1"/*; do truth "$1" "${d##*/}" $d; done
	lvm lvs -a -o +segtype "$1" >"$1.lvs" 2>&1
	run lvm vgchange -an "$1"
}

thin() {
	disks thin 1 24M
	run lvm pvcreate -y $devs
	run lvm vgcreate -s 64k thin $devs
	lvs --type thin-pool --poolmetadatasize 2m -c 64k -l 80 -n pool thin
	lvs -V 20m --thinpool pool -n t1 thin
	lvs -V 3m --thinpool pool -n t2 thin
	fill /dev/thin/t1 512
	dd if=/pattern of=/dev/thin/t1 bs=4k count=20 seek=4000 conv=notrunc,fsync 2>/dev/null
	fill /dev/thin/t2 100
	lvs -s -n t1-before thin/t1
	fill /dev/thin/t1 200 700
	lvs -s -n t1-between thin/t1
	fill /dev/thin/t1 64 900
	lv -l 8 -n ext thin
	fill /dev/thin/ext 512 300
	run lvm lvchange -an thin/ext
	run lvm lvchange -pr thin/ext
	lvs -s --thinpool thin/pool -n of-ext thin/ext
	fill /dev/thin/of-ext 100
	run lvm lvchange -ay -K thin/t1-before thin/t1-between thin/of-ext thin/ext
	sync
	for v in t1 t2 t1-before t1-between of-ext ext; do truth thin $v /dev/thin/$v; done
	lvm lvs -a thin >thin.lvs 2>&1
	run lvm vgchange -an thin
}

cache() {
	group cache 2 30M 1
	for mode in through back; do
		lv -l 16 -n $mode cache
		fill /dev/cache/$mode 512
		lvs --type cache-pool --poolmetadatasize 2m -c 32k -l 16 -n pool$mode cache
		run lvm lvconvert -y --type cache --cachemode write$mode --cachepool cache/pool$mode cache/$mode
		fill /dev/cache/$mode 100 30
	done
	lv -l 16 -n writecached cache
	lv -l 16 -n fast cache
	run lvm lvchange -an cache/fast
	run lvm lvconvert -y --type writecache --cachevol cache/fast cache/writecached
	lv --type raid1 -m1 --raidintegrity y -l 16 -n integral cache
	sync
	truth cache through /dev/cache/through
	lvm lvs -a cache >cache.lvs 2>&1
	run lvm vgchange -an cache
}

array() { # name count size mdadm-options...
	name=$1
	disks "md-$1" "$2" "$3"
	devs_of=$devs
	n=$2
	shift 3
	run mdadm --create /dev/md/"$name" --run --homehost=telltale --name="$name" --raid-devices="$n" "$@" $devs
	md=$(readlink -f /dev/md/"$name")
	[ -b "$md" ] || return
	mdadm --wait "$md" 2>/dev/null
	fill "$md" 640
	dd if=/pattern of="$md" bs=4k count=20 seek=$(($(blockdev --getsz "$md") / 8 - 20)) conv=notrunc,fsync 2>/dev/null
	sync
	truth md "$name" "$md"
}
finish() { run mdadm --stop "$md"; }

mds() {
	mkdir -p /dev/md
	array lin 2 2M --level=linear
	finish
	array r0 3 2M --level=0 --chunk=16
	finish
	for layout in original alternate; do # members of several sizes: zones
		disk md-zones-$layout-0 1536k
		a=$dev
		disk md-zones-$layout-1 2M
		b=$dev
		disk md-zones-$layout-2 2560k
		run mdadm --create /dev/md/zones-$layout --run --homehost=telltale --name=zones-$layout --level=0 --layout=$layout --chunk=16 --raid-devices=3 $a $b $dev
		md=$(readlink -f /dev/md/zones-$layout)
		fill "$md" 2000
		truth md zones-$layout "$md"
		finish
	done
	array r1 2 2M --level=1
	finish
	array r1-10 2 2M --level=1 --metadata=1.0
	finish
	array r1-11 2 2M --level=1 --metadata=1.1
	finish
	array r4 3 2M --level=4 --chunk=16
	finish
	for l in la ra ls rs parity-first parity-last; do
		array r5-$l 4 2M --level=5 --chunk=16 --layout=$l
		finish
	done
	for l in ls la rs ra ddf-zero-restart ddf-N-restart ddf-N-continue left-asymmetric-6; do
		array r6-$l 5 2M --level=6 --chunk=16 --layout=$l
		finish
	done
	for l in n2 n3 f2 o2; do
		array r10-$l 4 2M --level=10 --chunk=16 --layout=$l
		finish
		array r10-$l-of-5 5 2M --level=10 --chunk=16 --layout=$l
		finish
	done
	array r5-090 3 2M --level=5 --chunk=16 --metadata=0.90
	finish
	array r1-090 2 2M --level=1 --metadata=0.90
	finish
	# A member that fell out: the others went on without it.
	array stale 3 2M --level=1
	set -- $devs_of
	run mdadm --fail "$md" "$3"
	fill "$md" 300 900
	sync
	truth md stale-now "$md"
	finish
	# A journal, a bitmap and a bad block list.
	array bitmap 3 2M --level=5 --chunk=16
	run mdadm --grow "$md" --bitmap=internal
	finish
	# A reshape that stopped half way.
	array reshape 3 16M --level=5 --chunk=16
	set -- $devs_of
	disk md-reshape-3 16M
	run mdadm --add "$md" "$dev"
	echo 1 >/proc/sys/dev/raid/speed_limit_min
	echo 64 >/proc/sys/dev/raid/speed_limit_max
	mdadm --grow "$md" --raid-devices=4 >/tmp/log 2>&1
	sleep 4
	echo frozen >"/sys/block/${md##*/}/md/sync_action"
	sleep 1
	cat "/sys/block/${md##*/}/md/reshape_position" >md-reshape.position
	finish
}

luks() {
	printf 'open sesame' >/key
	for kind in 1-xts 1-essiv 1-plain 2-pbkdf2 2-argon2id 2-4096 2-essiv; do
		disk luks-$kind 3M
		o="--type luks${kind%%-*}"
		case $kind in
		1-xts) o="$o --cipher aes-xts-plain64 --key-size 512 --hash sha256" ;;
		1-essiv) o="$o --cipher aes-cbc-essiv:sha256 --key-size 128 --hash sha1" ;;
		1-plain) o="$o --cipher aes-cbc-plain --key-size 256 --hash sha512" ;;
		2-pbkdf2) o="$o --pbkdf pbkdf2" ;;
		2-argon2id) o="$o --pbkdf argon2id" ;;
		2-4096) o="$o --pbkdf argon2i --sector-size 4096" ;;
		2-essiv) o="$o --pbkdf argon2id --cipher aes-cbc-essiv:sha256 --key-size 128" ;;
		esac
		case $o in *argon2*) o="$o --pbkdf-memory 1024 --pbkdf-parallel 2 --pbkdf-force-iterations 4" ;; *) o="$o --pbkdf-force-iterations 1000" ;; esac
		case $kind in 2*) o="$o --luks2-metadata-size 16k --luks2-keyslots-size 512k" ;; esac
		run cryptsetup -q luksFormat $o "$dev" /key
		run cryptsetup open --key-file /key "$dev" luks-$kind
		fill /dev/mapper/luks-$kind 16
		sync
		truth luks $kind /dev/mapper/luks-$kind
		run cryptsetup close luks-$kind
	done
}

for part in plain wrapped raid raid6 thin cache mds luks; do
	echo "== $part $(cut -d' ' -f1 /proc/uptime)"
	$part
done
sync
tar -cf /dev/vdb ./*
sync
echo "== done $(cut -d' ' -f1 /proc/uptime)"
poweroff -f
