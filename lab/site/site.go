// Package site is the web site of a practice server: ordinary pages, and the weak ones that a scenario asks for. The
// PHP and CGI files are what a real server runs; the written tier plays the same by itself.
package site

import (
	"fmt"
	"strings"

	"telltale/lab"
)

// Root is where the site stands, CGI where its programs do.
const (
	Root = "/var/www/html"
	CGI  = "/usr/lib/cgi-bin"
)

// Theme is the file that the theme editor writes.
const Theme = Root + "/wp-content/themes/hills/404.php"

// Ordinary are the pages that visitors look at, and their sizes.
var Ordinary = []string{"/", "/style.css", "/js/site.js", "/logo.png", "/about.html", "/gallery.php", "/contact.php"}

// Files gives what stands on the server's disk of its site before the first day.
func Files(s *lab.Setup) []lab.File {
	files := []lab.File{
		page("index.html", "<!doctype html><html><head><link rel=\"stylesheet\" href=\"/style.css\"><script src=\"/js/site.js\"></script></head><body><img src=\"/logo.png\"><h1>"+s.Hostname+"</h1><a href=\"/about.html\">about</a> <a href=\"/gallery.php\">gallery</a> <a href=\"/contact.php\">contact</a></body></html>\n"),
		page("style.css", "body { font-family: serif } h1 { color: navy }\n"),
		page("js/site.js", "console.log('"+s.Hostname+"');\n"),
		page("logo.png", "\x89PNG\r\n\x1a\n"+strings.Repeat("walkers ", 110)),
		page("about.html", "<!doctype html><html><h1>About us</h1><p>We walk the hills.</p></html>\n"),
		page("robots.txt", "User-agent: *\nDisallow: /uploads/\n"), {Path: Root + "/uploads/", Owner: "www-data", Mode: 0o755},
		page("gallery.php", gallery), page("contact.php", contact),
	}
	for _, p := range s.Pages {
		switch p {
		case lab.UploadForm:
			files = append(files, page("upload.php", upload))
		case lab.CMS:
			theme := page(strings.TrimPrefix(Theme, Root+"/"), notFound)
			theme.Owner = "www-data"
			files = append(files, page("wp-login.php", login), page("wp-admin/theme-editor.php", editor), page("wp-includes/version.php", "<?php\n$wp_version = '6.5.2';\n"), theme)
		case lab.StatusCGI:
			files = append(files, lab.File{Path: CGI + "/status.sh", Owner: "root", Mode: 0o755, Data: []byte(status)})
		}
	}
	return files
}

func page(name, text string) lab.File {
	return lab.File{Path: Root + "/" + name, Owner: "root", Mode: 0o644, Data: []byte(text)}
}

const (
	gallery = `<!doctype html><html><link rel="stylesheet" href="/style.css"><h1>Gallery</h1>
<form method="post" action="upload.php" enctype="multipart/form-data"><input type="file" name="photo"><input type="submit"></form>
<?php foreach (glob("uploads/*.{jpg,png}", GLOB_BRACE) as $f) { echo "<img src=\"/", htmlspecialchars($f), "\">\n"; } ?></html>
`
	contact = `<?php
if (isset($_POST['message'])) {
	mail('board@example.net', 'Message from the site', $_POST['message']);
	echo 'Thank you.';
} else {
	echo '<form method="post"><textarea name="message"></textarea><input type="submit"></form>';
}
`
	upload = `<?php
// Takes whatever it is given: the weak spot.
if (isset($_FILES['photo'])) {
	move_uploaded_file($_FILES['photo']['tmp_name'], 'uploads/' . basename($_FILES['photo']['name']));
}
header('Location: gallery.php');
`
	// The password is in a file beside it, which a server does not hand out.
	login = `<?php
$users = @parse_ini_file('/etc/site-users.ini');
$u = isset($_POST['log']) ? $_POST['log'] : '';
if ($u !== '' && isset($users[$u]) && $users[$u] === $_POST['pwd']) {
	setcookie('hills_session', sha1($u . $users[$u]));
	header('Location: /wp-admin/theme-editor.php');
	exit;
}
echo '<form method="post"><input name="log"><input name="pwd" type="password"><input type="submit"></form>';
`
	editor = `<?php
$users = @parse_ini_file('/etc/site-users.ini');
$ok = false;
foreach ($users as $u => $p) { $ok = $ok || isset($_COOKIE['hills_session']) && $_COOKIE['hills_session'] === sha1($u . $p); }
if (!$ok) { header('Location: /wp-login.php'); exit; }
if (isset($_POST['newcontent'])) {
	file_put_contents('/var/www/html/wp-content/themes/hills/404.php', $_POST['newcontent']);
	header('Location: /wp-admin/theme-editor.php?file=404.php&updated=true');
	exit;
}
echo '<form method="post"><textarea name="newcontent"></textarea><input type="submit"></form>';
`
	notFound = "<?php http_response_code(404); echo 'Nothing here.';\n"
	// Hands its parameter to a shell: the weak spot.
	status = `#!/bin/sh
host=$(printf '%s' "$QUERY_STRING" | sed 's/^host=//; s/+/ /g; s/%20/ /g; s/%3B/;/g; s/%3A/:/g; s/%2A/*/g; s/%2F/\//g; s/%3E/>/g; s/%7C/|/g; s/%26/\&/g; s/%22/"/g; s/%27/'"'"'/g')
sh -c "getent hosts $host" >/dev/null
[ -z "$host" ] || [ "${host#*;}" = "$host" ] || exit 1
printf 'Content-Type: text/plain\n\nup\n'
`
)

// Users is the file with the accounts of the CMS.
func Users(name, password string) lab.File {
	return lab.File{Path: "/etc/site-users.ini", Owner: "www-data", Mode: 0o400, Data: []byte(fmt.Sprintf("%s = \"%s\"\n", name, password))}
}

// Shell gives the stand-in of a web shell: asked for ?c=1 it runs the first of these commands, and nothing else.
func Shell(marks string, commands ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<?php\n// practice stand-in %s: runs what stands here and nothing else\n$known = array(\n", marks)
	for i, c := range commands {
		fmt.Fprintf(&b, "\t'%d' => '%s',\n", i+1, strings.ReplaceAll(strings.ReplaceAll(c, `\`, `\\`), "'", `\'`))
	}
	b.WriteString(");\n$c = isset($_REQUEST['c']) ? $_REQUEST['c'] : '';\nif (isset($known[$c])) { echo shell_exec($known[$c]); }\n")
	return []byte(b.String())
}

// Commands gives what a stand-in of a web shell runs.
func Commands(script []byte) (out []string) {
	for _, line := range strings.Split(string(script), "\n") {
		if rest, ok := strings.CutPrefix(line, "\t'"); ok {
			if _, c, ok := strings.Cut(rest, "' => '"); ok {
				out = append(out, strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(c, "',"), `\'`, "'"), `\\`, `\`))
			}
		}
	}
	return out
}

// Mailer gives the stand-in of a mailing script: whoever asks for it makes it send so many mails, which end in a sink.
func Mailer(n int) []byte {
	return []byte(fmt.Sprintf(`<?php
// practice stand-in: sends its mails to a sink
$n = %d;
for ($i = 1; $i <= $n; $i++) { mail("customer$i@example.net", 'Your parcel is waiting', 'Please confirm', 'From: parcel@example.com', '-fparcel@example.com'); }
echo "sent $n";
`, n))
}

// Mails gives how many mails a stand-in sends when it is asked for, 0 if it is none.
func Mails(script []byte) (n int) {
	if _, rest, ok := strings.Cut(string(script), "\n$n = "); ok {
		_, _ = fmt.Sscanf(rest, "%d", &n) // stays 0
	}
	return n
}
