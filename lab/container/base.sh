#!/bin/bash
# Makes the Debian 12 tree that all servers start from, once: WORK/NAME. It takes about two minutes.
# Packages come from whatever mirror the machine's own apt is configured to use; the result names an example mirror.
# Usage: base.sh WORK NAME [MORE_PACKAGES]
set -euo pipefail
work=${1:?usage: base.sh WORK NAME} base=$work/${2:?} more=${3:-}
[ -e "$base/.complete" ] && exit 0
mkdir -p "$work"
rm -rf --one-file-system "$base" "$base.part"
packages=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,rsyslog,cron,sudo,apache2,libapache2-mod-php,php-cli
packages=$packages,dovecot-core,dovecot-imapd,redis-server,samba,samba-vfs-modules,perl-base,postfix,bsd-mailx,vsftpd
packages=$packages,logrotate,iproute2,procps,less,wget,nano,adduser,e2fsprogs,tzdata,apt-utils${more:+,$more}

# All of the machine's own entries for the archive, whichever of the two formats they have.
sources=()
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
	if [ -s "$f" ] && grep -q bookworm "$f"; then sources+=("$f"); fi
done
nice mmdebstrap --quiet --variant=minbase --include="$packages" \
	--aptopt='APT::Install-Recommends "false"' \
	--essential-hook='echo "postfix postfix/main_mailer_type select Satellite system" | chroot "$1" debconf-set-selections' \
	--essential-hook='echo "postfix postfix/mailname string localhost" | chroot "$1" debconf-set-selections' \
	--format=directory bookworm "$base.part" "${sources[@]}"

cd "$base.part"
# What belongs to the machine that built it, and what a server would not have.
rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/cache/apt/archives/*.deb etc/apt/apt.conf.d/99mmdebstrap \
	etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/apt/sources.list.d/* etc/resolv.conf etc/hostname etc/udev/hwdb.bin dev/*
rm -f etc/ssh/ssh_host_* etc/machine-id var/lib/dbus/machine-id # every case has its own
mkdir -p var/lib/apt/lists/partial
echo 'deb http://mirror.example.org/debian bookworm main' >etc/apt/sources.list
cd - >/dev/null
touch "$base.part/.complete"
mv "$base.part" "$base"
