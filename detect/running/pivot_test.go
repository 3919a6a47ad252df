package running_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/running"
	"telltale/event"
)

const (
	letIn  = "02:59:58 auth-accepted service.name=sshd user.name=amy source.ip=203.0.113.66 process.pid=900\n"
	opened = "03:00:00 session-opened service.name=logind user.name=amy session.id=7\n"
	bad    = "process.name=x process.executable=/tmp/.x user.id=1000 process.trait=deleted"
)

// TestNobodyIsAccused: what does not lead to one login for good names no address.
func TestNobodyIsAccused(t *testing.T) {
	for _, tc := range []struct{ name, events, source string }{
		{"the session's own login", letIn + opened + "03:02:00 process-seen process.pid=5 unit.name=session-7.scope audit.loginuid=1000 " + bad, "203.0.113.66"},
		{"two addresses at that time", letIn + "03:00:10 auth-accepted service.name=sshd user.name=amy source.ip=198.51.100.9 process.pid=901\n" + opened + "03:02:00 process-seen process.pid=5 unit.name=session-7.scope " + bad, ""},
		{"two sessions at that time, one of cron", letIn + opened + "03:00:01 session-opened service.name=logind user.name=amy session.id=8\n" + "03:02:00 process-seen process.pid=5 unit.name=session-7.scope " + bad, ""},
		{"a job of cron", letIn + opened + "02:00:00 process-seen process.pid=4 process.name=crond process.executable=/usr/sbin/crond user.id=0\n" + "03:02:00 process-seen process.pid=5 process.parent.pid=4 unit.name=session-7.scope " + bad, ""},
		{"in tmux, which others come back to", letIn + opened + "03:01:00 process-seen process.pid=4 process.parent.pid=1 process.name=\"tmux: server\" process.executable=/usr/bin/tmux user.id=1000 unit.name=session-7.scope\n" +
			"09:02:00 process-seen process.pid=5 process.parent.pid=4 unit.name=session-7.scope process.environment=\"SSH_CONNECTION=203.0.113.66 1 192.0.2.10 22\" audit.loginuid=1000 " + bad, ""},
		{"the kernel says that bob logged in", letIn + opened + "03:02:00 process-seen process.pid=5 unit.name=session-7.scope audit.loginuid=1001 " + bad, ""},
		{"a number of sshd's, and the kernel says bob", letIn + "03:00:00 process-seen process.pid=900 audit.loginuid=1001 " + bad, ""},
		{"the number again, hours later", letIn + "09:00:00 process-seen process.pid=900 " + bad, ""},
		{"without a time", letIn + opened + "- process-seen process.pid=5 unit.name=session-7.scope " + bad, ""},
		{"neither has a time", "- auth-accepted service.name=sshd user.name=amy source.ip=203.0.113.66 process.pid=900\n- process-seen process.pid=900 " + bad, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fs := detecttest.Run(t, running.New(), detecttest.Scene(), tc.events)
			if len(fs) == 0 {
				t.Fatal("nothing is told")
			}
			for _, f := range fs {
				if f.Source != tc.source {
					t.Errorf("%q from %q, want %q (%s)", f.Title, f.Source, tc.source, f.Agent)
				}
			}
		})
	}
}

// TestTwoMachines: the processes of one do not come of the logins of another, where their numbers happen to be the same.
func TestTwoMachines(t *testing.T) {
	for name, want := range map[string]string{"web1": "203.0.113.66", "web2": ""} {
		for _, process := range []string{"pid=900", "pid=5 unit.name=session-7.scope"} {
			sc := detecttest.Scene()
			sc.Machines = map[string]string{"s1": "web1", "s2": name}
			f := running.New().New(sc)
			for _, e := range detecttest.Events(t, letIn+opened+"03:00:10 process-seen "+bad+" process."+process) {
				if e.Text(event.Executable) != "" {
					e.Ref.Source = "s2"
				}
				f.Observe(&e)
			}
			var got []detect.Finding
			for x := range f.Findings(t.Context()) {
				got = append(got, x)
			}
			if len(got) != 1 || got[0].Source != want {
				t.Errorf("%s, %s: %+v", name, process, got)
			}
		}
	}
}

// TestSeveralInOneSource: a folder of several machines' collections is one source, and their numbers are not told apart.
func TestSeveralInOneSource(t *testing.T) {
	sc := detecttest.Scene()
	sc.Machines = map[string]string{"s1": detect.Several}
	for _, x := range detecttest.Run(t, running.New(), sc, letIn+opened+"03:00:10 process-seen process.pid=900 unit.name=session-7.scope "+bad) {
		if x.Source != "" {
			t.Errorf("%q from %s", x.Title, x.Source)
		}
	}
}
