# Shared pieces of the practice cases. Sourced by the scenario scripts, not run.
#
# A case is a real ext4 file system with a small Debian server on it, started as a container in a network of its own
# and driven from a second network namespace that plays the Internet. Neither namespace has a way out, and every
# address is a documentation address (RFC 5737), so the logs read like a server's and nothing can reach anybody.
#
# The bulk of /usr is never on the case's file system: while the server runs, the complete /usr of the base lies under
# the case's own thin /usr as an overlay. So the evidence stays small without anything having been deleted from it
# afterwards, and what was deleted in the case itself is still in the free blocks.

# A mount namespace of its own: cases made at the same time would otherwise hold each other's file systems.
if [ -z "${LAB_OWN_MOUNTS:-}" ]; then LAB_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"; fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${LAB_WORK:-/var/tmp/lab-work}
tag=case$$
lab=lab-$tag vic=vic-$tag
tree=$work/$tag.tree mnt=$work/$tag.mnt img=$work/$tag.img acts=$work/$tag.acts
loop='' server='' children=()

need() {
	local c
	for c in mmdebstrap systemd-nspawn mkfs.ext4 debugfs sfdisk losetup sshpass ssh curl zstd xz ip nsenter jq python3 journalctl; do
		command -v "$c" >/dev/null && continue
		echo "missing: $c. Install: apt-get install mmdebstrap systemd-container e2fsprogs fdisk mount sshpass openssh-client curl zstd xz-utils iproute2 util-linux jq python3" >&2
		exit 1
	done
	[ "$(id -u)" = 0 ] || { echo "making a practice case needs root: loop devices, namespaces, a container" >&2; exit 1; }
}

# Undoes everything, however the script ends. Only processes started here are ended, by their numbers.
cleanup() {
	set +e
	local p leader
	if [ -n "$server" ]; then
		leader=$(ps -o pid= --ppid "$server" | tr -d ' ')
		kill -9 $leader "$server" 2>/dev/null # the leader is the container's init: the rest of it dies with it
	fi
	for p in "${children[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	unmount "$mnt/usr"; unmount "$mnt"; unmount "$tree/usr"
	[ -n "$loop" ] && losetup -d "$loop" 2>/dev/null
	ip netns del "$lab" 2>/dev/null; ip netns del "$vic" 2>/dev/null
	rm -rf --one-file-system "$tree" "$mnt" "$img" "$work/$tag".* "$work/.#$tag".*
}

unmount() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		mountpoint -q "$1" || return 0
		umount "$1" 2>/dev/null && return 0
		sleep 0.5
	done
	echo "still in use: $1" >&2
	umount -l "$1"
}

begin() {
	need
	name=$1 out=${2:?output folder}
	mkdir -p "$work" "$out"
	: >"$acts"
	trap cleanup EXIT
	trap 'exit 130' INT TERM
	"$here/base.sh" "$work"
	began=$SECONDS
}

# What stays on the case's own file system of the base's /usr, besides symbolic links to it from elsewhere.
thin_list() {
	local f
	cd "$work/base/usr"
	for f in ls ps ss su sudo login passwd crontab dash; do echo "bin/$f"; done
	for f in sshd cron; do echo "sbin/$f"; done
	find lib/systemd lib/tmpfiles.d lib/sysusers.d -type f \( -name '*.service' -o -name '*.socket' -o -name '*.timer' -o -name '*.target' -o -name '*.path' -o -name '*.conf' \)
	find lib/systemd/system lib/systemd/user -type l
	find lib/x86_64-linux-gnu/security -type f
	echo lib/os-release
	echo "share/zoneinfo/$1"
	echo share/zoneinfo/UTC
	find local -maxdepth 1
	cd "$OLDPWD"
}

# server_tree HOSTNAME ZONE: the files of the server, before it is ever started.
server_tree() {
	hostname=$1 zone=$2
	mkdir -p "$tree/usr" "$work/$tag.ovl"
	tar -C "$work/base" --exclude=./usr --exclude=./.complete -cf - . | tar -C "$tree" --numeric-owner -xpf -
	thin_list "$zone" | tar -C "$work/base/usr" --no-recursion -T - -cf - | tar -C "$tree/usr" --numeric-owner -xpf -
	mkdir -p "$tree/usr/"{bin,sbin,lib,lib64,share,games,include,src}
	mount -t overlay overlay -o "lowerdir=$work/base/usr,upperdir=$tree/usr,workdir=$work/$tag.ovl" "$tree/usr"

	echo "$hostname" >"$tree/etc/hostname"
	printf '127.0.0.1\tlocalhost\n192.0.2.10\t%s.example.org %s\n192.0.2.1\tsmarthost.example.net\n' "$hostname" "$hostname" >"$tree/etc/hosts"
	ln -sf "/usr/share/zoneinfo/$zone" "$tree/etc/localtime"
	echo "$zone" >"$tree/etc/timezone"
	od -An -tx1 -N16 /dev/urandom | tr -d ' ' >"$tree/etc/machine-id"
	mkdir -p "$tree/var/log/journal" "$tree/etc/systemd/journald.conf.d"
	printf '[Journal]\nSystemMaxUse=32M\nSystemMaxFileSize=8M\n' >"$tree/etc/systemd/journald.conf.d/size.conf"
	printf 'PermitRootLogin yes\nUseDNS no\n' >"$tree/etc/ssh/sshd_config.d/local.conf"
	# Timers that would look for the Internet, and a console nobody sits at.
	for u in apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer console-getty.service; do
		ln -sf /dev/null "$tree/etc/systemd/system/$u"
	done
	inside sh -c "ssh-keygen -A; postconf -e 'relayhost=[192.0.2.1]:2525' inet_interfaces=loopback-only myhostname=$hostname.example.org \
		mydestination=localhost smtp_host_lookup=native disable_dns_lookups=yes inet_protocols=ipv4; systemctl disable vsftpd" >/dev/null 2>&1
	echo 'LANG=C.UTF-8' >"$tree/etc/default/locale"
	rm -f "$tree"/var/log/{dpkg,alternatives,bootstrap}.log # emptied when the base was made
	sed -i "s/ root@[^ ]*$/ root@$hostname/" "$tree"/etc/ssh/ssh_host_*.pub
	echo "$hostname.example.org" >"$tree/etc/mailname"
}

# The format rsyslog wrote for decades: local time, no year, no zone.
traditional_syslog() { sed -i '1i $ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat' "$tree/etc/rsyslog.conf"; }

inside() { systemd-nspawn -q -D "$tree" --register=no --keep-unit --resolv-conf=off --timezone=off --link-journal=no --hostname="$hostname" --pipe "$@" </dev/null 2> >(grep -v "Attempted to remove disk file system" >&2 || true); }

# account NAME PASSWORD|- [GROUP]: an account with a home, as old as the installation.
account() {
	inside useradd -m -s /bin/bash ${3:+-G "$3"} "$1"
	if [ "$2" != - ]; then inside sh -c "echo '$1:$2' | chpasswd"; fi
	inside chage -d "$(date -u -d '-30 days' +%F)" "$1"
}
# key NAME COMMENT [TYPE]: a key pair. may_enter ACCOUNT KEY: its public half goes into the account.
key() { ssh-keygen -q -t "${3:-ed25519}" -N '' -C "$2" -f "$work/$tag.key.$1"; }
public() { cat "$work/$tag.key.$1.pub"; }
may_enter() {
	install -d -m 700 "$tree/home/$1/.ssh"
	public "$2" >>"$tree/home/$1/.ssh/authorized_keys"
	chmod 600 "$tree/home/$1/.ssh/authorized_keys"
	inside chown -R "$1:$1" "/home/$1/.ssh"
}

# disk gpt|bare SIZE_MiB: puts the tree on an ext4 file system and mounts it. The installation is dated back: 45 days for
# what the packages brought, 30 for what was set up afterwards, so that the case does not begin minutes after it.
disk() {
	local offset=0 size=$(($2 << 10)) old new epoch
	unmount "$tree/usr"
	strip_overlay "$tree/usr"
	old=$(date -u -d '-45 days 09:12:31' +%s) new=$(date -u -d '-30 days 14:03:10' +%s)
	if [ "$1" = gpt ]; then offset=1048576 size=$((($2 - 2) << 10)); fi
	truncate -s "$2M" "$img"
	if [ "$1" = gpt ]; then printf 'label: gpt\nstart=1MiB, size=%dKiB, type=linux, name=root\n' "$size" | sfdisk -q "$img"; fi
	E2FSPROGS_FAKE_TIME=$old mkfs.ext4 -q -F -T default -b 4096 -L root -d "$tree" -E "offset=$offset,lazy_itable_init=0,lazy_journal_init=0" "$img" "${size}k"
	loop=$(losetup -f --show -o "$offset" --sizelimit $((size << 10)) "$img")
	mkdir -p "$mnt"
	mount "$loop" "$mnt"
	epoch=$(stat -c %Y "$work/base/.complete")
	find "$mnt" -printf '%i %T@ %y\n' >"$work/$tag.inodes"
	unmount "$mnt"
	# Modification times of packaged files are the packages' own and stay.
	awk -v base="$epoch" -v old="$old" -v new="$new" -v seed=$RANDOM 'BEGIN { srand(seed) }
		{ t = ($2 > base + 1) ? new : old; t += int(rand() * 90)
		  if ($2 > base - 86400) printf "sif <%d> mtime @%d\nsif <%d> atime @%d\nsif <%d> mtime_extra %.0f\n", $1, t, $1, t, $1, int(rand() * 999999999) * 4
		  printf "sif <%d> crtime @%d\nsif <%d> crtime_extra %.0f\n", $1, t - 1, $1, int(rand() * 999999999) * 4
		  printf "sif <%d> ctime_extra %.0f\nsif <%d> ctime @%d\n", $1, int(rand() * 999999999) * 4, $1, t }' "$work/$tag.inodes" >"$work/$tag.debugfs"
	debugfs -w -f "$work/$tag.debugfs" "$loop" >/dev/null 2>"$work/$tag.debugfs.err"
	mount "$loop" "$mnt"
	mkdir "$mnt/.ovl"
	mount -t overlay overlay -o "lowerdir=$work/base/usr,upperdir=$mnt/usr,workdir=$mnt/.ovl" "$mnt/usr"
	rm -rf --one-file-system "$tree"
}

# Overlays leave marks of their own on folders; no server has them.
strip_overlay() {
	python3 - "$1" <<'P'
import os, sys
for d, _, files in os.walk(sys.argv[1]):
    for p in [d] + [os.path.join(d, f) for f in files]:
        for a in os.listxattr(p, follow_symlinks=False):
            if a.startswith("trusted.overlay."):
                os.removexattr(p, a, follow_symlinks=False)
P
}

# network ADDRESS...: two namespaces joined by a cable; the addresses are the Internet's side.
network() {
	local a
	ip netns add "$lab"; ip netns add "$vic"
	ip link add v0 netns "$lab" type veth peer name eth0 netns "$vic"
	ip -n "$lab" link set lo up; ip -n "$lab" addr add 192.0.2.1/24 dev v0; ip -n "$lab" link set v0 up
	for a in "$@"; do ip -n "$lab" addr add "$a/32" dev lo; done
	ip -n "$vic" link set lo up; ip -n "$vic" addr add 192.0.2.10/24 dev eth0; ip -n "$vic" link set eth0 up
	ip -n "$vic" route add default via 192.0.2.1
	behind python3 "$here/sink.py" 192.0.2.1 2525
}

# Not by "ip netns exec", which makes a mount namespace that would keep the image busy.
inlab() { nsenter --net="/run/netns/$lab" "$@"; }
# behind COMMAND...: the same in the background. Written out, so that the number noted is the command's own.
behind() {
	nsenter --net="/run/netns/$lab" "$@" >/dev/null 2>&1 &
	children+=($!)
}

boot() {
	systemd-nspawn -q -D "$mnt" --register=no --keep-unit --resolv-conf=off --timezone=off --link-journal=no --hostname="$hostname" \
		--network-namespace-path="/run/netns/$vic" --boot </dev/null >"$work/$tag.console" 2>&1 &
	server=$!
	local i
	for i in $(seq 100); do # asked from outside, so that no log shows the question
		if [ "$(nsenter --net="/run/netns/$vic" ss -Hltn '( sport = :22 or sport = :80 )' | wc -l)" -ge 2 ]; then sleep 3; return; fi
		sleep 0.3
	done
	echo "the server did not come up:" >&2; tail -20 "$work/$tag.console" >&2; exit 1
}

# down: an orderly power-off; systemd-nspawn hands the signal on.
down() {
	kill "$server"
	wait "$server" || true
	server=''
	unmount "$mnt/usr"
	rm -rf "$mnt/.ovl"
	strip_overlay "$mnt/usr"
}

stamp() { date -u +%Y-%m-%dT%H:%M:%S.%NZ; }
note() { # KIND BY ACCOUNT SRC WHAT START
	jq -nc --arg kind "$1" --arg start "$6" --arg till "$(stamp)" --arg what "$5" --arg account "$3" --arg src "$4" --arg by "$2" \
		'{kind:$kind,start:$start,end:$till,what:$what,account:$account,src:$src,by:$by}' >>"$acts"
}
# act KIND BY ACCOUNT SRC WHAT COMMAND...: runs the command and writes down when.
act() {
	local start; start=$(stamp)
	"${@:6}" || true
	note "$1" "$2" "$3" "$4" "$5" "$start"
}
pause() { sleep "$(awk -v a="$1" -v b="${2:-$1}" -v s="$RANDOM" 'BEGIN { srand(s); print a + rand() * (b - a) }')"; }

sshopts=(-q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -F /dev/null)
ssh_pw() { local s=$1 u=$2 p=$3; shift 3; inlab timeout 400 sshpass -p "$p" ssh "${sshopts[@]}" -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -b "$s" "$@" "$u@192.0.2.10"; }
ssh_key() { local s=$1 u=$2 k=$3; shift 3; inlab timeout 400 ssh "${sshopts[@]}" -o PasswordAuthentication=no -o IdentitiesOnly=yes -i "$work/$tag.key.$k" -b "$s" "$@" "$u@192.0.2.10"; }
# guess BY SRC ACCOUNT PASSWORD...: tries that are refused.
guess() {
	local by=$1 s=$2 u=$3 p; shift 3
	for p in "$@"; do act ssh_guess "$by" "$u" "$s" "tries $u with $p: refused" ssh_pw "$s" "$u" "$p" </dev/null >/dev/null 2>&1; done
}
# session BY ACCOUNT SRC WHAT ssh_pw|ssh_key ARGUMENT...: an interactive login on a terminal. Standard input is what the
# person types, a line at a time and at a person's pace: all at once would be swallowed by whatever reads the terminal
# first, sudo for one. A line ":cron" waits for the next run of cron,
# ":pause N" N seconds, ":secret X" types a password at a prompt, ":eof" ends the input of what is running.
session() {
	local by=$1 account=$2 src=$3 what=$4 start as=$2; shift 4
	start=$(stamp)
	{
		pause 1.5 2.5
		while IFS= read -r line; do
			case $line in
			:cron) cron_minute ;;
			:eof) printf '\004' ; sleep 1 ;;
			:pause\ *) sleep "${line#:pause }" ;;
			:secret\ *) sleep 1; printf '%s\n' "${line#:secret }"; sleep 1.5 ;;
			*)
				printf '%s\n' "$line"
				[ "$line" = exit ] || note command "$by" "$as" "$src" "$line" "$(stamp)"
				case $line in 'sudo -i') as=root ;; exit) as=$account ;; esac # whose shell the next line goes to
				pause 0.8 1.8
				;;
			esac
		done
	} | "$@" -tt >>"$work/$tag.sessions" 2>&1 || true
	note ssh_login "$by" "$account" "$src" "$what" "$start"
}
# get SRC CURL-ARGUMENT...: asks the web server for something.
get() { local s=$1; shift; inlab curl -s -o /dev/null --max-time 20 --interface "$s" "$@" || true; }

# cron_minute: waits until the server's cron has run once more.
cron_minute() { sleep $((62 - $(date +%-S))); }

# image zst|xz: unmounts, checks and compresses.
image() {
	sync
	unmount "$mnt"
	e2fsck -fn "$loop" >"$work/$tag.fsck" 2>&1 || { echo "the file system is not clean:" >&2; head -20 "$work/$tag.fsck" >&2; exit 1; }
	losetup -d "$loop"; loop=''
	case $1 in
	zst) zstd -q -19 --long=27 -T2 -f "$img" -o "$out/evidence.img.zst" ;;
	xz) xz -9e -T1 -c "$img" >"$out/evidence.img.xz" ;;
	esac
}
# archive: the tree as somebody would send it, by tar with all metadata.
archive() {
	tar -C "$mnt" --numeric-owner --warning=no-file-ignored --format=pax --acls --xattrs --one-file-system -cf - etc home root usr var/lib/dpkg var/lib/systemd var/log var/mail var/spool var/www | gzip -9 >"$out/evidence.tar.gz"
	unmount "$mnt"
	losetup -d "$loop"; loop=''
}
# truth QUESTION EXPECTATION: the answer, with everything that was done and when.
truth() {
	jq -s --arg name "$name" --arg zone "$zone" --arg hostname "$hostname" --arg question "$1" --argjson rest "$2" \
		'{name:$name,question:$question,hostname:$hostname,zone:$zone,acts:sort_by(.start)} + $rest' "$acts" >"$out/truth.json"
}
# when KIND WHAT-PART: the start of the first act that matches.
when() { jq -rs --arg k "$1" --arg w "$2" 'map(select(.kind == $k and (.what | contains($w))))[0].start // empty' "$acts"; }
readme() {
	{
		cat
		cat <<'R'

How it was made: a Debian 12 server ran as a container with its real daemons on this ext4 file system, driven over a
network that leads nowhere; see lab/README.md. All addresses are documentation addresses (RFC 5737), names are
example names, passwords and keys belong to nobody. What runs as "malware" is a stand-in: a shell script that waits or
sends mail to a sink, a PHP file that knows a few fixed words.

The evidence is thinned: nearly all of /usr (programs, libraries, documentation) is missing though the package database
lists it; the rest was never touched after the power-off. The installation's dates were set back (packages 45 days,
setup 30 days); everything later happened at the times it shows.

`truth.json` holds what was done, by whom and when (UTC), and what an examination must and must not say.
R
	} >"$out/README.md"
	echo "$name: made in $((SECONDS - began)) s"
}
