package corpora

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ossecServices are the test files of services that a Linux server runs, by name without ".ini".
var ossecServices = map[string]bool{"apache": true, "cpanel": true, "dnsmasq": true, "doas": true, "dovecot": true, "dpkg": true, "dropbear": true, "exim": true, "named": true, "nginx": true,
	"nsd": true, "opensmtpd": true, "pam": true, "postfix": true, "proftpd": true, "samba": true, "sendmail": true, "sshd": true, "su": true, "sudo": true, "syslog": true, "systemd": true, "unbound": true,
	"vsftpd": true, "web_appsec": true, "web_rules": true, "wordpress": true}

// readOSSEC reads the tests of ossec-hids below dir (*.ini) and the groups of its rules (*.xml), which say what a line that a rule fits tells of.
func readOSSEC(dir string) (out []Sample, err error) {
	rules := map[string]string{}
	var tests []string
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
		case strings.HasSuffix(p, "_rules.xml"):
			return ruleGroups(p, rules)
		case filepath.Ext(p) == ".ini" && ossecServices[strings.TrimSuffix(filepath.Base(p), ".ini")]:
			tests = append(tests, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(tests) > 0 && len(rules) == 0 {
		return nil, errors.New("the tests are there and the rules (etc/rules/*_rules.xml) are not: the groups of the rules are the labels")
	}
	for _, p := range tests {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		out = append(out, ossecTests(filepath.Base(p), string(b), rules)...)
	}
	return out, nil
}

// ruleGroups notes the groups of each rule of a file, with those of the group that it stands in. The files have more than one root and are
// not strict XML.
func ruleGroups(path string, rules map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d := xml.NewDecoder(f)
	d.Strict = false
	var outer, rule string
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		switch x := t.(type) {
		case xml.StartElement:
			switch name := x.Name.Local; {
			case name == "rule":
				rule = attr(x, "id")
				rules[rule] += "," + outer + ","
			case name == "group" && rule == "":
				outer = attr(x, "name")
			case name == "group":
				var s string
				if err := d.DecodeElement(&s, &x); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				rules[rule] += s + ","
			}
		case xml.EndElement:
			if x.Name.Local == "rule" {
				rule = ""
			}
		}
	}
}

func attr(x xml.StartElement, name string) string {
	for _, a := range x.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// ossecTests reads one file: sections of "log N pass = line" and "rule = id". A line that has to fail is one that another rule fits, which
// is not said.
func ossecTests(name, text string, rules map[string]string) (out []Sample) {
	var section []Sample
	rule, n := "", 0
	flush := func() {
		want, known := ruleWants(rule, rules)
		for _, s := range section {
			if s.Want = want; known {
				s.From += " (rule " + rule + ")"
				s.Host = onlyAddress(s.Text)
				s.NoLogin = true
				out = append(out, s)
			}
		}
		section, rule = nil, ""
	}
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimRight(line, "\r")
		if strings.HasPrefix(line, "[") {
			flush()
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		switch words := strings.Fields(key); {
		case len(words) == 1 && words[0] == "rule":
			rule = strings.TrimSpace(value)
		case len(words) == 3 && words[0] == "log" && words[2] == "pass":
			section = append(section, Sample{Service: strings.TrimSuffix(name, ".ini"), From: fmt.Sprintf("%s:%d", name, n), Text: strings.TrimSpace(value), Zone: time.UTC})
		}
	}
	flush()
	return out
}

// ruleWants tells what a line tells of that a rule fits.
func ruleWants(id string, rules map[string]string) (Want, bool) {
	groups, known := rules[id]
	for _, g := range strings.Split(groups, ",") {
		switch strings.TrimSpace(g) {
		case "authentication_failed", "authentication_failures", "invalid_login":
			return Failure, known
		case "authentication_success":
			return Login, known
		}
	}
	return Nothing, known
}
