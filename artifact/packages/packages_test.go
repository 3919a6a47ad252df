package packages_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/packages"
	"telltale/internal/golden"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, packages.Status(), "status.txt", "/var/lib/dpkg/status", "")
	artifacttest.GoldenAs(t, packages.DpkgLog(), "dpkg.txt", "/var/log/dpkg.log", "")
	artifacttest.GoldenAs(t, packages.AptHistory(), "history.txt", "/var/log/apt/history.log", "")
}

// TestRPM reads rpm's database in two of its forms; package pkgdb tests them all.
func TestRPM(t *testing.T) {
	for _, name := range []string{"rpmdb.sqlite", "Packages.db"} {
		out := artifacttest.Run(t, packages.RPM(), artifacttest.Input(unzip(t, "../../host/pkgdb/testdata/"+name+".gz")))
		golden.Equal(t, "testdata/"+name+".golden", out)
	}
	artifacttest.GoldenAs(t, packages.Apk(), "apk.txt", "/lib/apk/db/installed", "")
}

func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, z); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzRPM(f *testing.F) {
	artifacttest.Fuzz(f, packages.RPM, string(unzip(f, "../../host/pkgdb/testdata/Packages.db.gz")))
}

func FuzzApk(f *testing.F) { artifacttest.Fuzz(f, packages.Apk, "P:a\nV:1\nA:x86_64\n\n") }

func FuzzStatus(f *testing.F) { artifacttest.Fuzz(f, packages.Status, "Package: a\nVersion: 1\n\n") }

func FuzzDpkgLog(f *testing.F) {
	artifacttest.Fuzz(f, packages.DpkgLog, "2024-01-02 03:04:06 install a:b <none> 1\n")
}

func FuzzAptHistory(f *testing.F) {
	artifacttest.Fuzz(f, packages.AptHistory, "Start-Date: 2024-01-02  03:04:05\nCommandline: x\nEnd-Date: y\n")
}
