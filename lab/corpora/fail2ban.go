package corpora

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fail2banServices are the samples of services that a member of its own reads. What else is there is read by the words that any service may say, and is counted apart.
var fail2banServices = []string{"apache-auth", "apache-badbots", "apache-botsearch", "apache-modsecurity", "apache-nohome", "apache-noscript", "apache-overflows", "apache-shellshock", "courier-auth", "courier-smtp", "cyrus-imap", "directadmin", "dovecot", "drupal-auth", "dropbear", "exim", "exim-spam", "froxlor-auth", "gitlab", "haproxy-http-auth", "lighttpd-auth", "mysqld-auth", "named-refused",
	"nginx-bad-request", "nginx-botsearch", "nginx-http-auth", "nginx-limit-req", "pam-generic", "php-url-fopen", "phpmyadmin-syslog", "postfix", "proftpd", "pure-ftpd", "recidive", "roundcube-auth", "scanlogd", "selinux-ssh", "sendmail-auth", "sendmail-reject", "sieve", "sshd", "suhosin", "traefik-auth", "uwimap-auth", "vsftpd", "webmin-auth"}

// fail2banOthers are samples that are no lines of a log as it lies on a disk: without a time, or made up to try fail2ban's own words.
var fail2banOthers = []string{"sshd-journal", "zzz-generic-example", "zzz-sshd-obsolete-multiline"}

// readFail2ban reads the files of fail2ban/tests/files/logs: behind a comment "# failJSON: {...}" stands the line that it is about.
// Times of lines without year or zone are those of the authors.
func readFail2ban(dir string) (out []Sample, err error) {
	zone, err := time.LoadLocation("Europe/Zurich") // that of the authors
	if err != nil {
		return nil, err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		if f.IsDir() || slices.Contains(fail2banOthers, f.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		s, err := failJSON(f.Name(), string(b), zone)
		if err != nil {
			return nil, err
		}
		for i := range s {
			s[i].Stranger = !slices.Contains(fail2banServices, f.Name())
		}
		out = append(out, s...)
	}
	return out, nil
}

func failJSON(name, text string, zone *time.Location) (out []Sample, err error) {
	var next *struct {
		Time, Host string
		Match      bool
	}
	n, above := 0, ""
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if rest, ok := strings.CutPrefix(line, "# failJSON:"); ok {
			next = nil
			if err := json.Unmarshal([]byte(rest), &next); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			continue
		}
		if next == nil || line == "#" {
			above = line
			continue
		}
		s := Sample{Service: name, From: fmt.Sprintf("%s:%d", name, n), Text: withTime(above, line), Want: Nothing, Time: next.Time, Guessed: true, Zone: zone}
		about := next.Match && next.Host != "" && strings.Contains(line, next.Host) && !strings.Contains(line, ": Accepted ")
		if about {
			s.Want, s.Host = Failure, next.Host
		}
		if about || !next.Match { // else the label is about lines before this one
			out = append(out, s)
		}
		next, above = nil, line
	}
	return out, nil
}

// withTime gives a line with the one above it, if that has the time of both: a word in capitals begins what java.util.logging and Erlang write in a line of its own.
func withTime(above, line string) string {
	if i := strings.IndexAny(line, ":("); i > 0 && strings.ToUpper(line[:i]) == line[:i] && strings.ContainsAny(above, "0123456789") && !strings.ContainsAny(line[:i], " 0123456789[") {
		return above + "\n" + line
	}
	return line
}

// dequad takes the zeros off "192.030.0.6", as one sample has it.
func dequad(s string) string {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return s
	}
	for i, p := range parts {
		if len(p) > 1 {
			parts[i] = strings.TrimLeft(p, "0")
			if parts[i] == "" {
				parts[i] = "0"
			}
		}
	}
	return strings.Join(parts, ".")
}
