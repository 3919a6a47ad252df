package fail2ban_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/fail2ban"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, fail2ban.New()) }

func TestOwnLog(t *testing.T) {
	artifacttest.GoldenAs(t, fail2ban.File(), "own.txt", "/var/log/fail2ban.log", "")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, fail2ban.New) }

func FuzzFile(f *testing.F) {
	artifacttest.Fuzz(f, fail2ban.File, "2024-07-09 03:00:02,388 fail2ban.actions        [123]: NOTICE  [sshd] Ban 203.0.113.6\n")
}
