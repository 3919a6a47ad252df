#!/usr/bin/env bash
# Fetches fail2ban's samples of log lines, labelled with the address and time of each failure, from Debian's package into a folder.
# They are under the GPL (2 or later) and so not kept in this repository. Usage: fail2ban-logs.sh FOLDER
set -euo pipefail
to=${1:?usage: fail2ban-logs.sh FOLDER}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq fail2ban 2>/dev/null || { apt-get update -qq && apt-get download -qq fail2ban; }
dpkg -x fail2ban_*.deb tree
samples=$(find tree -type d -path '*/tests/files/logs' -print -quit)
[ -n "$samples" ] || { echo "this fail2ban package has no samples" >&2; exit 1; }
mkdir -p "$to"
cp "$samples"/* "$to"/ 2>/dev/null || [ -e "$to/sshd" ] # one of them is a folder
