package packages_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/packages"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, packages.Status(), "status.txt", "/var/lib/dpkg/status", "")
	artifacttest.GoldenAs(t, packages.DpkgLog(), "dpkg.txt", "/var/log/dpkg.log", "")
	artifacttest.GoldenAs(t, packages.AptHistory(), "history.txt", "/var/log/apt/history.log", "")
}

func FuzzStatus(f *testing.F) { artifacttest.Fuzz(f, packages.Status, "Package: a\nVersion: 1\n\n") }

func FuzzDpkgLog(f *testing.F) {
	artifacttest.Fuzz(f, packages.DpkgLog, "2024-01-02 03:04:06 install a:b <none> 1\n")
}

func FuzzAptHistory(f *testing.F) {
	artifacttest.Fuzz(f, packages.AptHistory, "Start-Date: 2024-01-02  03:04:05\nCommandline: x\nEnd-Date: y\n")
}
