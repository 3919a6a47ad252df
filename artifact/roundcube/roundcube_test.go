package roundcube_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/roundcube"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, roundcube.New()) }

func TestOwnLog(t *testing.T) {
	artifacttest.GoldenAs(t, roundcube.File(), "own.txt", "/var/log/roundcube/errors.log", "")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, roundcube.New) }

func FuzzFile(f *testing.F) {
	artifacttest.Fuzz(f, roundcube.File, "[09-Jul-2024 03:00:00 +0200]: FAILED login for amy from 203.0.113.6\n")
}
