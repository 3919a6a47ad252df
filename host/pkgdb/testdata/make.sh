#!/bin/sh
# Makes the samples: a few small packages, installed into databases of each of rpm's forms, and the same records in
# Berkeley DB's form, which rpm 4.18 no longer writes. Needs rpm, rpmbuild, sqlite3, db5.3-util, python3.
set -eu
cd "$(dirname "$0")"
here=$PWD
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export SOURCE_DATE_EPOCH=1700000000 TZ=UTC LC_ALL=C

spec() { # name version files-section install-section
	cat > "$T/$1.spec" <<SPEC
Name: $1
Version: $2
Release: 1.el9
Epoch: ${5:-0}
Summary: sample
License: none
Vendor: Example Linux
BuildArch: ${6:-x86_64}
%description
sample
%install
$4
%files
%defattr(-,root,root)
$3
SPEC
	rpmbuild --quiet -bb --target "${6:-x86_64}" --define "_topdir $T/top" --define "_build_id_links none" --define "use_source_date_epoch_as_buildtime 1" \
		--define "_buildhost build.example.org" --define "clamp_mtime_to_source_date_epoch 1" --define "_source_filedigest_algorithm ${7:-8}" --define "_binary_filedigest_algorithm ${7:-8}" \
		--define "__os_install_post %{nil}" "$T/$1.spec"
}
put='put() { mkdir -p "%{buildroot}${1%%/*}"; echo "$2" > "%{buildroot}$1"; chmod "${3:-755}" "%{buildroot}$1"; }'
spec coreutils 8.32 '/usr/bin/ls
/usr/bin/cat
%attr(4755,root,root) /usr/bin/su
%doc /usr/share/doc/coreutils/README' "$put
put /usr/bin/ls ls; put /usr/bin/cat cat; put /usr/bin/su su; put /usr/share/doc/coreutils/README read 644"
spec openssh-server 8.7 '/usr/sbin/sshd
%config(noreplace) /etc/ssh/sshd_config
%ghost /var/log/sshd.ghost
%caps(cap_net_raw=ep) /usr/sbin/sshcap' "$put
put /usr/sbin/sshd sshd; put /etc/ssh/sshd_config conf 600; put /var/log/sshd.ghost g 644; put /usr/sbin/sshcap c" 2
spec pam 1.5 '/usr/lib64/security/pam_unix.so
/usr/lib64/libpam.so.0' "$put
put /usr/lib64/security/pam_unix.so pam; mkdir -p %{buildroot}/usr/lib64; ln -s libpam.so.0.1 %{buildroot}/usr/lib64/libpam.so.0"
spec oldsums 1.0 '/usr/bin/oldtool' "$put
put /usr/bin/oldtool old" 0 noarch 1
spec many 1.0 '/usr/share/many' "$put
for i in \$(seq 300); do put /usr/share/many/file\$i text\$i 644; done" 0 noarch
find "$T/top/RPMS" -name '*.rpm' | sort > "$T/list"
mkdir "$T/sqlite"
xargs rpm --dbpath "$T/sqlite" --define "_db_backend sqlite" --nodeps --noscripts --justdb --nosignature --ignorearch -i < "$T/list" 2> /dev/null
sqlite3 "$T/sqlite/rpmdb.sqlite" 'pragma journal_mode=delete; drop table if exists x; vacuum;' > /dev/null
gzip -9n < "$T/sqlite/rpmdb.sqlite" > rpmdb.sqlite.gz
sqlite3 "$T/sqlite/rpmdb.sqlite" 'select hnum, hex(blob) from Packages order by hnum' > "$T/rows"
python3 - "$T/rows" "$T/Packages.db" <<'PY'
# ndb, as rpm 4.18 lib/backend/ndb/rpmpkg.c lays it out: a page of slots, then the blobs.
import struct, sys, zlib
slots, blobs, at = b"", b"", 4096 // 16
for line in open(sys.argv[1]):
    n, h = line.strip().split("|")
    h = bytes.fromhex(h)
    body = struct.pack("<4sIII", b"BlbS", int(n), 1700000000, len(h)) + h
    body += bytes(-(len(body) + 12) % 16)
    body += struct.pack("<II4s", zlib.adler32(body), len(h), b"BlbE")
    slots += struct.pack("<4sIII", b"Slot", int(n), at, len(body) // 16)
    blobs, at = blobs + body, at + len(body) // 16
head = struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, 99)
page = head + slots
page += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - len(page)) // 16)
open(sys.argv[2], "wb").write(page + blobs)
PY
gzip -9n < "$T/Packages.db" > Packages.db.gz
dump() { # form page size, byte order
	echo "VERSION=3"; echo "format=bytevalue"; echo "type=$1"; echo "db_lorder=$3"; echo "db_pagesize=$2"; echo "HEADER=END"
	echo " 00000000"; echo " 05000000"
	while IFS='|' read -r n blob; do
		printf ' %02x000000\n %s\n' "$n" "$(echo "$blob" | tr A-F a-f)"
	done < "$T/rows"
	echo "DATA=END"
}
dump hash 4096 1234 | db5.3_load "$T/Packages"
gzip -9n < "$T/Packages" > Packages.hash.gz
dump hash 512 4321 | db5.3_load "$T/Packages.big"
gzip -9n < "$T/Packages.big" > Packages.bigendian.gz
dump btree 4096 1234 | db5.3_load "$T/Packages.btree"
gzip -9n < "$T/Packages.btree" > Packages.btree.gz
# The names of what rpm itself makes of them, for the comparison.
rpm --dbpath "$T/sqlite" -qa --qf '[%{=NAME} %{=VERSION}-%{=RELEASE} %{=ARCH} %{FILENAMES} %{FILEDIGESTS} %{FILEMODES:octal} %{FILEFLAGS} %{FILESIZES} %{FILEUSERNAME}\n]' | grep -v '/usr/share/many/file' | sort > rpm.txt
# rpm itself reads the Berkeley DB files, too.
mkdir "$T/bdb"; cp "$T/Packages" "$T/bdb/Packages"
rpm --dbpath "$T/bdb" --define "_db_backend bdb_ro" -qa | sort > "$T/bdb.txt"
rpm --dbpath "$T/sqlite" -qa | sort | diff - "$T/bdb.txt"
# A part of a Debian system's database, as it stands.
for p in dash coreutils libpam-modules:amd64 libc6:amd64; do ls /var/lib/dpkg/info/$p.*; done | grep -E 'list$|md5sums$|conffiles$' | cut -c2- > "$T/names"
mkdir -p "$T/d/var/lib/dpkg"
dpkg-query -s dash coreutils libpam-modules libc6 | sed '/^Description/,/^Homepage\|^$/{/^Description\|^ /d}' > "$T/d/var/lib/dpkg/status"
tar --sort=name --owner=0 --group=0 --numeric-owner -cf "$T/d.tar" -C "$T/d" var/lib/dpkg/status -C / var/lib/dpkg/diversions var/lib/dpkg/statoverride -T "$T/names"
gzip -9n < "$T/d.tar" > dpkg.tar.gz
