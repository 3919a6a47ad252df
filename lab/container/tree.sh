#!/bin/bash
# The files of a server before it is ever started: the base, with nearly all of /usr left out and laid under it as an overlay, so that
# the case's own disk stays small without anything having been deleted from it.
# Usage: tree.sh WORK CASE ZONE
set -euo pipefail
work=$1 case=$2 zone=$3
tree=$case/tree
mkdir -p "$tree/usr" "$case/ovl"
tar -C "$work/base2" --exclude=./usr --exclude=./.complete -cf - . | tar -C "$tree" --numeric-owner -xpf -
cd "$work/base2/usr"
{
	for f in ls ps ss su sudo login passwd crontab dash id wget; do echo "bin/$f"; done
	for f in sshd cron; do echo "sbin/$f"; done
	find lib/systemd lib/tmpfiles.d lib/sysusers.d -type f \( -name '*.service' -o -name '*.socket' -o -name '*.timer' -o -name '*.target' -o -name '*.path' -o -name '*.conf' \)
	find lib/systemd/system lib/systemd/user -type l
	find lib/x86_64-linux-gnu/security -type f
	echo lib/os-release
	echo "share/zoneinfo/$zone"
	echo share/zoneinfo/UTC
	find local -maxdepth 1
} | tar --no-recursion -T - -cf - | tar -C "$tree/usr" --numeric-owner -xpf -
mkdir -p "$tree/usr/"{bin,sbin,lib,lib64,share,games,include,src,lib/cgi-bin}
mount -t overlay overlay -o "lowerdir=$work/base2/usr,upperdir=$tree/usr,workdir=$case/ovl" "$tree/usr"
