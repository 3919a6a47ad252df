package story

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// changed is a program that is not as its package ships it.
func changed(path, row, when string, l detect.Level) detect.Finding {
	return detect.Finding{Detection: row, What: detect.PackageDiff, Title: path + " of package p has another content", Path: path, Package: "p", Account: "root", Mechanism: "content", Level: l, Rung: evidence.Effect, First: at(when), Last: at(when),
		Key: "md5:00", Method: "md5:11", Attack: []string{"T1554"}, For: quote(path)}
}

func TestChangedPrograms(t *testing.T) {
	amy := login(detect.Login, "amy", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true})
	for _, tc := range []struct {
		name, status string
		confidence   Status
		altered      int
		claim        Status // of the changed program
		says         string
		findings     []detect.Finding
	}{
		{"sshd alone decides nothing", string(CannotTell), Possible, 1, Possible, "/usr/sbin/sshd", []detect.Finding{amy, changed("/usr/sbin/sshd", "D52", "03:00:00", detect.High)}},
		{"sshd while the server is attacked", string(CannotTell), Possible, 1, Possible, "/usr/sbin/sshd", []detect.Finding{amy, guessing, changed("/usr/sbin/sshd", "D52", "03:00:00", detect.High)}},
		{"one that is explained", Clean, Likely, 0, "", "", []detect.Finding{amy, with(changed("/bin/ls", "D52", "03:00:00", detect.Low), func(f *detect.Finding) { f.Explained = "half installed" })}},
		{"a lesser program", Clean, Likely, 0, "", "", []detect.Finding{amy, changed("/usr/bin/cowsay", "D52", "03:00:00", detect.Medium)}},
		{"sshd and a PAM module", Compromised, Possible, 2, Possible, "", []detect.Finding{amy, changed("/usr/sbin/sshd", "D52", "03:00:00", detect.High), changed("/lib/security/pam_unix.so", "D51", "03:00:00", detect.High)}},
		{"in the intruder's session", Compromised, Confirmed, 1, Confirmed, "tampered with", []detect.Finding{amy, guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), changed("/bin/ls", "D52", "03:02:00", detect.High)}},
		{"at another time than the intruder's", Compromised, Confirmed, 1, Possible, "", []detect.Finding{amy, guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), changed("/bin/ls", "D52", "02:02:00", detect.High)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Build(t.Context(), tc.findings, full())
			check(t, &s)
			if s.Verdict.Status != tc.status || s.Verdict.Confidence != tc.confidence || !strings.Contains(s.Verdict.Summary, tc.says) {
				t.Errorf("%+v", s.Verdict)
			}
			if tc.says == "" && strings.Contains(s.Verdict.Summary, "tampered") {
				t.Errorf("held against the intruder: %s", s.Verdict.Summary)
			}
			if len(s.Altered) != tc.altered {
				t.Fatalf("altered %+v", s.Altered)
			}
			if tc.altered == 0 {
				if explained := tc.findings[1].Explained != ""; len(s.Innocent) > 0 != explained {
					t.Errorf("innocent %+v", s.Innocent)
				}
				return
			}
			a := s.Altered[0]
			if a.Kind != "package-file-changed" || a.Expected != "md5:00" || a.Found != "md5:11" {
				t.Errorf("%+v", a)
			}
			for _, c := range s.Claims {
				if c.ID == a.Claims[0] && c.Status != tc.claim {
					t.Errorf("claim %+v", c)
				}
			}
		})
	}
}
