package lvm_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/volume/lvm"
	"telltale/volume/volumetest"
)

// TestAsTheKernel reads the groups that lab/volume-guest.sh made, and holds each volume against what the
// kernel read.
func TestAsTheKernel(t *testing.T) {
	dir := os.Getenv("TELLTALE_VOLUMES")
	if dir == "" {
		t.Skip("TELLTALE_VOLUMES is not set: lab/volume-guest.sh makes the images")
	}
	for _, set := range []string{"plain", "wrapped", "raid", "raid6", "thin", "cache"} {
		made := volumetest.Make(t, lvm.Manager(), volumetest.Members(volumetest.Files(t, filepath.Join(dir, set+"-?.img"))), nil)
		for name, want := range volumetest.Truths(t, filepath.Join(dir, set+".truth")) {
			want.Equal(t, set+"/"+name, made.Find(t, set+"/"+name))
		}
		t.Logf("%s", made.Describe())
	}
}
