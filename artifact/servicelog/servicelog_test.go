package servicelog_test

import (
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/servicelog"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, servicelog.New(), "solr.log", "/var/log/solr/solr.log", "")
	artifacttest.GoldenAs(t, servicelog.New(), "rare.log", "/srv/any/logs/any.log", "")
	artifacttest.GoldenAs(t, servicelog.New(), "logins.txt", "/var/log/rabbitmq/rabbit.log", "")
	artifacttest.GoldenAs(t, servicelog.New(), "bitwarden.log", "/srv/bitwarden/logs/bitwarden.log", "")
}

// said gives the member that hears programs nobody knows, for one of them.
func said() *artifact.Artifact {
	a := servicelog.Said()
	a.Programs = []string{"znc", "asterisk", "solid-pop3d", "xinetd", "other"}
	return a
}

func TestSaid(t *testing.T) { artifacttest.GoldenAs(t, said(), "messages.log", "", "") }

func TestSniff(t *testing.T) {
	for head, want := range map[string]bool{
		"2019-11-26 01:04:49.008 +08:00 [WRN] Failed login attempt. 192.0.2.16\n":             true,
		"starting\n2019-11-26 01:04:49.008 +08:00 [WRN] Failed login attempt. 192.0.2.16\n":   true,
		"2019-11-26 01:04:49.008 +08:00 [INF] started\n":                                      false,
		"a page about what to do when a login failed from 192.0.2.16, written without a time": false,
		"2019-11-26 01:04:49 login failed, from nowhere\n":                                    false,
		"Apr 15, 2013 8:34:08 PM org.x warn\nWARNING: login failed from 192.0.2.16\n":         true,
	} {
		if servicelog.New().Sniff([]byte(head)) != want {
			t.Errorf("%q: %v", head, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, servicelog.New, "[Sat, 03 Jun 2023 06:41:12 GMT] 203.0.113.50 - - PUT /_config/query_servers/cmd 200\n2023-06-03 06:39:05,1 uid=0(root) gid=0(root) 1.2.3.4.5 curl",
		"t=2020-10-19T17:44:33+0200 msg=\"Invalid username or password\" remote_addr=192.0.2.12\n1386543323.0 login failed user='' 2001:db8::1:\n<x 2024-01-01 00:00:00 +0\n10/06/2013 15:50:42 bad login ip ::")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, said) }
