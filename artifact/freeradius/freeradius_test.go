package freeradius_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/freeradius"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, freeradius.New(), "radius.txt", "/var/log/freeradius/radius.log", "")
}

func TestSniff(t *testing.T) {
	b, err := os.ReadFile("testdata/radius.txt")
	if err != nil || !freeradius.New().Sniff(b) || freeradius.New().Sniff([]byte("Jul  6 06:01:40 host x[1]: y\n")) {
		t.Error("its log is not told from others", err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/radius.txt")
	if err != nil {
		f.Fatal(err)
	}
	artifacttest.Fuzz(f, freeradius.New, string(b))
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, freeradius.Syslog) }
