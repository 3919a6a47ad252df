package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
)

// TestKnownPassword: what argues for where a password was stolen is told as possible, and only what the logins show.
func TestKnownPassword(t *testing.T) {
	in := login(detect.Login, "bob", "203.0.113.6", "password", "03:00:00", "03:10:00", detect.Access{NewAddress: true})
	twin := []detect.Finding{login(detect.Login, "amy", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true}), in, sudo("bob", "03:01:00"), twin("03:05:00")}
	imap := with(in, func(f *detect.Finding) { f.Service, f.First, f.Last = "dovecot", at("02:00:00"), at("02:00:00") })
	eve := with(in, func(f *detect.Finding) { f.Account, f.First = "eve", at("03:02:00") })
	var shared []detect.Finding
	for _, ip := range []string{"198.51.100.9", "192.0.2.9", "192.0.3.9", "192.0.4.9"} {
		shared = append(shared, login(detect.Login, "bob", ip, "password", "00:10:00", "00:20:00", detect.Access{}))
	}
	for _, tc := range []struct {
		name, says string
		more       []detect.Finding
	}{
		{"nothing more", "", nil},
		{"the same password reads mail", "used the password of bob at sshd, too", []detect.Finding{imap}},
		{"another account's password", "also knew the password of eve", []detect.Finding{eve}},
		{"an account of many", "is used from 4 networks", shared},
	} {
		s := Build(t.Context(), append(slices.Clone(twin), tc.more...), full())
		check(t, &s)
		if len(s.Entry) == 0 || s.Entry[0].Vector != "ssh-password-known" && tc.name != "the same password reads mail" {
			t.Errorf("%s: %+v", tc.name, s.Entry)
		}
		var told []string
		for _, c := range s.Claims {
			if strings.Contains(c.Text, "used the password of") || strings.Contains(c.Text, "also knew") || strings.Contains(c.Text, "is used from") {
				told = append(told, c.Text)
				if c.Status != Possible {
					t.Errorf("%s: %s", tc.name, c.Status)
				}
			}
		}
		if (tc.says == "") != (len(told) == 0) || tc.says != "" && !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, tc.says) }) {
			t.Errorf("%s: %q", tc.name, told)
		}
		if !slices.ContainsFunc(s.Unknown, func(u string) bool { return strings.HasPrefix(u, "Where the password of bob was stolen") }) && tc.name != "the same password reads mail" {
			t.Errorf("%s: %q", tc.name, s.Unknown)
		}
	}
}

// TestSteps: what to do is the case's own, volatile evidence first, and every way in has a step that closes it.
func TestSteps(t *testing.T) {
	for i := range vectors {
		if v := vectors[i].name; v != "local-script" && closing[v].step == "" {
			t.Errorf("nothing closes %s", v)
		}
	}
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00")}, full())
	var steps []string
	for _, d := range s.DoNow {
		steps = append(steps, d.Step)
	}
	last := -1
	for _, want := range []string{"Cut the server", "Take memory", "203.0.113.6", "Change the password of bob", "PasswordAuthentication no", "Rebuild"} {
		i := slices.IndexFunc(steps, func(s string) bool { return strings.Contains(s, want) })
		if i <= last {
			t.Errorf("%q stands at %d of %q", want, i, steps)
		}
		last = i
	}
}
