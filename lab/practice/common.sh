# Shared pieces of the practice cases: a disk image with a Debian base, started as a container in a network
# of its own that leads nowhere, driven from a second namespace that plays the Internet. Sourced, not run.
# All addresses are documentation addresses (RFC 5737); nothing can leave the two namespaces.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${LAB_WORK:-/var/tmp/telltale-lab}
tag=tt$$
lab=lab-$tag vic=vic-$tag
mnt=$work/$tag.mnt img=$work/$tag.img acts=$work/$tag.acts
loop= pid=

need() {
	for c in mmdebstrap systemd-nspawn mkfs.ext4 sfdisk sshpass curl zstd xz ip python3; do
		command -v "$c" >/dev/null || { echo "missing: $c. Install: apt-get install mmdebstrap systemd-container e2fsprogs fdisk sshpass curl zstd xz-utils iproute2 python3" >&2; exit 1; }
	done
	[ "$(id -u)" = 0 ] || { echo "making a practice case needs root: loop devices, namespaces, a container" >&2; exit 1; }
}

cleanup() {
	set +e
	if [ -n "$pid" ]; then kill "$pid" 2>/dev/null; sleep 1; kill -9 "$pid" 2>/dev/null; fi
	for p in $(pgrep -f "$mnt" 2>/dev/null); do [ "$p" = $$ ] || kill -9 "$p" 2>/dev/null; done
	ip netns pids "$lab" 2>/dev/null | xargs -r kill -9 2>/dev/null
	mountpoint -q "$mnt" && umount -l "$mnt"
	[ -n "$loop" ] && losetup -d "$loop" 2>/dev/null
	ip netns del "$lab" 2>/dev/null; ip netns del "$vic" 2>/dev/null
	rm -rf "$mnt" "$img" "$work/$tag".*
}

# disk gpt|bare SIZE_MiB: makes the image from the base and mounts it.
disk() {
	"$here/base.sh" "$work"
	mkdir -p "$mnt"
	truncate -s "$2M" "$img"
	if [ "$1" = gpt ]; then
		printf 'label: gpt\nstart=1MiB, size=%dMiB, type=linux\n' "$(($2 - 2))" | sfdisk -q "$img"
		loop=$(losetup -f --show -o 1048576 --sizelimit "$((($2 - 2) << 20))" "$img")
	else
		loop=$(losetup -f --show "$img")
	fi
	mkfs.ext4 -q -L root "$loop"
	mount "$loop" "$mnt"
	zstd -dc "$work/base.tar.zst" | tar -x -C "$mnt" --numeric-owner --exclude='./dev/*'
}

# inlab COMMAND...: runs in the lab's network. Not by "ip netns exec", which makes a mount namespace that
# would hold the image mounted.
inlab() { nsenter --net="/run/netns/$lab" "$@"; }

inside() { systemd-nspawn -q -D "$mnt" --register=no --keep-unit --pipe "$@"; }

# setup HOSTNAME ZONE: names, zone, accounts' files common to all cases.
setup() {
	echo "$1" >"$mnt/etc/hostname"
	printf '127.0.0.1 localhost\n192.0.2.10 %s.example.org %s\n192.0.2.1 sink.example.net\n' "$1" "$1" >"$mnt/etc/hosts"
	ln -sf "/usr/share/zoneinfo/$2" "$mnt/etc/localtime"; echo "$2" >"$mnt/etc/timezone"
	head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$mnt/etc/machine-id"; echo >>"$mnt/etc/machine-id"
	mkdir -p "$mnt/var/log/journal" "$mnt/etc/systemd/journald.conf.d" "$mnt/etc/systemd/network"
	printf '[Journal]\nStorage=persistent\nSystemMaxUse=16M\nSystemMaxFileSize=4M\n' >"$mnt/etc/systemd/journald.conf.d/size.conf"
	printf 'PasswordAuthentication yes\nPermitRootLogin yes\nUsePAM yes\nMaxStartups 50:30:100\nUseDNS no\n' >"$mnt/etc/ssh/sshd_config.d/lab.conf"
	inside postconf -e 'relayhost=[192.0.2.1]:2525' 'inet_interfaces=loopback-only' "myhostname=$1.example.org" 'mydestination=localhost' 'smtp_host_lookup=native' 'disable_dns_lookups=yes' 'inet_protocols=ipv4' >/dev/null 2>&1
	for u in systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer; do ln -sf /dev/null "$mnt/etc/systemd/system/${u%.timer}${u##*wait-online}" 2>/dev/null || true; done
	ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$work/$tag.unused" >/dev/null
}

# account NAME PASSWORD|- [GROUP...]: an account with a home.
account() {
	local name=$1 pass=$2; shift 2
	inside useradd -m -s /bin/bash "$name"
	if [ "$pass" != - ]; then echo "$name:$pass" | chroot "$mnt" chpasswd; fi
	for g in "$@"; do inside usermod -aG "$g" "$name"; done
}

# key NAME COMMENT: makes a key pair; key_for FILE ACCOUNT puts its public half into an account.
key() { ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$work/$tag.$1"; }
key_for() {
	local home; home=$(awk -F: -v u="$2" '$1==u{print $6}' "$mnt/etc/passwd")
	mkdir -p "$mnt$home/.ssh"; cat "$work/$tag.$1.pub" >>"$mnt$home/.ssh/authorized_keys"
	chroot "$mnt" chown -R "$2:$2" "$home/.ssh"; chmod 700 "$mnt$home/.ssh"; chmod 600 "$mnt$home/.ssh/authorized_keys"
}

# network ADDRESS...: two namespaces joined by a veth; neither has another way out.
network() {
	ip netns add "$lab"; ip netns add "$vic"
	ip link add v0 netns "$lab" type veth peer name host0 netns "$vic"
	ip -n "$lab" link set lo up; ip -n "$lab" addr add 192.0.2.1/24 dev v0; ip -n "$lab" link set v0 up
	for a in "$@"; do ip -n "$lab" addr add "$a/32" dev lo; done
	ip -n "$vic" link set lo up; ip -n "$vic" addr add 192.0.2.10/24 dev host0; ip -n "$vic" link set host0 up
	ip -n "$vic" route add default via 192.0.2.1
	inlab python3 "$here/sink.py" 192.0.2.1 2525 &
}

boot() {
	systemd-nspawn -q -D "$mnt" --register=no --keep-unit --network-namespace-path="/run/netns/$vic" --boot >"$work/$tag.console" 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		inlab curl -s -o /dev/null --max-time 1 http://192.0.2.10/ && inlab bash -c 'echo >/dev/tcp/192.0.2.10/22' 2>/dev/null && return
		sleep 0.3
	done
	echo "the container did not come up:" >&2; tail -20 "$work/$tag.console" >&2; exit 1
}

stamp() { date -u +%Y-%m-%dT%H:%M:%S.%NZ; }
# act KIND BY ACCOUNT SRC WHAT -- COMMAND...: runs the command and writes down when.
act() {
	local kind=$1 by=$2 account=$3 src=$4 what=$5 start; shift 6
	start=$(stamp)
	"$@" || true
	python3 - "$kind" "$start" "$(stamp)" "$what" "$account" "$src" "$by" >>"$acts" <<'P'
import json,sys
print(json.dumps(dict(zip(("kind","start","end","what","account","src","by"),sys.argv[1:]))))
P
}

opts="-q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -o LogLevel=ERROR"
# ssh_pw SRC ACCOUNT PASSWORD [ssh arguments]: input is what is typed.
ssh_pw() { local s=$1 u=$2 p=$3; shift 3; inlab sshpass -p "$p" ssh $opts -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -b "$s" "$@" "$u@192.0.2.10"; }
ssh_key() { local s=$1 u=$2 k=$3; shift 3; inlab ssh $opts -o PasswordAuthentication=no -o IdentitiesOnly=yes -i "$work/$tag.$k" -b "$s" "$@" "$u@192.0.2.10"; }
# typing COMMAND...: types its input line by line, as a person does. All at once would be eaten by whatever
# reads the terminal first, sudo for one.
typing() { { sleep 1.2; while IFS= read -r line; do printf '%s\n' "$line"; sleep 0.5; done; } | "$@"; }
# wrong SRC ACCOUNT PASSWORD: a try that is refused.
wrong() { ssh_pw "$1" "$2" "$3" </dev/null >/dev/null 2>&1 || true; }
get() { local s=$1; shift; inlab curl -s -o /dev/null --max-time 10 --interface "$s" "$@" || true; }

down() {
	kill "$pid" 2>/dev/null || true # systemd-nspawn hands this on as an orderly power-off
	for _ in $(seq 60); do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
	pid=
	for _ in $(seq 40); do pgrep -f "$mnt" >/dev/null || break; sleep 0.5; done
}

# thin: takes out what tells nothing, so that the case stays small. What remains keeps all its times.
thin() {
	local d
	for d in usr/lib/file usr/lib/apt usr/lib/openssh usr/share/doc usr/share/man usr/share/locale usr/share/perl usr/share/perl5 usr/share/zoneinfo usr/share/i18n usr/share/bash-completion usr/share/mime usr/share/info usr/share/icons usr/share/apache2/icons \
		usr/lib/x86_64-linux-gnu usr/lib/python3 usr/lib/python3.11 usr/lib/apache2 usr/lib/php usr/lib/postfix usr/lib/git-core usr/lib/locale usr/lib/udev/hwdb.d usr/lib/firmware usr/lib/systemd/catalog usr/lib/systemd/boot \
		usr/include usr/lib/gcc usr/libexec var/cache var/lib/apt boot usr/lib/modules usr/lib/sasl2 usr/lib/ssl usr/lib/perl5; do
		rm -rf "${mnt:?}/$d"
	done
	find "$mnt/usr/lib/systemd" -maxdepth 1 -type f -delete
	find "$mnt/usr/bin" "$mnt/usr/sbin" -type f -size +40k ! -name sudo ! -name su ! -name sshd ! -name ps ! -name ls -delete
	find "$mnt/var/lib/dpkg/info" -type f ! -name '*.list' ! -name '*.md5sums' -delete
	rm -rf "$mnt/dev/"* "$mnt/run/"* "$mnt/tmp/"systemd-private-*
	rm -f "$mnt/etc/udev/hwdb.bin" "$mnt/usr/lib/udev/hwdb.bin"
}

# image NAME zst|xz: unmounts, checks, zeroes free space, compresses into the case's folder.
image() {
	sync; umount "$mnt"
	sleep 1
	e2fsck -fn "$loop" >"$work/$tag.fsck" 2>&1 || { echo "the filesystem is not clean:" >&2; head -20 "$work/$tag.fsck" >&2; exit 1; }
	zerofree "$loop"; losetup -d "$loop"; loop=
	case $2 in
	zst) zstd -q -19 --long=27 -T2 -f "$img" -o "$out/evidence.img.zst" ;;
	xz) xz -9e -T1 -c "$img" >"$out/evidence.img.xz" ;;
	esac
	ls -l "$out"
}

# truth NAME ZONE < expectation: joins the acts with what is expected.
truth() {
	python3 - "$1" "$2" "$acts" "$3" >"$out/truth.json" <<'P'
import json,sys
acts=[json.loads(l) for l in open(sys.argv[3])]
t=json.loads(sys.argv[4])
print(json.dumps({"name":sys.argv[1],"zone":sys.argv[2],"acts":acts,**t},indent=1))
P
}

begin() {
	need
	mkdir -p "$work"; : >"$acts"
	out=${1:?output folder}; mkdir -p "$out"
	trap cleanup EXIT; trap 'exit 130' INT TERM
}
