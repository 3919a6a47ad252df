package spool

import (
	"testing"
	"time"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]string{
		"/var/spool/postfix/maildrop/A1B2C3D4E5": "postfix maildrop", "var/spool/postfix/deferred/A/A1B2C3D4E5": "postfix deferred", "/var/spool/postfix-out/active/4c2xJq1Yk9z3": "postfix-out active", "/var/spool/postfix/pid/master.pid": "",
		"/var/spool/postfix/etc/hosts": "", "/var/spool/exim4/input/1rXyZa-0000Ab-2C-H": "exim4", "/var/spool/exim4/input/a/1rXyZa-0000Ab-2C-H": "exim4", "/var/spool/exim4/input/1rXyZa-0000Ab-2C-D": "", "/var/spool/exim4/msglog/1rXyZa-0000Ab-2C": "",
		"/var/spool/mqueue/qf34AB12cd012345": "sendmail mqueue", "/var/spool/mqueue/df34AB12cd012345": "", "/var/spool/cron/root": "", "/var/spool/postfix": "",
	} {
		m, ok := Of(name)
		if ok != (want != "") || ok && m.Queue != want || m.OwnerSent != (want == "postfix maildrop") {
			t.Errorf("%s: %+v %v", name, m, ok)
		}
	}
	m, _ := Of("/var/spool/exim4/input/1rXyZa-0000Ab-2C-H")
	if m.Since.Before(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) || m.Since.After(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error(m.Since)
	}
}

func TestEximUser(t *testing.T) {
	for head, want := range map[string]int64{"1rXyZa-0000Ab-2C-H\nwww-data 33 33\n<x@y>\n": 33, "1-H\nDebian-exim 101 103\n": 101, "1-H\nname with blanks 7 7\n": 7, "1-H\nroot -1 0\n": -1, "1-H\nroot 99999999999 0\n": -1, "": -1, "1-H\n": -1, "1-H\nx": -1} {
		uid, ok := EximUser(head)
		if got := int64(uid); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d %v", head, got, ok)
		}
	}
}

func FuzzSpool(f *testing.F) {
	f.Add("/var/spool/exim4/input/1rXyZa-0000Ab-2C-H", "1-H\nx 7 7\n")
	f.Add("/var/spool/postfix/deferred/A/A1B2C3D4E5", "")
	f.Fuzz(func(t *testing.T, name, head string) {
		if m, ok := Of(name); ok && m.Queue == "" {
			t.Error(name)
		}
		EximUser(head)
	})
}
