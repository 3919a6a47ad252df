#!/bin/bash
# Case "quiet": nothing but administration. Two people, a package, a changed configuration, cron jobs, rotated logs.
# Usage: quiet.sh FOLDER
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin quiet "$1"

office=198.51.100.10 home=198.51.100.130 visitor1=198.51.100.94 visitor2=203.0.113.180
server_tree files4 Asia/Tokyo
traditional_syslog
account pavel Lange-Nacht-17 sudo
key pavel pavel@office; may_enter pavel pavel
key rosa rosa@tower ecdsa
printf '<!doctype html><html><link rel="stylesheet" href="/f.css"><h1>Files</h1></html>\n' >"$tree/var/www/html/index.html"
echo 'h1 { color: brown }' >"$tree/var/www/html/f.css"
# There is no network to install from, so a small package archive lies on the server itself.
mkdir -p "$tree/srv/packages"
cp "$work/base.packages"/*.deb "$tree/srv/packages/"
echo 'deb [trusted=yes] file:/srv/packages ./' >"$tree/etc/apt/sources.list"
inside sh -c 'cd /srv/packages && apt-ftparchive packages . >Packages'
disk gpt 160
network $office $home $visitor1 $visitor2
boot

site=http://192.0.2.10
look() { get "$1" -A "$2" $site/; get "$1" -A "$2" -e http://files4.example.org/ $site/f.css; get "$1" -A "$2" -e http://files4.example.org/ $site/favicon.ico; }
ff='Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0'
ed='Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0'
act visit visitor "" $visitor1 "looks at the site" look $visitor1 "$ff"
session admin pavel $office "logs in by key, installs a package, edits the configuration, adds cron jobs" ssh_key $office pavel pavel <<'S'
sudo apt-get update
:secret Lange-Nacht-17
sudo apt-get install -y tree
:pause 4
tree -L 1 /srv
sudo sed -i 's/^ServerTokens OS/ServerTokens Prod/' /etc/apache2/conf-available/security.conf
sudo apache2ctl configtest
sudo systemctl reload apache2
echo '30 2 * * * root tar -czf /var/backups/home.tgz /home' | sudo tee /etc/cron.d/backup-home
EDITOR='tee -a' crontab -e
* * * * * df -h / >> /home/pavel/space.log
:eof
exit
S
act visit visitor "" $visitor2 "looks at the site" look $visitor2 "$ed"
session admin pavel $office "logs in by password, makes an account for rosa" ssh_pw $office pavel Lange-Nacht-17 <<S
sudo adduser --disabled-password --gecos Rosa rosa
:secret Lange-Nacht-17
sudo usermod -aG sudo rosa
sudo install -d -m 700 -o rosa -g rosa /home/rosa/.ssh
echo "$(public rosa)" | sudo tee /home/rosa/.ssh/authorized_keys
sudo chown rosa:rosa /home/rosa/.ssh/authorized_keys
sudo chmod 600 /home/rosa/.ssh/authorized_keys
exit
S
cron_minute
session admin rosa $home "rosa logs in by key from her home" ssh_key $home rosa rosa <<'S'
ls -la
id
exit
S
session admin pavel $office "logs in by key, rotates the logs" ssh_key $office pavel pavel <<'S'
sudo logrotate -f /etc/logrotate.conf
:secret Lange-Nacht-17
:pause 3
ls -l /var/log
exit
S
act visit visitor "" $visitor1 "looks at the site" look $visitor1 "$ff"
session admin pavel $office "logs in by key, rotates the logs again" ssh_key $office pavel pavel <<'S'
sudo logrotate -f /etc/logrotate.conf
:secret Lange-Nacht-17
:pause 3
exit
S
act visit visitor "" $visitor2 "looks at the site" look $visitor2 "$ed"
session admin rosa $home "rosa logs in by key from her home" ssh_key $home rosa rosa <<'S'
uptime
exit
S
cron_minute
down

truth "Was this server broken into?" "$(
	cat <<J
{"expect":{"status_any":["clean","cannot-tell"],"root":null,"entry":[],"persistence":[],"altered":[],"impact":[],"files":[],"actions":[]},
 "must_not":{"accounts":["pavel","rosa"],"addresses":["$office","$home","$visitor1","$visitor2"],
  "files":["/etc/cron.d/backup-home","/etc/cron.d/e2scrub_all","/etc/cron.d/php","/var/spool/cron/crontabs/pavel","/home/rosa/.ssh/authorized_keys","/home/pavel/.ssh/authorized_keys","/var/log/auth.log.1","/var/log/wtmp.1","/var/log/btmp.1"]}}
J
)"
image xz
readme <<'R'
# quiet

A file server, `files4`, disk image with a GPT and one ext4 partition (`evidence.img.xz`). Local time is Asia/Tokyo;
rsyslog writes the traditional format without year or zone. Two administrators work on it; logs were rotated twice, the
usual way. Nothing else happened.
R
