package accesslog_test

import (
	"testing"

	"telltale/artifact/accesslog"
	"telltale/artifact/artifacttest"
)

func TestSyslog(t *testing.T) {
	artifacttest.GoldenAs(t, accesslog.Syslog(), "messages.txt", "/var/log/syslog", "")
}

func FuzzSyslog(f *testing.F) {
	artifacttest.Fuzz(f, accesslog.Syslog, `203.0.113.7 - - [11/Jan/2024:10:13:05 +0100] "HEAD / HTTP/1.1" 200 0`)
}
