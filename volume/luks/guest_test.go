package luks_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/volume"
	"telltale/volume/luks"
	"telltale/volume/volumetest"
)

// passphrase is that of all samples.
const passphrase = "open sesame"

// secret gives words in turn, then none.
func secret(words ...string) func(string, int) ([]byte, error) {
	return func(_ string, try int) ([]byte, error) {
		if try >= len(words) {
			return nil, volume.ErrNoSecret
		}
		return []byte(words[try]), nil
	}
}

// TestAsTheKernel decrypts the volumes that lab/volume-guest.sh made, and holds them against what the
// kernel read.
func TestAsTheKernel(t *testing.T) {
	dir := os.Getenv("TELLTALE_VOLUMES")
	if dir == "" {
		t.Skip("TELLTALE_VOLUMES is not set: lab/volume-guest.sh makes the images")
	}
	for name, want := range volumetest.Truths(t, filepath.Join(dir, "luks.truth")) {
		made := volumetest.Make(t, luks.Manager(), volumetest.Members(volumetest.Files(t, filepath.Join(dir, "luks-"+name+".img"))), secret("wrong", passphrase))
		if len(made.Volumes) != 1 {
			t.Errorf("%s: %s", name, made.Describe())
			continue
		}
		want.Equal(t, name, made.Volumes[0])
	}
}
