#!/bin/bash
# Makes the lean Debian base that the practice cases start from, once: base.tar.zst in the work folder.
# Usage: base.sh WORKDIR
set -euo pipefail
work=${1:?work folder}
mkdir -p "$work"
[ -s "$work/base.tar.zst" ] && exit 0
packages=systemd,systemd-sysv,dbus,openssh-server,rsyslog,cron,sudo,apache2,libapache2-mod-php,postfix,bsd-mailx,logrotate,iproute2,procps,less,wget,nano-tiny,adduser,login,passwd,e2fsprogs,tzdata,libpam-systemd,cron-daemon-common
nice mmdebstrap --variant=minbase --include="$packages" \
	--aptopt='APT::Install-Recommends "false"' \
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
	--essential-hook='echo "postfix postfix/main_mailer_type select Satellite system" | chroot "$1" debconf-set-selections' \
	--essential-hook='echo "postfix postfix/mailname string localhost" | chroot "$1" debconf-set-selections' \
	bookworm "$work/base.part.tar"
zstd -q -3 -f "$work/base.part.tar" -o "$work/base.tar.zst"
rm -f "$work/base.part.tar"
