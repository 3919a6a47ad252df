package syslog_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"telltale/internal/logclock"
	"telltale/internal/syslog"
)

var samples = []struct{ name, in, want string }{
	{"rfc3164", "Jan  2 03:04:05 web1 sshd[123]: Failed password for root", "2024-01-02T03:04:05Z|web1|sshd|123|Failed password for root|1"},
	{"iso", "2024-01-02T03:04:05.123456+01:00 web1 sshd-session[9]: x: y", "2024-01-02T02:04:05.123456Z|web1|sshd-session|9|x: y|1"},
	{"no pid", "Jan  2 03:04:05 web1 sudo:    alice : TTY=pts/0", "2024-01-02T03:04:05Z|web1|sudo||alice : TTY=pts/0|1"},
	{"path", "Jan  2 03:04:05 web1 /usr/sbin/cron[5]: (x) y", "2024-01-02T03:04:05Z|web1|cron|5|(x) y|1"},
	{"postfix", "Jan  2 03:04:05 m postfix/submission/smtpd[5]: A1: client=x", "2024-01-02T03:04:05Z|m|postfix/submission/smtpd|5|A1: client=x|1"},
	{"busybox", "Jan  2 03:04:05 box authpriv.info dropbear[71]: Child connection", "2024-01-02T03:04:05Z|box|dropbear|71|Child connection|1"},
	{"priority", "<86>Jan  2 03:04:05 web1 sshd[1]: hi", "2024-01-02T03:04:05Z|web1|sshd|1|hi|1"},
	{"rfc5424", `<86>1 2024-01-02T03:04:05.5Z web1 sshd 77 - [a b="x\"]"][c] hi`, "2024-01-02T03:04:05.500Z|web1|sshd|77|hi|1"},
	{"rfc5424 nothing", "<13>1 2024-01-02T03:04:05Z - - - - - text", "2024-01-02T03:04:05Z||||text|1"},
	{"repeated", "Jan  2 03:04:05 w sshd[1]: message repeated 3 times: [ Failed password for a from 1.2.3.4 port 5 ssh2]", "2024-01-02T03:04:05Z|w|sshd|1|Failed password for a from 1.2.3.4 port 5 ssh2|3"},
	{"last repeated", "Jan  2 03:04:05 w last message repeated 4 times", "2024-01-02T03:04:05Z|w||||4"},
	{"kernel", "Jan  2 03:04:05 w kernel: [12.3] eth0: up", "2024-01-02T03:04:05Z|w|kernel||[12.3] eth0: up|1"},
	{"no program", "Jan  2 03:04:05 w something happened", "2024-01-02T03:04:05Z|w|||something happened|1"},
	{"mark", "Jan  2 03:04:05 w -- MARK --", "2024-01-02T03:04:05Z|w|||-- MARK --|1"},
	{"no host", "Jan  2 03:04:05 sshd[5]: hello", "2024-01-02T03:04:05Z||sshd|5|hello|1"},
	{"day without padding", "Feb 7 16:01:07 w sshd[5]: hello", "2024-02-07T16:01:07Z|w|sshd|5|hello|1"},
	{"day without padding, year", "Feb 7 2023 16:01:07 w sshd[5]: hello", "2023-02-07T16:01:07Z|w|sshd|5|hello|1"},
	{"metalog", "Jun 25 23:53:34 [sshd] User root from 192.0.2.4 not allowed", "2024-06-25T23:53:34Z||sshd||User root from 192.0.2.4 not allowed|1"},
	{"solaris", "Mar 29 05:20:09 d sshd[19558]: [ID 800047 auth.info] Failed x", "2024-03-29T05:20:09Z|d|sshd|19558|Failed x|1"},
	{"multilog", "@4000000065937c8f1dcd6500 imap-login: Info: Aborted", "2024-01-02T03:01:25.500000000Z||imap-login||Info: Aborted|1"},
	{"pam old", "Jan  2 03:04:05 w sshd(pam_unix)[55]: session opened for user a by (uid=0)", "2024-01-02T03:04:05Z|w|sshd(pam_unix)|55|session opened for user a by (uid=0)|1"},
	{"year first", "2024 Jan  2 03:04:05 w sshd[55]: hello", "2024-01-02T03:04:05Z|w|sshd|55|hello|1"},
	{"as asctime has it", "Tue Jan  2 03:04:05 2024 w sshd[55]: hello", "2024-01-02T03:04:05Z|w|sshd|55|hello|1"},
	{"seconds", "1704164645 w sshd[55]: hello", "2024-01-02T03:04:05Z|w|sshd|55|hello|1"},
	{"seconds of another log", "1704164645 w sshd hello", ""},
	{"seconds at the end of the line", "1704164645 w ssh", ""},
	{"not a line", "hello world, this is no log", ""},
	{"short", "Jan  2", ""},
}

func TestParse(t *testing.T) {
	for _, tc := range samples {
		t.Run(tc.name, func(t *testing.T) {
			l, ok := syslog.Parse(&logclock.Clock{Year: 2024}, []byte(tc.in))
			got := ""
			if ok {
				got = fmt.Sprintf("%s|%s|%s|%s|%s|%d", l.At, l.Host, l.Program, l.PID, l.Text, l.Repeat)
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestFrames: lines that begin as the one before are read as if they stood alone.
func TestFrames(t *testing.T) {
	show := func(l syslog.Line, ok bool) string {
		return fmt.Sprintf("%s|%s|%s|%s|%s|%d|%v", l.At, l.Host, l.Program, l.PID, l.Text, l.Repeat, ok)
	}
	for _, a := range samples {
		frames := syslog.Frames{Clock: &logclock.Clock{Year: 2024}}
		for _, line := range []string{a.in, a.in, strings.Replace(a.in, "]", "7]", 1), strings.Replace(a.in, "[", "[x", 1), strings.ReplaceAll(a.in, "]", ""), a.in + " x", strings.TrimSuffix(a.in, ":"), a.in[:len(a.in)/2]} {
			got := show(frames.Parse([]byte(line)))
			if want := show(syslog.Parse(&logclock.Clock{Year: 2024}, []byte(line))); got != want {
				t.Errorf("%q: %s, alone %s", line, got, want)
			}
		}
	}
}

func BenchmarkFrames(b *testing.B) {
	frames := syslog.Frames{Clock: &logclock.Clock{Year: 2024}}
	lines := [2][]byte{[]byte("Jan  2 03:04:05 web1 sshd[123]: Failed password for invalid user admin from 203.0.113.66 port 51234 ssh2"), []byte("Jan  2 03:04:05 web1 sshd[127]: Connection closed by invalid user admin 203.0.113.66 port 51234 [preauth]")}
	b.SetBytes(int64(len(lines[0])))
	for n := 0; b.Loop(); n++ {
		if _, ok := frames.Parse(lines[n%2]); !ok {
			b.Fatal("not read")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	line := []byte("Jan  2 03:04:05 web1 sshd[123]: Failed password for invalid user admin from 203.0.113.66 port 51234 ssh2")
	c := &logclock.Clock{Year: 2024}
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := syslog.Parse(c, line); !ok {
			b.Fatal("not read")
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tc := range samples {
		f.Add([]byte(tc.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frames := syslog.Frames{Clock: &logclock.Clock{Year: 2024}}
		a, _ := frames.Parse(b)
		if c, _ := frames.Parse(b); fmt.Sprint(a) != fmt.Sprint(c) {
			t.Fatalf("%q: at first %v, then %v", b, a, c)
		}
		l, ok := syslog.Parse(&logclock.Clock{Year: 2024}, b)
		if ok && (!bytes.Contains(b, l.Text) || !bytes.Contains(b, l.Program) || l.Repeat < 1) {
			t.Fatalf("%+v is not from %q", l, b)
		}
	})
}
