#!/bin/sh
# Fetches the source package of e2fsprogs, whose tests hold some 400 small damaged
# ext2/3/4 images, and unpacks it into the directory given. The system's own package
# sources are used, with the kind of entry turned from binary to source in a private
# configuration; nothing of the system is changed. Needs a Debian-like system.
#
#   lab/e2fsprogs-images.sh /tmp/e2fsprogs
#   TELLTALE_E2FSPROGS=/tmp/e2fsprogs go test ./filesystem/ext4 -run Damaged -v
set -eu

to=${1:?usage: e2fsprogs-images.sh directory}
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
apt source --download-only e2fsprogs
for f in e2fsprogs_*.orig.tar.gz e2fsprogs_*.orig.tar.xz; do
	[ -f "$f" ] && tar -xf "$f" -C "$to" --strip-components=1
done
echo "$(find "$to/tests" -name 'image.gz' | wc -l) images in $to/tests"
