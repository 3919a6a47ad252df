#!/bin/bash
# Opens a finished case read-only and looks, with ordinary tools only, for the trace of every expected answer: what is not
# visible in the evidence cannot be asked of anybody. Needs root (mount). Fails if something is missing.
# Usage: check.sh NAME [FOLDER]
set -euo pipefail
name=${1:?usage: check.sh NAME [FOLDER]}
if [ -z "${LAB_OWN_MOUNTS:-}" ]; then LAB_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"; fi
here=$(cd "$(dirname "$0")" && pwd)
dir=${2:-$here/../../practice/$name}
truth=$dir/truth.json
tmp=$(mktemp -d /var/tmp/check.XXXXXX)
root=$tmp/root loop='' bad=0
mkdir "$root"
cleanup() {
	set +e
	mountpoint -q "$root" && umount "$root"
	[ -n "$loop" ] && losetup -d "$loop"
	rm -rf --one-file-system "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

attach() { # a GPT's first partition starts at 1 MiB in these cases
	local offset=0
	if dd if="$tmp/img" bs=512 skip=1 count=1 status=none | grep -aq '^EFI PART'; then offset=1048576; fi
	loop=$(losetup -f --show -r -o $offset "$tmp/img")
	mount -o ro,noload "$loop" "$root"
}
if [ -e "$dir/evidence.img.zst" ]; then zstd -q -d --long=27 "$dir/evidence.img.zst" -o "$tmp/img"; attach
elif [ -e "$dir/evidence.img.xz" ]; then xz -dc "$dir/evidence.img.xz" >"$tmp/img"; attach
else tar -xpf "$dir/evidence.tar.gz" -C "$root" --numeric-owner; fi

ok() { printf '  ok    %s\n' "$*"; }
no() { printf '  FAIL  %s\n' "$*"; bad=1; }
# has WHAT COMMAND...: the command must print something. hasnot: it must print nothing.
has() { local w=$1 n; shift; n=$("$@" 2>/dev/null | wc -l) || true; if [ "$n" -gt 0 ]; then ok "$w ($n)"; else no "$w"; fi; }
hasnot() { local w=$1 n; shift; n=$("$@" 2>/dev/null | wc -l) || true; if [ "$n" -eq 0 ]; then ok "$w"; else no "$w ($n)"; fi; }
agrees() { local w=$1 n; shift; if n=$("$@" 2>&1) && [ -z "$n" ]; then ok "$w"; else no "$w"; printf '%s\n' "$n"; fi; }
file() { if [ -e "$root$1" ]; then ok "there is $1"; else no "there is no $1"; fi; }
j() { journalctl --directory="$root/var/log/journal" --no-pager -q -o short-iso-precise --utc "$@"; }
jg() { j | grep -E -- "$1"; }
lg() { grep -hE -- "$1" "$root"/var/log/$2; }
seen() { { j; find "$root/var/log" -type f -name '*log*' ! -name '*.gz' -exec cat {} +; } | grep -aF -- "$1"; }
t() { jq -r "$1" "$truth"; }

echo "$name: $(cd "$dir" && ls -s --block-size=1K evidence.* | tr '\n' ' ')"
hasnot "nothing is dated in the future" find "$root" \( -newermt tomorrow -o -newerct tomorrow -o -newerBt tomorrow \)
hasnot "nothing tells where it was made" grep -rIlE "lab-work|/var/tmp/case" "$root/etc" "$root/var" "$root/home" "$root/root"
for f in $(t '.expect.files[], .expect.persistence[].path, .expect.altered[].path, .must_not.files[]'); do file "$f"; done
for a in $(t '.must_not.addresses[]'); do has "innocent address $a is in the logs" seen "$a"; done

agrees "acts and journal agree, both ways" python3 "$here/acts.py" "$truth" "$root/var/log/journal"

# near WHAT TIME SECONDS PATTERN: the journal's first line with the pattern is that near to the time.
near() {
	local s; s=$(jg "$4" | head -1 | cut -d' ' -f1)
	[ -n "$s" ] || { no "$1: not in the journal"; return; }
	local d=$(($(date -d "$s" +%s) - $(date -d "$2" +%s)))
	if [ "${d#-}" -le "$3" ]; then ok "$1: journal $s, $d s after the act began"; else no "$1: $d s off"; fi
}
case $name in
ssh-guessed)
	near "guessed login" "$(t '.expect.entry[0].first')" 5 'Accepted password for alice from 203.0.113.66'
	near "return by key" "$(t '.expect.returns[0].first')" 5 'Accepted publickey for root from 203.0.113.99'
	has "failures of the intruder in the journal" jg 'Failed password.*203.0.113.66'
	has "failures for alice before it" jg 'Failed password for alice from 203.0.113.66'
	has "sudo to root in the journal" jg 'sudo.*alice.*COMMAND=/bin/bash'
	has "cron ran the script" jg 'CRON.*font-unix/upd'
	hasnot "the address is gone from auth.log" lg '203\.0\.113\.66' auth.log
	hasnot "auth.log ends at the edit: nothing of the return" lg '203\.0\.113\.99' auth.log
	has "syslog went on" lg 'CRON|systemd' syslog
	has "alice's history" grep -h 'sudo -i' "$root/home/alice/.bash_history"
	hasnot "root's history is empty" cat "$root/root/.bash_history"
	has "wtmp holds both" bash -c "last -f '$root/var/log/wtmp' | grep -E '203.0.113.(66|99)'"
	hasnot "btmp holds nothing of the intruder" bash -c "last -f '$root/var/log/btmp' | grep -F 203.0.113.66"
	has "btmp went on" bash -c "last -f '$root/var/log/btmp' | grep -F 198.51.100"
	has "time of the script is set back" find "$root/var/tmp/.font-unix/upd" ! -newermt 2023-03-05 -newerct 2026-01-01
	has "key of the intruder, root" grep kali "$root/root/.ssh/authorized_keys"
	has "key of the intruder, alice" grep kali "$root/home/alice/.ssh/authorized_keys"
	has "the removed lines are still in the free blocks" bash -c "grep -aoE 'web1 sshd.*Failed password for alice from 203.0.113.66' '$tmp/img' | head -3"
	;;
web-upload)
	has "POST of the script" lg '203\.0\.113\.150.*POST /upload.php' apache2/access.log
	has "calls of the script" lg '203\.0\.113\.150.*uploads/img_0417.php.* 200 ' apache2/access.log
	has "errors of its children" lg 'wget:|not found|lynx|Connecting' apache2/error.log
	has "script belongs to www-data" find "$root/var/www/html/uploads/img_0417.php" -uid 33
	has "mail by uid 33" lg 'pickup.*uid=33' mail.log
	has "mail delivered or deferred" lg 'status=(sent|deferred)' mail.log
	n=$(lg 'pickup.*uid=33 from=<parcel@example.com>' mail.log | wc -l); if [ "$n" -ge 40 ]; then ok "$n junk mails"; else no "only $n junk mails"; fi
	has "crontab of www-data ran" lg 'CRON.*www-data.*CMD.*q.sh' syslog
	has "mail of the form itself" bash -c "grep -h 'uid=33 from=<www-data>' '$root/var/log/mail.log'"
	has "scanners' 404s" lg '203\.0\.113\.3[12].* 404 ' apache2/access.log
	has "failed guesses" lg 'Failed password' auth.log
	has "admin by key" lg 'Accepted publickey for olga' auth.log
	;;
guessed-at)
	has "failures" jg 'Failed password'
	for a in $(t '.expect.attackers[]'); do has "failures from $a" lg "Failed password.*$a" auth.log; hasnot "$a never accepted" lg "Accepted.*$a" auth.log; done
	has "the typo" lg 'Failed password for henri from 198.51.100.61' auth.log
	has "the password after it" lg 'Accepted password for henri from 198.51.100.61' auth.log
	has "the lock" lg 'usermod' auth.log
	has "carla is locked" grep '^carla:!' "$root/etc/shadow"
	has "cron.d file belongs to a package" grep -rhx /etc/cron.d/anacron "$root/var/lib/dpkg/info"
	has "dpkg.log" lg 'status installed anacron' dpkg.log
	has "200s to scanners" lg '203\.0\.113\.7.* 200 ' apache2/access.log
	has "403s to scanners" lg '203\.0\.113\.7.* 403 ' apache2/access.log
	;;
quiet)
	hasnot "no failed login" jg 'Failed password'
	has "key login" jg 'Accepted publickey for pavel'
	has "password login" jg 'Accepted password for pavel'
	has "rosa's login" jg 'Accepted publickey for rosa'
	has "dpkg.log" bash -c "zgrep -h 'status installed tree' '$root'/var/log/dpkg.log*"
	has "apt's history" bash -c "zgrep -h 'apt-get install -y tree' '$root'/var/log/apt/history.log*"
	has "new account" jg 'new user: name=rosa'
	has "crontab of pavel ran" jg 'CRON.*pavel.*CMD.*df -h'
	has "rotated logs" find "$root/var/log" -name 'auth.log.*'
	has "compressed logs" find "$root/var/log" -name '*.gz'
	;;
esac
[ $bad = 0 ] && echo "  all of it is there"
exit $bad
