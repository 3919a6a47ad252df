#!/bin/bash
# Nothing happens but administration: two people, a package, a configuration file, a cron job, a log rotation.
# Usage: quiet.sh OUTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin "$1"
office=198.51.100.10 home=198.51.100.130 visitor=198.51.100.94
disk gpt 480
setup files4 Europe/Berlin
account pavel Lange-Nacht-17 sudo; key pavel pavel@office; key_for pavel pavel
key rosa rosa@tower
printf '<html><h1>Files</h1></html>\n' >"$mnt/var/www/html/index.html"
# A package to install later without a network.
pkg=$work/$tag.deb; mkdir -p "$pkg/DEBIAN" "$pkg/usr/bin" "$pkg/etc/cron.d"
printf 'Package: filetool\nVersion: 1.2\nArchitecture: all\nMaintainer: Files <files@example.org>\nDescription: counts files\n' >"$pkg/DEBIAN/control"
printf '#!/bin/sh\nfind "${1:-.}" -type f | wc -l\n' >"$pkg/usr/bin/filetool"; chmod 755 "$pkg/usr/bin/filetool"
printf '23 4 * * * root /usr/bin/filetool /srv >/dev/null\n' >"$pkg/etc/cron.d/filetool"; printf '/etc/cron.d/filetool\n' >"$pkg/DEBIAN/conffiles"
dpkg-deb -b --root-owner-group "$pkg" "$mnt/home/pavel/filetool_1.2_all.deb" >/dev/null
network $office $home $visitor
boot
act ssh_login admin pavel $office "logs in by key, installs a package, edits the configuration, adds cron jobs" -- typing ssh_key $office pavel pavel -tt >/dev/null 2>&1 <<'S'
echo Lange-Nacht-17 | sudo -S -p '' apt-get install -y ./filetool_1.2_all.deb
sudo -n sh -c 'echo "ServerTokens Prod" >> /etc/apache2/apache2.conf'
sudo -n systemctl reload apache2
sudo -n sh -c 'echo "30 2 * * * root tar -czf /var/backups/home.tgz /home" > /etc/cron.d/backup-home'
sleep 2
(crontab -l 2>/dev/null; echo "0 8 * * 1 df -h") | crontab -
exit
S
sleep 1
act visit visitor "" $visitor "visits the site" -- get $visitor -A 'Mozilla/5.0 Firefox/128.0' http://192.0.2.10/
newadmin() {
	typing ssh_pw $office pavel Lange-Nacht-17 -tt >/dev/null 2>&1 <<S
echo Lange-Nacht-17 | sudo -S -p '' useradd -m -s /bin/bash rosa
sudo -n usermod -aG sudo rosa
sudo -n install -d -m 700 -o rosa -g rosa /home/rosa/.ssh
echo "$(cat "$work/$tag.rosa.pub")" | sudo -n tee /home/rosa/.ssh/authorized_keys
sudo -n chown rosa:rosa /home/rosa/.ssh/authorized_keys
sudo -n logrotate -f /etc/logrotate.d/rsyslog
exit
S
}
act ssh_login admin pavel $office "logs in by password, makes an account for rosa, rotates the logs" -- newadmin
sleep 1
act ssh_login admin rosa $home "rosa logs in by key from her home" -- typing ssh_key $home rosa rosa -tt >/dev/null 2>&1 <<'S'
ls -la
exit
S
act ssh_login admin pavel $office "logs in by key" -- typing ssh_key $office pavel pavel -tt >/dev/null 2>&1 <<'S'
uptime
exit
S
sleep 1
down
thin
truth quiet Europe/Berlin "$(cat <<J
{"expect":{"status_any":["clean","cannot-tell"],"root":null,"entry":[],"persistence":[],"altered":[],"impact":[]},
"must_not":{"accounts":["pavel","rosa"],"addresses":["$office","$home","$visitor"],"files":["/etc/cron.d/backup-home","/etc/cron.d/filetool","/var/spool/cron/crontabs/pavel","/home/rosa/.ssh/authorized_keys"]}}
J
)"
image quiet xz
