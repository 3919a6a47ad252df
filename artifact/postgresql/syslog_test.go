package postgresql_test

import (
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/postgresql"
)

// TestPrefixInSyslog: a prefix that names the client is read where the daemon of syslog wrote the stamp, too.
func TestPrefixInSyslog(t *testing.T) {
	in := artifacttest.Input([]byte("May  5 10:11:12 db postgres[123]: [2-1] user=bob,db=shop,client=203.0.113.9 FATAL:  password authentication failed for user \"bob\"\n"))
	a := *postgresql.New()
	a.Parse = nil
	if got := string(artifacttest.Run(t, &a, in)); !strings.Contains(got, "user.name=bob source.ip=203.0.113.9") {
		t.Error(got)
	}
}
