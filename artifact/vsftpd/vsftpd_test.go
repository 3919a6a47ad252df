package vsftpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/vsftpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, vsftpd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, vsftpd.New) }

// TestOfSyslog: whole lines of the log, with its own stamp, in messages.
func TestOfSyslog(t *testing.T) {
	a := vsftpd.New()
	a.Parse = nil
	artifacttest.GoldenAs(t, a, "syslog.txt", "/var/log/syslog", "")
}
