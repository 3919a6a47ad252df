#!/bin/sh
# Fetches a Debian source package whose tests hold small images, damaged and crafted ones among them, and unpacks it into the directory
# given. They are under other licences and so not kept here. The system's own package sources are used, with the kind of entry turned
# from binary to source in a private configuration; nothing of the system is changed. Needs a Debian-like system and xz.
#
#   lab/damaged-images.sh e2fsprogs DIR      TELLTALE_E2FSPROGS=DIR go test ./filesystem/ext4 -run Damaged -v
#   lab/damaged-images.sh btrfs-progs DIR    TELLTALE_BTRFSPROGS=DIR go test ./filesystem/btrfs -run Damaged -v
#   lab/damaged-images.sh cryptsetup DIR     TELLTALE_CRYPTSETUP=DIR go test ./volume/luks -run Cryptsetup -v
#   lab/damaged-images.sh qemu DIR           TELLTALE_QEMU=DIR go test ./host -run QEMU -v
set -eu

package=${1:?usage: damaged-images.sh package directory}
to=${2:?usage: damaged-images.sh package directory}
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
apt source --download-only "$package"
for f in "$package"_*.orig.tar.gz "$package"_*.orig.tar.xz; do
	[ -f "$f" ] && tar -xf "$f" -C "$to" --strip-components=1
done
cd "$to/tests"
find . -name '*.tar.xz' -exec tar -xJf {} \;
find . -name '*.xz' ! -name '*.tar.xz' -exec xz -dkf {} \;
echo "$(find . -name '*.gz' -o -name '*.raw' -o -name '*.img' | wc -l) images in $to/tests"
