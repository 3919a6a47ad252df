package dovecot_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/dovecot"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, dovecot.New()) }

func TestOwnLog(t *testing.T) {
	artifacttest.GoldenAs(t, dovecot.File(), "own.txt", "/var/log/dovecot.log", "")
	artifacttest.GoldenAs(t, dovecot.File(), "debian12.txt", "/var/log/dovecot.log", "")
	artifacttest.GoldenAs(t, dovecot.File(), "old.txt", "/var/log/dovecot.log", "")
}

func FuzzFile(f *testing.F) {
	artifacttest.Fuzz(f, dovecot.File, "Jul 09 03:02:00 imap-login: Info: Login: user=<amy>, method=PLAIN, rip=198.51.100.2\n")
}

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, dovecot.New) }
