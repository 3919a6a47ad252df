package exim_test

import (
	"os"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/exim"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, exim.New()) }

func TestRejectlog(t *testing.T) {
	a := exim.New()
	a.Decode = nil
	artifacttest.GoldenAs(t, a, "rejectlog.txt", "/var/log/exim4/rejectlog", "")
}

func TestSniff(t *testing.T) {
	b, err := os.ReadFile("testdata/mainlog.log")
	if err != nil {
		t.Fatal(err)
	}
	if sniff := exim.New().Sniff; !sniff(b) || sniff([]byte("2024-07-09 03:00:01 x y\n")) || sniff(nil) {
		t.Error("a main log is not told from others")
	}
}

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, exim.New, "1sR0Ab-0001Xy-2Z <= \"a\\") }
