package logins_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/logins"
)

const (
	failed   = "auth-failed service.name=sshd auth.method=password"
	accepted = "auth-accepted service.name=sshd auth.method=password"
)

// names is a refused try for each of n accounts.
func names(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "03:00:%02d %s user.name=u%d user.invalid=true source.ip=203.0.113.6\n", i%60, failed, i)
	}
	return b.String()
}

func TestGuessedOrNot(t *testing.T) {
	for _, tc := range []struct {
		name, events string
		guessed      int
	}{
		{"many tries, then in", "03:00:00 " + failed + " user.name=bob source.ip=203.0.113.6 x7\n03:01:00 " + accepted + " user.name=bob source.ip=203.0.113.6 process.pid=5", 1},
		{"several accounts, then in", "03:00:00 " + failed + " user.name=root source.ip=203.0.113.6\n03:00:01 " + failed + " user.name=admin user.invalid=true source.ip=203.0.113.6\n03:00:02 " + failed + " user.name=test source.ip=203.0.113.6\n03:01:00 " + accepted + " user.name=bob source.ip=203.0.113.6 process.pid=5", 1},
		{"an office, everybody mistypes once", "03:00:00 " + failed + " user.name=amy source.ip=198.51.100.2\n03:10:00 " + failed + " user.name=bob source.ip=198.51.100.2\n03:20:00 " + failed + " user.name=root source.ip=198.51.100.2\n03:30:00 " + accepted + " user.name=bob source.ip=198.51.100.2 process.pid=5", 0},
		{"an office, many errors", "03:00:00 " + accepted + " user.name=amy source.ip=198.51.100.2\n03:01:00 " + accepted + " user.name=carl source.ip=198.51.100.2\n03:02:00 " + failed + " user.name=amy source.ip=198.51.100.2 x9\n03:03:00 " + failed + " user.name=bobx user.invalid=true source.ip=198.51.100.2\n03:10:00 " + failed + " user.name=bob source.ip=198.51.100.2 x2\n03:30:00 " + accepted + " user.name=bob source.ip=198.51.100.2 process.pid=5", 0},
		{"a guesser in an office", "03:00:00 " + accepted + " user.name=amy source.ip=198.51.100.2\n03:01:00 " + accepted + " user.name=carl source.ip=198.51.100.2\n03:10:00 " + failed + " user.name=bob source.ip=198.51.100.2 x9\n03:30:00 " + accepted + " user.name=bob source.ip=198.51.100.2 process.pid=5", 1},
		{"an office, and a clock that went wrong", "13:00:00 " + failed + " user.name=amy source.ip=198.51.100.2 x9\n13:00:10 " + accepted + " user.name=amy source.ip=198.51.100.2 process.pid=4\n15:30:00 " + failed + " user.name=bob source.ip=198.51.100.2\n15:30:09 " + accepted + " user.name=bob source.ip=198.51.100.2 process.pid=5\n03:00:00 " + accepted + " user.name=bob source.ip=198.51.100.2 process.pid=6", 1},
		{"a guesser who finds three passwords", names(40) + "03:30:00 " + failed + " user.name=amy source.ip=203.0.113.6\n03:30:01 " + accepted + " user.name=amy source.ip=203.0.113.6 process.pid=5\n03:30:02 " + failed + " user.name=carl source.ip=203.0.113.6\n03:30:03 " + accepted + " user.name=carl source.ip=203.0.113.6 process.pid=6\n03:30:04 " + failed + " user.name=bob source.ip=203.0.113.6\n03:30:05 " + accepted + " user.name=bob source.ip=203.0.113.6 process.pid=7", 3},
		{"slow and long", "00:00:00 " + failed + " user.name=bob source.ip=203.0.113.6 x18\n20:00:00 " + accepted + " user.name=bob source.ip=203.0.113.6 process.pid=5", 1},
		{"a typing error", "03:00:00 " + failed + " user.name=amy source.ip=198.51.100.2 x2\n03:01:00 " + accepted + " user.name=amy source.ip=198.51.100.2 process.pid=5", 0},
		{"in first, wrong later", "03:00:00 " + accepted + " user.name=amy source.ip=198.51.100.2 process.pid=5\n04:00:00 " + failed + " user.name=amy source.ip=198.51.100.2 x20", 0},
		{"known address, many wrong, in again", "03:00:00 " + accepted + " user.name=amy source.ip=198.51.100.2 process.pid=5\n04:00:00 " + failed + " user.name=amy source.ip=198.51.100.2 x8\n05:00:00 auth-accepted service.name=sshd auth.method=keyboard-interactive/pam user.name=amy source.ip=198.51.100.2 process.pid=6", 0},
		{"others guess, the owner comes in", "03:00:00 " + failed + " user.name=amy source.ip=203.0.113.6 x50\n04:00:00 " + accepted + " user.name=amy source.ip=198.51.100.2 process.pid=5", 0},
		{"tries, then anonymously", "03:00:00 " + failed + " user.name=bob source.ip=203.0.113.6 x9\n03:01:00 auth-accepted service.name=vsftpd auth.method=password auth.anonymous=true user.name=ftp source.ip=203.0.113.6 process.pid=5", 0},
		{"tries, then a key", "03:00:00 " + failed + " user.name=amy source.ip=198.51.100.2 x9\n04:00:00 auth-accepted service.name=sshd auth.method=publickey key.fingerprint=SHA256:x user.name=amy source.ip=198.51.100.2 process.pid=5", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), tc.events), detect.GuessedIn)
			if len(got) != tc.guessed {
				t.Errorf("%d guessed logins, want %d: %+v", len(got), tc.guessed, got)
			}
		})
	}
}

func TestOneLoginToldByThreeWitnesses(t *testing.T) {
	all := detecttest.Run(t, logins.New(), detecttest.Scene(), `
03:00:00 auth-accepted service.name=sshd auth.method=password user.name=amy source.ip=198.51.100.2 source.port=4000 process.pid=5
03:00:00 auth-accepted service.name=sshd auth.method=password user.name=amy source.ip=198.51.100.2 source.port=4000 process.pid=5 transport=journal @/var/log/journal/x/system.journal
03:00:01 login-record user.name=amy source.ip=198.51.100.2 terminal=pts/0 process.pid=6 record.type=wtmp @/var/log/wtmp
03:10:00 session-closed service.name=sshd user.name=amy process.pid=5`)
	got := detecttest.Of(all, detect.Login)
	if len(got) != 1 || got[0].Count != 1 || len(got[0].For) != 3 {
		t.Fatalf("%+v", got)
	}
	if a := got[0].Access; len(a.Sessions) != 1 || a.Longest.Minutes() != 10 {
		t.Errorf("session %+v", a)
	}
}

func TestALoginThatOnlyTheRecordsTell(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), "03:00:01 login-record user.name=bob source.ip=203.0.113.6 terminal=pts/0 process.pid=6 record.type=wtmp"), detect.Login)
	if len(got) != 1 || got[0].Method != "record" || got[0].Account != "bob" {
		t.Errorf("%+v", got)
	}
}

func TestFailuresToldTwiceCountOnce(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), `
03:00:00 auth-failed service.name=sshd user.name=root source.ip=203.0.113.6 x30
03:00:00 auth-failed service.name=sshd user.name=root source.ip=203.0.113.6 transport=journal @/var/log/journal/x x30`), detect.Guessing)
	if len(got) != 1 || got[0].Count != 30 {
		t.Errorf("%+v", got)
	}
}

func TestCampaigns(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), `
03:00:00 auth-failed service.name=sshd user.name=root source.ip=203.0.113.6 x30
03:00:00 auth-failed service.name=sshd user.name=a source.ip=203.0.113.7
03:00:01 auth-failed service.name=sshd user.name=b source.ip=203.0.113.7
03:00:02 auth-failed service.name=sshd user.name=c source.ip=203.0.113.7
03:00:03 auth-failed service.name=sshd user.name=d source.ip=203.0.113.7
03:00:04 auth-failed service.name=sshd user.name=e source.ip=203.0.113.7
04:00:00 auth-failed service.name=sshd user.name=root source.ip=203.0.113.8
04:00:00 auth-failed service.name=sshd user.name=root source.ip=203.0.113.9`), detect.Guessing)
	if len(got) != 3 || got[0].Source != "203.0.113.6" || got[0].Count != 30 || got[1].Detection != "D06" || got[2].Source != "" || got[2].Count != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAServiceAccountLogsIn(t *testing.T) {
	got := detecttest.Run(t, logins.New(), detecttest.Scene(), "03:00:00 auth-accepted service.name=sshd auth.method=password user.name=mysql source.ip=203.0.113.6 process.pid=5")
	if len(got) != 1 || got[0].Detection != "D15" || got[0].Level != detect.High {
		t.Errorf("%+v", got)
	}
}

// TestBtmpIsAWitness has refusals that only btmp tells, and logins that only wtmp does: auth.log was edited.
func TestBtmpIsAWitness(t *testing.T) {
	bad := "03:00:00 bad-login-record user.name=bob source.ip=203.0.113.6 @/var/log/btmp x20\n"
	in := "03:05:00 login-record user.name=bob source.ip=203.0.113.6 terminal=pts/0 @/var/log/wtmp\n"
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"guessed", bad + in, 1},
		{"guessed after the login", strings.ReplaceAll(bad, "03:00", "04:00") + in, 0},
		{"another account was guessed at", strings.ReplaceAll(bad, "bob", "amy") + in, 0},
		{"by another address", strings.ReplaceAll(bad, "203.0.113.6", "203.0.113.7") + in, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := detecttest.Of(detecttest.Run(t, logins.New(), detecttest.Scene(), tc.events), detect.GuessedIn); len(got) != tc.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestAHugeWtmpIsJoinedInTime guards against a join that grows with the product of its sides.
func TestAHugeWtmpIsJoinedInTime(t *testing.T) {
	events := "00:00:01 auth-accepted service.name=sshd auth.method=password user.name=bob source.ip=203.0.113.6 x20000\n00:00:01 login-record user.name=bob source.ip=203.0.113.6 terminal=pts/0 @/var/log/wtmp x20000\n"
	began := time.Now()
	detecttest.Run(t, logins.New(), detecttest.Scene(), events)
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
}
