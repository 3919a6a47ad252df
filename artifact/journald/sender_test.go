package journald_test

import (
	"strings"
	"testing"
)

// TestWhoSpeaksUnderAnothersName has a message that any account may send to the journal, and those that look like it.
func TestWhoSpeaksUnderAnothersName(t *testing.T) {
	const said = "MESSAGE=Accepted password for root from 203.0.113.6 port 4000 ssh2"
	for _, tc := range []struct {
		name   string
		fields []string
		want   int
	}{
		{"sshd", []string{"_UID=0", "_EXE=/usr/sbin/sshd"}, 1},
		{"sshd, with nothing known of it", nil, 1},
		{"root, by hand", []string{"_UID=0", "_EXE=/usr/bin/logger"}, 1},
		{"the part of sshd that is the user's", []string{"_UID=1000", "_EXE=/usr/sbin/sshd"}, 1},
		{"the same after an update", []string{"_UID=1000", "_EXE=/usr/lib/openssh/sshd-session (deleted)"}, 1},
		{"a web server's account", []string{"_UID=33", "_EXE=/usr/bin/logger"}, 0},
		{"by a script", []string{"_UID=33", "_EXE=/usr/bin/python3.11"}, 0},
		{"by a program of its own", []string{"_UID=33", "_EXE=/tmp/sshd"}, 0},
		{"gone before it was looked at", []string{"_UID=33"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := newJournal(false, "")
			j.entry(noon, append([]string{said, "SYSLOG_IDENTIFIER=sshd", "_PID=77", "_HOSTNAME=web1"}, tc.fields...)...)
			if got := read(t, j.done()); strings.Count(got, "auth-accepted ") != tc.want {
				t.Errorf("%s", got)
			}
		})
	}
}
