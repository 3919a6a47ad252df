package suexec_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/suexec"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, suexec.New(), "suexec.txt", "/var/log/apache2/suexec.log", "")
	artifacttest.GoldenAs(t, suexec.New(), "debian12.txt", "/var/log/apache2/suexec.log", "")
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, suexec.New, "[2024-01-02 03:04:05]: uid: (1001/alice) gid: (1001/alice) cmd: php.cgi\n")
}
