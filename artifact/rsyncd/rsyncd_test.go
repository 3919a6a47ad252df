package rsyncd_test

import (
	"os"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/rsyncd"
	"telltale/internal/golden"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, rsyncd.New()) }

// TestModules joins modules with the places that the configuration gives them.
func TestModules(t *testing.T) {
	b, err := os.ReadFile("testdata/debian12.log")
	if err != nil {
		t.Fatal(err)
	}
	in := artifacttest.Input(b)
	in.Host.Shares = map[string]artifact.Share{"www": {Path: "/var/www/html", Writable: true}, "plain": {Path: "/home/alice", Writable: true}, "ro": {Path: "/srv"}}
	golden.Equal(t, "testdata/modules.golden", artifacttest.Run(t, rsyncd.New(), in))
}

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, rsyncd.New) }
