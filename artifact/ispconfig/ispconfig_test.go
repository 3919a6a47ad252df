package ispconfig_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/ispconfig"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, ispconfig.New(), "auth.txt", "/var/log/ispconfig/auth.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, ispconfig.New, "Failed login for user 'x' from '203.0.113.5' at 2024-01-02 03:04:05 with session ID abc\n")
}
