package story

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// remoteOnly is a setting of which only a log server's copy and what ran were read.
func remoteOnly() Setting {
	s := full()
	s.Tree, s.Disk, s.Packages, s.WebRoots, s.Running, s.Remote = false, false, false, nil, true, true
	return s
}

func program(account, when string, sockets ...string) detect.Finding {
	return detect.Finding{Detection: "D42", What: detect.Process, Title: "process 7 runs from /tmp/.x", Detail: "runs from /tmp/.x", Path: "/tmp/.x", Pid: "7", Level: detect.High, Rung: evidence.Effect, Account: account, Sources: sockets, First: at(when), Last: at(when), Count: 1,
		For: quote("/state/processes.jsonl")}
}

// TestNewcomers: a login by a new address is no proof, and what cannot be told of it is not ruled out.
func TestNewcomers(t *testing.T) {
	foreign := func(method string) detect.Finding {
		f := login(detect.Login, "bob", "203.0.113.6", method, "01:00:00", "01:10:00", detect.Access{NewAddress: true})
		f.Key = map[string]string{"publickey": "SHA256:k"}[method]
		return f
	}
	usual := login(detect.Login, "bob", "198.51.100.2", "publickey", "00:10:00", "00:20:00", detect.Access{FirstOfAccount: true})
	usual.Key = "SHA256:k"
	tries := guessing
	tries.Accounts = []string{"bob"}
	for _, tc := range []struct {
		name, vector, status string // of the way in that is told, "" for none
		open                 string // the way in that must not be ruled out
		says                 string // of the login, where it is held against nobody
		findings             []detect.Finding
	}{
		{"alone", "", string(CannotTell), "ssh-password-known", "nothing bad happened", []detect.Finding{foreign("password")}},
		{"tried before by others", "", string(CannotTell), "ssh-password-guessed", "nothing bad happened", []detect.Finding{foreign("password"), tries}},
		{"somebody entitled, and something odd", "", string(CannotTell), "insider", "", []detect.Finding{usual, program("amy", "05:00:00")}},
		{"by a key", "", string(CannotTell), "ssh-key", "nothing bad happened", []detect.Finding{foreign("publickey")}},
		{"he became root", "", string(CannotTell), "ssh-password-known", "root's rights were used", []detect.Finding{foreign("password"), sudo("bob", "01:05:00")}},
		{"something odd runs", "", string(CannotTell), "ssh-password-known", "nothing that was read ties", []detect.Finding{foreign("password"), program("amy", "05:00:00")}},
		{"it is connected to where he came from", "ssh-password-known", Compromised, "", "", []detect.Finding{foreign("password"), program("bob", "02:00:00", "tcp to 203.0.113.6:4444 established")}},
		{"it is connected to elsewhere", "", string(CannotTell), "ssh-password-known", "", []detect.Finding{foreign("password"), program("bob", "05:00:00", "tcp to 203.0.113.99:4444 established", "udp at 0.0.0.0:53", "tcp to nonsense", "")}},
		{"it is connected to where the owner sits", "", string(CannotTell), "", "", []detect.Finding{usual, login(detect.Login, "bob", "198.51.100.2", "password", "04:00:00", "04:10:00", detect.Access{}), program("bob", "05:00:00", "tcp to 198.51.100.2:6000 established")}},
		{"a key that nobody had used before", "unknown", Compromised, "", "", []detect.Finding{foreign("publickey"), program("bob", "02:00:00", "tcp to 203.0.113.6:443 established")}},
		{"a key that its owner had used", "ssh-key", Compromised, "", "", []detect.Finding{usual, foreign("publickey"), program("bob", "02:00:00", "tcp to 203.0.113.6:443 established")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Build(t.Context(), tc.findings, remoteOnly())
			vector := ""
			for _, e := range s.Entry {
				vector = e.Vector
			}
			if vector != tc.vector || s.Verdict.Status != tc.status {
				t.Errorf("%s by %q: %s", s.Verdict.Status, vector, s.Verdict.Summary)
			}
			if vector == "unknown" && (s.Entry[0].First != "" || len(s.Entry[0].Sources) != 1) {
				t.Errorf("when he first came is not known, and from where he was seen is: %+v", s.Entry[0])
			}
			for _, h := range s.Hypotheses {
				if h.Vector == tc.open && h.Status == RuledOut {
					t.Errorf("ruled out: %s: %s", h.Vector, h.Why)
				}
			}
			said := false
			for _, x := range s.Innocent {
				said = said || strings.Contains(x.Why, tc.says)
			}
			if tc.says != "" && !said {
				t.Errorf("%q is not said: %+v", tc.says, s.Innocent)
			}
		})
	}
}

// TestRootBySigns: what runs as root and only an intruder leaves is a sign that root was reached.
func TestRootBySigns(t *testing.T) {
	for account, want := range map[string]bool{"root": true, "bob": false} {
		f := program(account, "05:00:00")
		f.Level = detect.Critical
		s := Build(t.Context(), []detect.Finding{f}, remoteOnly())
		if got := s.Verdict.Root != nil && *s.Verdict.Root; s.Verdict.Status != Compromised || got != want || strings.Contains(s.Verdict.Summary, "No sign was found") == want {
			t.Errorf("%s: %s, root %v: %s", account, s.Verdict.Status, got, s.Verdict.Summary)
		}
	}
}

// TestConnectionsAreNoMails: the count of what was seen at one moment is of machines.
func TestConnectionsAreNoMails(t *testing.T) {
	bad := program("bob", "05:00:00")
	bad.Level = detect.Critical
	mail := program("bob", "05:00:00")
	mail.What, mail.Mechanism, mail.Count, mail.Detail = detect.Scanner, "spam", 4, "hands mail to 4 servers by itself"
	s := Build(t.Context(), []detect.Finding{bad, mail}, remoteOnly())
	if strings.Contains(s.Verdict.Summary, "mails") || !strings.Contains(s.Verdict.Summary, "hands mail to 4 servers") {
		t.Error(s.Verdict.Summary)
	}
}
