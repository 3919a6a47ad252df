package examine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// labelled is one line of fail2ban's samples and what its authors say of it.
type labelled struct {
	text  string
	Time  string
	Match bool
	Host  string
	Desc  string
}

// failures are the kinds that tell of somebody who was refused or turned away.
var failures = map[event.Kind]bool{event.AuthFailed: true, event.ConnectionSeen: true, event.BadLoginRecord: true, event.MailRejected: true, event.HTTPError: true, event.HTTPRequest: true, event.AlarmRaised: true,
	event.DNSQuery: true, event.ProgramSaid: true, event.ChildOutput: true}

// refused are those that say so of an account: none of them may come of a line that is labelled as no failure.
var refused = map[event.Kind]bool{event.AuthFailed: true, event.BadLoginRecord: true}

// differs are lines about which we and the labels are of two minds, and why ours stands.
var differs = []struct{ text, why string }{
	{"@400000004c91b044077a9e94", "the label's time is that of a reader who takes TAI64N for UTC without the ten seconds"},
	{"ssh2: from 10.10.1.2 port 55555 ssh2", "of a password, OpenSSH's auth_log writes nothing behind ssh2: the first address is part of the name"},
	{"rhost=192.0.2.2 user=test rhost=192.0.2.152", "pam_unix writes rhost behind what the client chose"},
	{"pop(pam_unix)[4920]", "it is a refusal; the label only says that fail2ban does not read this form"},
	{"vsftpd(pam_unix)[15522]", "as above"},
	{": Failed publickey for ", "clients offer keys that do not fit; no detection counts them as guessing"},
	{"(pam_unix) authentication failure; logname= uid=0 euid=0 tty=ssh", "sshd says the same in a line of its own"},
	{"pam_unix(sshd:auth): authentication failure", "as above"},
	{":11: Bye Bye [preauth]", "a line behind it says the same, with the name"},
	{`": password mismatch, client: 127.0.0.1, server: test, request`, "a name of Basic authentication holds no colon, so that the first address is nginx's own"},
	{"size=0, class=0, nrcpts=0", "a connection without a mail"},
	{"no host name found for IP address", "so are many mail servers that deliver"},
	{"no IP address found for host", "as above"},
	{"Invalid authentication mechanism", "no password was looked at"},
	{"lost connection after CONNECT", "who breaks off may be anybody's mail server, or monitoring"},
	{"lost connection after STARTTLS", "as above"},
	{"postscreen[22515]: HANGUP after", "as above"},
}

func ofTwoMinds(text string) bool {
	for _, d := range differs {
		if strings.Contains(text, d.text) {
			return true
		}
	}
	return false
}

// corpora are the samples of services that the program reads.
var corpora = []string{"apache-auth", "apache-badbots", "apache-botsearch", "apache-modsecurity", "apache-nohome", "apache-noscript", "apache-overflows", "apache-shellshock", "courier-auth", "courier-smtp", "cyrus-imap", "directadmin", "dovecot", "drupal-auth", "dropbear", "exim", "froxlor-auth", "gitlab", "haproxy-http-auth", "lighttpd-auth", "mysqld-auth", "named-refused",
	"nginx-bad-request", "nginx-botsearch", "nginx-http-auth", "nginx-limit-req", "pam-generic", "php-url-fopen", "phpmyadmin-syslog", "postfix", "proftpd", "pure-ftpd", "recidive", "roundcube-auth", "sendmail-auth", "sendmail-reject", "sshd", "suhosin", "traefik-auth", "vsftpd", "webmin-auth"}

// TestFail2banSamples reads the samples of fail2ban, which are labelled with the address and time of each failure. They are under the GPL
// and so not kept here: lab/fail2ban-logs.sh fetches them, TELLTALE_FAIL2BAN names their folder.
func TestFail2banSamples(t *testing.T) {
	dir := os.Getenv("TELLTALE_FAIL2BAN")
	if dir == "" {
		t.Skip("set TELLTALE_FAIL2BAN to the folder that lab/fail2ban-logs.sh filled")
	}
	zone, err := time.LoadLocation("Europe/Zurich") // that of the samples' authors
	if err != nil {
		t.Skip(err)
	}
	var lines, right, wrong, missed, negatives, accused, apart int
	t.Logf("%-20s %6s %6s %6s %6s %9s %8s", "service", "lines", "right", "wrong", "missed", "negatives", "accused")
	for _, name := range corpora {
		all := samples(t, filepath.Join(dir, name))
		got := tell(t, all, zone)
		var r, w, m, n, a int
		for i, x := range all {
			if x.Match && (!strings.Contains(x.text, x.Host) || x.Host == "" || strings.Contains(x.text, ": Accepted ")) {
				continue // the label is about lines before this one
			}
			if ofTwoMinds(x.text) {
				apart++
				continue
			}
			if !x.Match {
				n++
				for _, e := range got[i] {
					if refused[e.kind] && e.host != "" {
						a++
						t.Logf("%s: accused %s (%s): %s", name, e.host, e.kind, x.text)
						break
					}
				}
				continue
			}
			switch verdict(x, got[i], zone) {
			case "right":
				r++
			case "wrong":
				w++
				t.Logf("%s: wrong: want %s %s, got %v: %s", name, x.Host, x.Time, got[i], x.text)
			default:
				m++
				t.Logf("%s: missed: want %s, got %v: %s", name, x.Host, got[i], x.text)
			}
		}
		t.Logf("%-20s %6d %6d %6d %6d %9d %8d", name, r+w+m, r, w, m, n, a)
		lines, right, wrong, missed, negatives, accused = lines+r+w+m, right+r, wrong+w, missed+m, negatives+n, accused+a
	}
	share := float64(right) / float64(max(lines, 1))
	t.Logf("%-20s %6d %6d %6d %6d %9d %8d: %.1f %% right", "all", lines, right, wrong, missed, negatives, accused, 100*share)
	t.Logf("%d more lines about which we and the labels differ, with reasons", apart)
	if share < 0.99 || accused > 0 {
		t.Errorf("%.1f %% right, %d negatives accused", 100*share, accused)
	}
}

func samples(t *testing.T, path string) (out []labelled) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var next *labelled
	for _, line := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "# failJSON:"); ok {
			next = &labelled{}
			if err := json.Unmarshal([]byte(rest), next); err != nil {
				t.Fatalf("%s: %v: %s", path, err, rest)
			}
			continue
		}
		if next == nil || strings.HasPrefix(line, "#") && len(line) < 2 {
			continue
		}
		next.text = line
		out, next = append(out, *next), nil
	}
	return out
}

type told struct {
	kind event.Kind
	host string
	at   time.Time
}

// tell examines each line as a log of its own, the way a user's folder of logs is examined, and gives the events of each.
func tell(t *testing.T, all []labelled, zone *time.Location) [][]told {
	t.Helper()
	dir := t.TempDir()
	for i, x := range all {
		p := filepath.Join(dir, fmt.Sprintf("sample%04d.log", i))
		if err := os.WriteFile(p, []byte(x.text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if at, err := time.ParseInLocation("2006-01-02T15:04:05", x.Time, zone); err == nil {
			if err := os.Chtimes(p, at, at.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := make([][]told, len(all))
	collect := &detect.Detection{ID: "collect", Wants: artifactsKinds(), New: func(detect.Scene) detect.Fold { return collector{got} }}
	_, err := examine.Run(context.Background(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Zone: zone, Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
	if err != nil {
		t.Logf("%v", err)
	}
	return got
}

func artifactsKinds() (out []event.Kind) {
	for _, a := range artifacts.Artifacts() {
		out = append(out, a.Kinds...)
	}
	return out
}

type collector struct{ got [][]told }

func (c collector) Observe(e *event.Event) {
	var i int
	if _, err := fmt.Sscanf(filepath.Base(e.Ref.Path), "sample%d.log", &i); err != nil || i >= len(c.got) {
		return
	}
	host := e.Text(event.SourceIP)
	if host == "" {
		host = e.Text(event.SourceHost)
	}
	for _, x := range c.got[i] {
		if x.kind == e.Kind && x.host == host {
			return // a detection gets an event once for each time it asks for the kind
		}
	}
	c.got[i] = append(c.got[i], told{e.Kind, host, e.At.Std()})
}

func (collector) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

func verdict(x labelled, got []told, zone *time.Location) string {
	v := "missed"
	for _, e := range got {
		if !failures[e.kind] || e.host == "" {
			continue
		}
		if sameHost(e.host, x.Host) && sameTime(e.at, x.Time, zone) {
			return "right"
		}
		v = "wrong"
	}
	return v
}

func sameHost(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(dequad(b))
	return a == b || err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// dequad takes the zeros off "192.030.0.6", as one sample has it.
func dequad(s string) string {
	parts := strings.Split(s, ".")
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

// sameTime holds an event's time against the label's. Labels of lines without a year have one of the authors' making.
func sameTime(at time.Time, label string, zone *time.Location) bool {
	want, err := time.ParseInLocation("2006-01-02T15:04:05", label[:min(19, len(label))], zone)
	if err != nil {
		return true // it has none
	}
	at = at.In(zone).Truncate(time.Second)
	return at.Equal(want) || bytes.Equal([]byte(at.Format("01-02 15:04:05")), []byte(want.Format("01-02 15:04:05")))
}
