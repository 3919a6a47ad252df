package examine

import (
	"fmt"
	"hash/maphash"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/internal/carve"
)

// What was found is held against a log that lives; others are the other logs that live. No line of what was found is to be called removed
// where the log is an extract of it.
func TestExtractsAreNotEditedLogs(t *testing.T) {
	line := func(i int, host, said string) string {
		return fmt.Sprintf("Nov  3 10:%02d:%02d %s %s", i/60, i%60, host, said)
	}
	var mixed, kernel, hosts, one, access, extract, edited, cleaned []string
	for i := range 300 {
		k, cron := line(i, "web", fmt.Sprintf("kernel: event %d", i)), line(i, "web", fmt.Sprintf("CRON[%d]: (root) CMD (true)", i))
		mixed, kernel = append(mixed, k, cron), append(kernel, k)
		a, b := line(i, "web", fmt.Sprintf("sshd[%d]: refused", i)), line(i, "db", fmt.Sprintf("sshd[%d]: refused", i))
		hosts, one = append(hosts, a, b), append(one, a)
		l := fmt.Sprintf(`192.0.2.%d - - [03/Nov/2026:10:%02d:%02d +0000] "GET /%d HTTP/1.1" 200 5`, i%50+1, i/60, i%60, i)
		access = append(access, l)
		if i%50 == 7 {
			extract = append(extract, l)
		} else {
			cleaned = append(cleaned, l)
		}
		if i%10 != 3 {
			edited = append(edited, k, cron)
		} else {
			edited = append(edited, k)
		}
	}
	silent := strings.Split(strings.ReplaceAll(strings.Join(mixed, "\n"), "CRON", "sshd"), "\n")
	for _, tc := range []struct {
		name                  string
		found, living, others []string
		form                  carve.Form
		want                  int
	}{
		{"syslog that was rotated away before kern.log", mixed, kernel, []string{line(400, "web", "CRON[1]: x")}, carve.Syslog, 0},
		{"a log of many hosts", hosts, one, nil, carve.Syslog, 0},
		{"lines about one address, put into a file of their own", access, extract, nil, carve.Access, 0},
		{"some lines of a program", mixed, edited, []string{line(400, "web", "CRON[1]: x")}, carve.Syslog, 30},
		{"all lines of a program that speaks nowhere else", silent, kernel, nil, carve.Syslog, 299},
		{"all lines about one address", access, cleaned, nil, carve.Access, 6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shovel{seed: maphash.MakeSeed(), voices: make([]voices, 2), origins: []origin{{file: "/var/log/old"}}}
			for i, x := range tc.found {
				l := carved{hash: maphash.String(s.seed, x), off: int64(i), family: -1, form: tc.form, adjacent: i > 0, size: uint16(len(x))}
				if a := detect.AddressIn(x); a != "" {
					l.about = uint16(maphash.String(s.seed, a)) | 1
				}
				s.lines = append(s.lines, l)
			}
			s.sort()
			for i, log := range [][]string{tc.living, tc.others} {
				for _, x := range log {
					s.voices[i].hear(s.seed, []byte(x))
					s.stands([]byte(x), int32(i))
				}
			}
			runs := s.removed()
			sites := s.tallies(runs, func(l *carved) []byte { return []byte(tc.found[l.off]) })
			got := 0
			for _, run := range runs[0] {
				if run.closed && !sites[s.siteOf(run.from, 0)].extract() {
					got += int(run.to - run.from)
				}
			}
			if got != tc.want {
				t.Errorf("%d lines were removed, want %d", got, tc.want)
			}
		})
	}
}

func TestVoices(t *testing.T) {
	for in, want := range map[string]string{
		"Nov  3 10:00:00 web sshd[12]: x":                    "web sshd",
		"2026-11-03T10:00:00.123456+01:00 web kernel: [1] x": "web kernel",
		"<34>1 2026-11-03T10:00:00Z web app 1 - - x":         "web app",
		"Nov  3 10:00:00 web ":                               "",
		"Nov  3 10:00:00":                                    "",
		"<":                                                  "",
		"":                                                   "",
	} {
		host, program, ok := voiceOf([]byte(in))
		if got := strings.TrimSpace(string(host) + " " + string(program)); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}
