#!/bin/sh
# Fetches the source package of cryptsetup, whose tests hold LUKS images and headers, sound and crafted
# ones, and unpacks them into the directory given. The system's own package sources are used, with the
# kind of entry turned from binary to source in a private configuration; nothing of the system is
# changed. Needs a Debian-like system and xz.
#
#   lab/cryptsetup-images.sh /tmp/cryptsetup
#   TELLTALE_CRYPTSETUP=/tmp/cryptsetup go test ./volume/luks -run Cryptsetup -v
set -eu

to=${1:?usage: cryptsetup-images.sh directory}
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
apt source --download-only cryptsetup
for f in cryptsetup_*.orig.tar.gz cryptsetup_*.orig.tar.xz; do
	[ -f "$f" ] && tar -xf "$f" -C "$to" --strip-components=1
done
cd "$to/tests"
for f in *.xz; do
	case $f in *.tar.xz) tar -xJf "$f" ;; *) xz -dkf "$f" ;; esac
done
echo "$(find "$to/tests" -name '*.img' | wc -l) images in $to/tests"
