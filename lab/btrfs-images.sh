#!/bin/sh
# Fetches the source package of btrfs-progs, whose tests hold small damaged Btrfs images
# (tests/fuzz-tests/images), and unpacks them into the directory given. The system's own
# package sources are used, with the kind of entry turned from binary to source in a private
# configuration; nothing of the system is changed. Needs a Debian-like system and xz.
#
#   lab/btrfs-images.sh /tmp/btrfs-progs
#   TELLTALE_BTRFSPROGS=/tmp/btrfs-progs go test ./filesystem/btrfs -run Damaged -v
set -eu

to=${1:?usage: btrfs-images.sh directory}
mkdir -p "$to"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial"

for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ -f "$f" ] && sed -n 's/^deb /deb-src /p' "$f" >>"$work/sources.list"
done
touch "$work/sources.list"
for f in /etc/apt/sources.list.d/*.sources; do
	[ -f "$f" ] && sed 's/^Types:.*/Types: deb-src/' "$f" >"$work/parts/$(basename "$f")"
done

apt() {
	apt-get -q \
		-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts" \
		-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User=root "$@"
}
# One source of many that does not answer is no reason to stop.
apt update || true
cd "$work"
apt source --download-only btrfs-progs
for f in btrfs-progs_*.orig.tar.gz btrfs-progs_*.orig.tar.xz; do
	[ -f "$f" ] && tar -xf "$f" -C "$to" --strip-components=1
done
find "$to/tests" -name '*.raw.xz' | while read -r f; do
	xz -dkf "$f"
done
echo "$(find "$to/tests" -name '*.raw' | wc -l) images in $to/tests"
