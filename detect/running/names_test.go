package running_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/running"
)

// TestNamesWithoutAList: what tells whose a process is where nobody's list of accounts was read.
func TestNamesWithoutAList(t *testing.T) {
	const (
		odd    = "\n03:01:00 process-seen process.pid=910 process.parent.pid=900 process.name=x process.executable=/tmp/.x process.trait=deleted "
		log    = "02:59:59 session-opened service.name=sshd user.name=alice user.id=1002"
		server = "\n02:59:59 process-seen process.pid=900 process.parent.pid=1 process.name=sshd process.executable=/usr/sbin/sshd user.id=%0 process.command_line=\"sshd: alice [priv]\"" +
			"\n03:00:00 process-seen process.pid=901 process.parent.pid=900 process.name=sshd process.executable=/usr/sbin/sshd user.id=1002 process.command_line=\"sshd: alice@pts/0\""
		env = " process.environment=\"SSH_CONNECTION=203.0.113.66 4000 192.0.2.10 22\" audit.loginuid=1002"
	)
	as := func(uid string) string { // sshd's own process, as root or as somebody who runs the program by himself
		out := ""
		for i := 0; i < len(server); i++ {
			if server[i] == '%' {
				out, i = out+uid, i+1
				continue
			}
			out += server[i : i+1]
		}
		return out
	}
	for _, tc := range []struct{ name, events, account, source string }{
		{"root is root", odd + "user.id=0", "root", ""},
		{"a number that nothing names", odd + "user.id=1002", "1002", ""},
		{"named by a log", log + odd + "user.id=1002", "alice", ""},
		{"two names by two logs", log + "\n03:00:00 session-opened service.name=sshd user.name=bob user.id=1002" + odd + "user.id=1002", "1002", ""},
		{"named by the server that let her in", as("0") + odd + "user.id=1002", "alice", ""},
		{"a title that she gave herself", as("1002") + odd + "user.id=1002", "1002", ""},
		{"her own environment", odd + "user.id=1002" + env, "1002", "203.0.113.66"},
		{"an environment that a service was left with", odd + "user.id=33" + env, "33", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fs := detecttest.Of(detecttest.Run(t, running.New(), detect.Scene{}, tc.events), detect.Process)
			if len(fs) != 1 {
				t.Fatalf("%+v", fs)
			}
			if fs[0].Account != tc.account || fs[0].Source != tc.source {
				t.Errorf("%q as %q from %q, want %q from %q", fs[0].Title, fs[0].Account, fs[0].Source, tc.account, tc.source)
			}
		})
	}
}
