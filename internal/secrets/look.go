package secrets

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// maxLines bounds what of a file is looked at line by line.
const maxLines = 4000

// each calls f for the lines of a head until it says that it is enough.
func each(head []byte, f func(line []byte) (done bool)) {
	n := 0
	for line := range bytes.Lines(head) {
		if n++; n > maxLines || f(bytes.TrimSpace(line)) {
			return
		}
	}
}

// holds asks for one of several words, in whatever case.
func holds(words ...string) func([]byte) (string, bool) {
	low := make([][]byte, len(words))
	for i, w := range words {
		low[i] = bytes.ToLower([]byte(w))
	}
	return func(head []byte) (string, bool) {
		h := bytes.ToLower(head)
		for _, w := range low {
			if bytes.Contains(h, w) {
				return "", true
			}
		}
		return "", false
	}
}

// hashed counts the lines of "name:hash:..." whose second field is one. A binary file is taken for what its name says.
func hashedText(head []byte) (string, bool) {
	if bytes.IndexByte(head, 0) >= 0 { // the program of that name
		return "", false
	}
	return hashed(head)
}

func hashed(head []byte) (string, bool) {
	if bytes.IndexByte(head, 0) >= 0 {
		return "", true
	}
	n := 0
	each(head, func(line []byte) bool {
		f := bytes.SplitN(line, []byte(":"), 3)
		if len(f) >= 2 && len(line) > 0 && line[0] != '#' && len(f[1]) >= 8 && f[1][0] != '*' && f[1][0] != '!' {
			n++
		}
		return false
	})
	if n == 0 {
		return "", false
	}
	return fmt.Sprintf("of %d with a password", n), true
}

// hostKey takes dropbear's own form, which has no header.
func hostKey(head []byte) (string, bool) {
	if !bytes.HasPrefix(head, []byte("-----")) {
		return "", true
	}
	_, is := privateKey(head)
	return "", is
}

// privateKey tells a private key by its header, and whether a passphrase protects it.
func privateKey(head []byte) (string, bool) {
	switch i := bytes.Index(head[:min(len(head), 4096)], []byte("-----BEGIN ")); {
	case bytes.HasPrefix(head, []byte("PuTTY-User-Key-File-")):
		if bytes.Contains(head, []byte("Encryption: none")) {
			return Open, true
		}
		return Shut, true
	case i < 0:
		return "", false
	default:
		head = head[i:]
	}
	kind, body, ok := bytes.Cut(head[len("-----BEGIN "):], []byte("-----"))
	if !ok || len(kind) > 60 || !bytes.HasSuffix(kind, []byte("PRIVATE KEY")) {
		return "", false
	}
	switch {
	case bytes.HasPrefix(kind, []byte("ENCRYPTED")), bytes.Contains(body[:min(len(body), 200)], []byte("Proc-Type: 4,ENCRYPTED")):
		return Shut, true
	case bytes.HasPrefix(kind, []byte("OPENSSH")):
		return openSSH(body), true
	}
	return Open, true
}

// What Look says of a key.
const (
	Open = "not protected by a passphrase"
	Shut = "protected by a passphrase"
)

// openSSH reads the cipher's name behind the magic (PROTOCOL.key of OpenSSH): "none" for a key without a passphrase.
func openSSH(body []byte) string {
	const magic = "openssh-key-v1\x00"
	b := bytes.TrimSpace(body)
	text := bytes.ReplaceAll(b[:min(len(b), 80)], []byte("\n"), nil)
	text = bytes.ReplaceAll(text, []byte("\r"), nil)
	text = text[:min(len(text), 44)/4*4]
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(raw, text)
	rest, ok := bytes.CutPrefix(raw[:n], []byte(magic))
	if err != nil || !ok || len(rest) < 8 {
		return ""
	}
	if bytes.HasPrefix(rest, []byte("\x00\x00\x00\x04none")) {
		return Open
	}
	return Shut
}

// passwordWords are how settings that hold a password are called.
var passwordWords = []string{"password", "passwd", "dbpass", "db_pass", "_pass", "pass'", `pass"`, "pass ", "pass=", "pwd", "secret", "api_key", "apikey", "token"}

// setsPassword tells whether a line sets a password to something: "x_password = 'y'", "'password' => 'y'", "define('DB_PASS', 'y')", "password: y".
func setsPassword(head []byte) (string, bool) {
	found := false
	each(head, func(line []byte) bool {
		low := strings.ToLower(string(line[:min(len(line), 1000)]))
		if low == "" || low[0] == '#' || low[0] == ';' || strings.HasPrefix(low, "//") || low[0] == '*' || strings.HasPrefix(low, "<!--") {
			return false
		}
		for _, w := range passwordWords {
			if i := strings.Index(low, w); i >= 0 && valued(low[i+len(w):]) {
				found = true
				return true
			}
		}
		return false
	})
	return "", found
}

// valued tells whether something that is a value of one's own follows a setting's name.
func valued(rest string) bool {
	i := strings.IndexAny(rest, "=:,>")
	if i < 0 || i > 24 || strings.ContainsAny(rest[:i], "(;{") {
		return false
	}
	raw := strings.TrimLeft(rest[i:], "=:,> \t")
	if raw != "" && raw[0] != '\'' && raw[0] != '"' && strings.Contains(raw, "(") { // a call
		return false
	}
	v := strings.Trim(raw, "> \t'\"();,")
	for _, s := range []string{"getenv", "env(", "$_", "null", "false", "true", "password_here", "changeme", "xxx", "none", "${", "%", "''", `""`, "$", "array", "[", "{", "("} {
		if strings.HasPrefix(v, s) {
			return false
		}
	}
	return v != ""
}

// dumped leaves out schemes and changes of a database that applications bring: they hold no rows, or a few of their own.
func dumped(head []byte) (string, bool) {
	for _, packed := range []string{"\x1f\x8b", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "BZh", "PK", "PGDMP"} {
		if bytes.HasPrefix(head, []byte(packed)) {
			return "", true
		}
	}
	return holds("mysql dump", "mariadb dump", "mysqldump", "database dump", "sql dump", "database cluster dump", "-- dump", "insert into")(head)
}

// settings tells whether any line is no comment.
func settings(head []byte) (string, bool) {
	found := false
	each(head, func(line []byte) bool {
		found = len(line) > 0 && line[0] != '#' && line[0] != ';'
		return found
	})
	return "", found
}

// lineBegins asks for a line that begins so.
func lineBegins(starts ...string) func([]byte) (string, bool) {
	return func(head []byte) (string, bool) {
		found := false
		each(head, func(line []byte) bool {
			for _, s := range starts {
				found = found || bytes.HasPrefix(line, []byte(s))
			}
			return found
		})
		return "", found
	}
}

// clientPassword tells a client's settings with a password; .mylogin.cnf is obfuscated, and exists for nothing else.
func clientPassword(head []byte) (string, bool) {
	if bytes.IndexByte(head, 0) >= 0 {
		return "", true
	}
	found := false
	each(head, func(line []byte) bool {
		k, v, ok := bytes.Cut(line, []byte("="))
		found = ok && bytes.HasPrefix(bytes.TrimSpace(k), []byte("pass")) && len(bytes.Trim(v, " \t'\"")) > 0
		return found
	})
	return "", found
}

// relayPassword takes tables as they are, and mail programs' settings where they set one.
func relayPassword(head []byte) (string, bool) {
	if bytes.IndexByte(head, 0) >= 0 {
		return "", true
	}
	found := false
	each(head, func(line []byte) bool {
		low := bytes.ToLower(line)
		table := len(line) > 0 && line[0] != '#' && bytes.IndexByte(line, ':') > 0 && !bytes.Contains(line, []byte("="))
		found = table || len(low) > 0 && low[0] != '#' && (bytes.HasPrefix(low, []byte("password")) || bytes.HasPrefix(low, []byte("authpass")) || bytes.Contains(low, []byte("smtp-auth-password")))
		return found
	})
	return "", found
}

func backupPassword(head []byte) (string, bool) {
	if _, is := holds("passphrase", "password", "restic_", "borg_")(head); is {
		return "", true
	}
	return "", len(head) < 256 && bytes.Count(bytes.TrimSpace(head), []byte("\n")) == 0 // a file of a password alone
}

func directoryPassword(head []byte) (string, bool) {
	if bytes.IndexByte(head, 0) >= 0 {
		return "", true
	}
	if _, is := holds("ldap_default_authtok", "bindpw", "ad_password")(head); is {
		return "", true
	}
	return "", len(head) < 256 && bytes.IndexByte(bytes.TrimSpace(head), '\n') < 0
}

// siteFile takes a key file of Rails whole.
func siteFile(head []byte) (string, bool) {
	if n := len(bytes.TrimSpace(head)); n == 32 {
		return "", true
	}
	return setsPassword(head)
}

// known are settings of an environment file that are told by name, for what they open.
var known = []string{"APP_KEY", "APP_SECRET", "DB_PASSWORD", "DATABASE_URL", "MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "MAIL_PASSWORD", "SMTP_PASSWORD", "MAILER_DSN", "AWS_SECRET_ACCESS_KEY", "STRIPE_SECRET", "STRIPE_SECRET_KEY", "PAYPAL_SECRET", "JWT_SECRET", "SECRET_KEY", "SECRET_KEY_BASE", "PUSHER_APP_SECRET", "TWILIO_AUTH_TOKEN", "GITHUB_TOKEN", "OPENAI_API_KEY", "SENDGRID_API_KEY", "MAILGUN_SECRET", "RESTIC_PASSWORD", "BORG_PASSPHRASE"}

// environment names the known settings that a file of NAME=value sets; other names are told by nothing, for in a crafted line a name may be the secret.
func environment(head []byte) (string, bool) {
	var names []string
	other := false
	each(head, func(line []byte) bool {
		k, v, ok := strings.Cut(strings.TrimPrefix(string(line[:min(len(line), 1000)]), "export "), "=")
		k = strings.TrimSpace(k)
		if v = strings.Trim(v, " \t'\""); !ok || v == "" || v == "null" || len(k) > 64 || strings.HasPrefix(k, "#") {
			return false
		}
		set := false
		for _, n := range known {
			if k == n {
				set = true
				names = append(names, n)
			}
		}
		up := strings.ToUpper(k)
		other = other || set || strings.Contains(up, "PASS") || strings.Contains(up, "SECRET") || strings.Contains(up, "TOKEN") || strings.HasSuffix(up, "_KEY")
		return len(names) >= 6
	})
	if len(names) > 0 {
		return "it sets " + strings.Join(names, ", "), true
	}
	return "", other
}
