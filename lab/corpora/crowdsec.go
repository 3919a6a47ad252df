package corpora

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// crowdsecParsers are those of services that a Linux server runs and this program reads, without "-logs".
var crowdsecParsers = map[string]string{"sshd": "sshd", "sshd-success": "sshd", "sshd-failed": "sshd", "dropbear": "dropbear", "pam": "pam", "pkexec": "pkexec", "sudo": "sudo", "su": "su", "postfix": "postfix", "postscreen": "postfix", "dovecot": "dovecot", "exim": "exim",
	"cyrus-imap": "cyrus", "courier": "courier", "sendmail": "sendmail", "vsftpd": "vsftpd", "proftpd": "proftpd", "pureftpd": "pure-ftpd", "pure-ftpd": "pure-ftpd", "smb": "samba", "samba": "samba", "mysql": "mysql", "mariadb": "mariadb", "pgsql": "postgresql", "redis": "redis", "mongodb": "mongodb",
	"nginx": "nginx", "nginx-mail": "nginx", "apache2": "apache", "caddy": "caddy", "traefik": "traefik", "haproxy": "haproxy", "lighttpd": "lighttpd", "litespeed": "litespeed", "tomcat": "tomcat", "bind9": "named", "dnsmasq": "dnsmasq", "unbound": "unbound", "bind9-syslog": "named", "iptables": "iptables", "ufw": "iptables",
	"nftables": "iptables", "auditd": "auditd", "modsecurity": "modsecurity", "cpanel": "cpanel", "webmin": "webmin", "proxmox": "proxmox", "proxmox-pmgd": "proxmox", "fail2ban": "fail2ban", "nextcloud": "nextcloud", "wordpress": "wordpress", "roundcube": "roundcube", "directadmin": "directadmin", "plesk": "plesk", "gitea": "gitea", "odoo": "odoo"}

// readCrowdSec reads the tests of the hub: folders with a log and a parser.assert, which tells what each parser made of its lines.
func readCrowdSec(dir string) (out []Sample, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "parser.assert" {
			return err
		}
		asserts, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		logs, err := filepath.Glob(filepath.Join(filepath.Dir(p), "*.log"))
		if err != nil || len(logs) != 1 {
			return err
		}
		text, err := os.ReadFile(logs[0])
		if err != nil {
			return err
		}
		out = append(out, hubTest(filepath.Base(filepath.Dir(p)), string(text), string(asserts))...)
		return nil
	})
	return out, err
}

// made is what one parser made of one line.
type made struct {
	stage, parser string
	number        int
	success       bool
	fields        map[string]string // "Evt.Meta.log_type": value
}

func (m *made) text() string {
	if s := m.fields["Evt.Line.Raw"]; s != "" {
		return s
	}
	return m.fields["Evt.Parsed.message"]
}

// hubTest joins what the parsers made of a log with its lines: by the words, in their order, for the parsers count only the lines that
// reach them. An entry may have more lines than one.
func hubTest(name, text, asserts string) (out []Sample) {
	type entry struct{ from, to int }
	labels := map[entry][]*made{}
	cursors := map[string]int{}
	for _, m := range results(asserts) {
		words := strings.TrimSpace(m.text())
		if words == "" {
			continue
		}
		at := m.stage + " " + m.parser
		i := strings.Index(text[cursors[at]:], words)
		if i < 0 {
			continue // the log is another version than the asserts
		}
		i += cursors[at]
		e := entry{from: strings.LastIndexByte(text[:i], '\n') + 1, to: len(text)}
		if n := strings.IndexByte(text[i+len(words):], '\n'); n >= 0 {
			e.to = i + len(words) + n
		}
		cursors[at] = e.to
		labels[e] = append(labels[e], m)
	}
	for e, ms := range labels {
		if s, ok := hubSample(ms); ok {
			s.Text = text[e.from:e.to]
			s.zoned()
			s.From = fmt.Sprintf("%s:%d", name, 1+strings.Count(text[:e.from], "\n"))
			out = append(out, s)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].From < out[j].From })
	return out
}

// hubSample makes the label of what all parsers made of one entry; false where no parser of a service that is read had it.
func hubSample(ms []*made) (s Sample, ok bool) {
	s = Sample{Want: Nothing, Zone: time.UTC, NoLogin: true}
	var kind string
	for _, m := range ms {
		if m.stage == "s01-parse" {
			base := strings.TrimSuffix(m.parser[strings.LastIndexByte(m.parser, '/')+1:], "-logs")
			if name := crowdsecParsers[base]; name != "" && (s.Service == "" || m.success) {
				s.Service = name
			}
			if m.success {
				kind, s.Host = m.fields["Evt.Meta.log_type"]+" "+m.fields["Evt.Meta.sub_type"]+" "+m.fields["Evt.Meta.dovecot_login_result"], m.fields["Evt.Meta.source_ip"]
			}
		}
		s.timed(m.fields)
	}
	s.Want, s.NoLogin = typeWants(strings.TrimSpace(kind), s.Host)
	return s, s.Service != ""
}

// timed takes the time from what a parser made of a line: as it stands in the line, or else as the hub's date parser understood it, with a
// year of its own where there is none.
func (s *Sample) timed(fields map[string]string) {
	for _, k := range []string{"Evt.StrTime", "Evt.Parsed.timestamp8601", "Evt.Parsed.timestamp", "Evt.Parsed.time_local", "Evt.Parsed.time", "Evt.Parsed.date", "Evt.Parsed.accept_date"} {
		if t := fields[k]; t != "" {
			if _, _, ok := stamp(t, s.Zone); ok {
				s.Time, s.Guessed = t, false
				return
			}
		}
	}
	for _, k := range []string{"Evt.Meta.timestamp", "Evt.Enriched.MarshaledTime"} {
		if t := fields[k]; t != "" && s.Time == "" {
			s.Time, s.Guessed = t, true
		}
	}
}

// zoned adds to the time of a label the offset that stands behind it in the line: some parsers leave it out.
func (s *Sample) zoned() {
	if s.Guessed || s.Time == "" {
		return
	}
	_, rest, _ := strings.Cut(s.Text, s.Time+" ")
	if len(rest) < 5 || rest[0] != '+' && rest[0] != '-' || strings.Trim(rest[1:5], "0123456789") != "" {
		return
	}
	if _, hasYear, ok := stamp(s.Time+" "+rest[:5], s.Zone); ok && hasYear {
		s.Time += " " + rest[:5]
	}
}

// typeWants tells what a log type of the hub's parsers, with its subtypes, means. Types that only name the service say nothing of its lines.
func typeWants(kind, host string) (w Want, noLogin bool) {
	for _, word := range []string{"fail", "auth_bf", "brute", "denied", "wrong", "invalid", "unauthorized", "bad_user", "bad_password", "nosuch-user"} {
		if strings.Contains(kind, word) {
			return Failure, true
		}
	}
	switch {
	case host != "" && (strings.Contains(kind, "success") || strings.Contains(kind, "accepted")):
		return Login, false
	case kind != "" && host != "":
		return Seen, strings.HasPrefix(kind, "http_") || strings.HasPrefix(kind, "iptables")
	}
	return Nothing, kind != ""
}

// results reads the asserts: results["s01-parse"]["crowdsecurity/sshd-logs"][0].Evt.Meta["source_ip"] == "192.0.2.1", in the words of Go.
// Those of one parser come in the order of their numbers.
func results(text string) (out []*made) {
	type key struct {
		stage, parser string
		number        int
	}
	all := map[key]*made{}
	for line := range strings.SplitSeq(text, "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), `results["`)
		stage, rest, ok2 := strings.Cut(rest, `"]["`)
		parser, rest, ok3 := strings.Cut(rest, `"][`)
		number, rest, ok4 := strings.Cut(rest, "].")
		n, err := strconv.Atoi(number)
		path, value, ok5 := strings.Cut(rest, " == ")
		if !ok || !ok2 || !ok3 || !ok4 || !ok5 || err != nil {
			continue
		}
		k := key{stage, parser, n}
		m := all[k]
		if m == nil {
			m = &made{stage: stage, parser: parser, number: n, fields: map[string]string{}}
			all[k] = m
			out = append(out, m)
		}
		if path == "Success" {
			m.success = value == "true"
		} else if v, err := strconv.Unquote(value); err == nil {
			m.fields[strings.TrimSuffix(strings.ReplaceAll(path, `["`, "."), `"]`)] = v
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.stage+a.parser != b.stage+b.parser {
			return a.stage+a.parser < b.stage+b.parser
		}
		return a.number < b.number
	})
	return out
}
