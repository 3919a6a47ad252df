package logins_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/logins"
)

// session is one of amy's, of so many seconds.
func session(clock, ip, method string, pid, seconds int) string {
	var h, m, s int
	fmt.Sscanf(clock, "%d:%d:%d", &h, &m, &s)
	end := h*3600 + m*60 + s + seconds
	return fmt.Sprintf("%s auth-accepted service.name=sshd user.name=amy auth.method=%s source.ip=%s source.port=%d process.pid=%d\n%02d:%02d:%02d session-closed service.name=sshd user.name=amy process.pid=%d\n",
		clock, method, ip, 1000+pid, pid, end/3600, end/60%60, end%60, pid)
}

func TestUnlikeTheOthers(t *testing.T) {
	var usual strings.Builder
	for i := range 40 {
		usual.WriteString(session(fmt.Sprintf("%02d:%02d:00", 9+i/20, i%20*3), "198.51.100.2", "publickey", i, 120))
	}
	for _, tc := range []struct{ name, events, id string }{
		{"in two networks at once", session("10:58:00", "203.0.113.6", "password", 90, 600), "D18"},
		{"at night from a new network", session("02:00:00", "203.0.113.6", "password", 90, 600), ""}, // before its history
		{"late at night from a new network", session("22:00:00", "203.0.113.6", "password", 90, 600), "D18"},
		{"from a new network by day", session("12:30:00", "203.0.113.6", "password", 90, 600), ""},
		{"late at night from the usual network", session("22:00:00", "198.51.100.77", "password", 90, 600), ""},
		{"looked whether the password is right", session("12:30:00", "203.0.113.6", "password", 90, 1), "D20"},
		{"an automaton with a key", session("12:30:00", "203.0.113.6", "publickey", 90, 1), ""},
		{"from a machine within", session("12:30:00", "10.0.7.7", "password", 90, 600), "D34"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), usual.String()+tc.events), detect.OddLogin)
			if tc.id == "" && len(got) > 0 || tc.id != "" && (len(got) != 1 || got[0].Detection != tc.id || got[0].Level != detect.Low) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAnAccountWithoutAHistoryIsLikeItself(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), session("03:00:00", "203.0.113.6", "password", 1, 1)+session("04:00:00", "10.0.0.7", "password", 2, 100)), detect.OddLogin)
	if len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestOneAccountTriedByMany(t *testing.T) {
	tries := func(user string, addresses, each int, more string) string {
		var b strings.Builder
		for a := range addresses {
			for i := range each {
				fmt.Fprintf(&b, "%02d:%02d:00 auth-failed service.name=sshd user.name=%s source.ip=203.0.%d.7%s\n", 1+a%20, i, user, a, more)
			}
		}
		return b.String()
	}
	var others strings.Builder
	for i := range 40 {
		others.WriteString(tries(fmt.Sprintf("amy%d", i), 15, 1, " user.invalid=true"))
	}
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"a person's account", tries("amy", 15, 2, ""), 1},
		{"a person's account, often by each", tries("amy", 15, 9, ""), 0},
		{"by a few", tries("amy", 5, 2, ""), 0},
		{"root, as everywhere", tries("root", 50, 2, ""), 0},
		{"a name that nobody has", tries("oracle", 50, 2, " user.invalid=true"), 0},
		{"one of many that are tried so", tries("amy", 12, 1, "") + others.String(), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), tc.events), detect.Campaign); len(got) != tc.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
