package named_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/named"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, named.New()) }

func TestOwnLog(t *testing.T) {
	artifacttest.GoldenAs(t, named.File(), "own.txt", "/var/log/named/queries.log", "")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, named.New) }

func FuzzFile(f *testing.F) {
	artifacttest.Fuzz(f, named.File, "09-Jul-2024 03:00:00.372 error: client 203.0.113.4#52115: zone transfer 'example.org/AXFR/IN' denied\n")
}
