#!/bin/sh
# Makes deleted-ext4 and fast-commit: copies of mounted filesystems, with files deleted, edited, cut short and still
# open. Needs root and loop devices. Times are those of the run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'umount "$work/mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/mnt"
uuid=11111111-2222-3333-4444-555555555555

begin() { # name options...
	name=$1
	shift
	truncate -s 4M "$work/$name"
	mke2fs -q -F -t ext4 -U $uuid -E "hash_seed=$uuid" -b 1024 -J size=1 "$@" "$work/$name"
	mount -o loop "$work/$name" "$work/mnt"
	mkdir -p "$work/mnt/var/log" "$work/mnt/tmp/.x/y"
	seq 1 300 | sed 's/.*/Mar  2 10:00:00 web1 sshd[&]: Accepted password for root from 203.0.113.66 port 4& ssh2/' >"$work/mnt/var/log/auth.log"
	cp "$work/mnt/var/log/auth.log" "$work/mnt/var/log/cut.log"
	for i in 1 2 3 4 5; do printf '#!/bin/sh\necho scan %s\n' $i >"$work/mnt/tmp/.x/y/scan$i.sh"; done
	cp /bin/true "$work/mnt/tmp/open" && truncate -s 9000 "$work/mnt/tmp/open"
	sync -f "$work/mnt"
}

end() {
	sync "$work/mnt/var/log/auth.log"
	cp "$work/$name" "$work/copy"
	exec 9<&-
	umount "$work/mnt"
	gzip -n -9 <"$work/copy" >"$here/$name.img.gz"
}

begin deleted-ext4
exec 9<"$work/mnt/tmp/open"
sed -i '/sshd\[7/d' "$work/mnt/var/log/auth.log"
: >"$work/mnt/var/log/cut.log"
rm -rf "$work/mnt/tmp/.x" "$work/mnt/tmp/open"
end

begin fast-commit -O fast_commit
echo one >"$work/mnt/tmp/one" && sync "$work/mnt/tmp/one"
mv "$work/mnt/tmp/one" "$work/mnt/tmp/two" && sync "$work/mnt/tmp/two"
rm "$work/mnt/var/log/cut.log" && echo two >>"$work/mnt/tmp/two" && sync "$work/mnt/tmp/two"
end
