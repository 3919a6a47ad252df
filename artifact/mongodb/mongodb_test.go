package mongodb_test

import (
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/mongodb"
)

func TestGolden(t *testing.T) {
	a := mongodb.New()
	a.Decode = nil
	artifacttest.Golden(t, a)
}

func TestSyslog(t *testing.T) {
	a := mongodb.New()
	a.Parse = nil
	artifacttest.GoldenAs(t, a, "syslog.txt", "/var/log/syslog", "")
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, `{"t":{"$date":"2024-03-02T08:00:01.100+00:00"},"s":"I","c":"CONTROL","id":1,"ctx":"main","msg":"x"}`: true,
		"2019-07-25T19:13:31.000+0000 I NETWORK  [initandlisten] waiting for connections on port 27017": true,
		"2019-07-25T19:13:31.000+0000 [initandlisten] x":                                                false, `{"t":{"$date":"2024-03-02T08:00:01Z"}}`: false,
		`{"ts":1720486800.1,"request":{"remote_ip":"203.0.113.6"}}`: false, "2024-01-02T15:04:05Z web sshd[1]: x": false,
	} {
		if mongodb.New().Sniff([]byte(in)) != want {
			t.Errorf("%q: want %v", in, want)
		}
	}
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, mongodb.New) }

// A name may bring along a whole line of the older log; the address of the connection that it names is known better.
func TestAForgedLogin(t *testing.T) {
	const accepted = "2019-07-25T19:13:38.000+0000 I NETWORK  [listener] connection accepted from 203.0.113.7:51842 #13 (4 connections now open)\n"
	for address, want := range map[string]bool{"198.51.100.9:1": false, "203.0.113.7:51842": true} {
		in := accepted + "2019-07-25T19:13:39.316+0000 I ACCESS   [conn13] Successfully authenticated as principal root on admin from client " + address + "\n"
		if got := string(artifacttest.Run(t, mongodb.New(), artifacttest.Input([]byte(in)))); strings.Contains(got, "auth-accepted") != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// A name that looks like the server's words hides nothing of what follows.
func TestANameHidesNothing(t *testing.T) {
	const accepted = "2019-07-25T19:13:38.000+0000 I NETWORK  [listener] connection accepted from 203.0.113.7:51842 #13 (4 connections now open)\n"
	const success = "2019-07-25T19:13:39.316+0000 I ACCESS   [conn13] Successfully authenticated as principal root on admin from client 203.0.113.7:51842\n"
	for _, name := range []string{"x", "x from client 198.51.100.9:1", "x on admin from client 198.51.100.9:1 ; y", "x\n", "x\n2019-07-25T19:13:39.000+0000 I ACCESS [conn13] y"} {
		in := accepted + "2019-07-25T19:13:39.000+0000 I ACCESS   [conn13] SASL SCRAM-SHA-1 authentication failed for " + name + " on admin from client 203.0.113.7:51842 ; UserNotFound: Could not find user " + name + "@admin\n" + success
		if got := string(artifacttest.Run(t, mongodb.New(), artifacttest.Input([]byte(in)))); strings.Count(got, "auth-accepted") != 1 || strings.Count(got, "auth-failed") != 1 || strings.Contains(got, "source.ip=198.51.100.9") {
			t.Errorf("%q: %s", name, got)
		}
	}
}
