package mdraid_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/volume"
	"telltale/volume/mdraid"
	"telltale/volume/volumetest"
)

// TestAsTheKernel reads all arrays that lab/volume-guest.sh made, whole and with every set of members
// missing that the level allows, and holds them against what the kernel read.
func TestAsTheKernel(t *testing.T) {
	dir := os.Getenv("TELLTALE_VOLUMES")
	if dir == "" {
		t.Skip("TELLTALE_VOLUMES is not set: lab/volume-guest.sh makes the images")
	}
	truths := volumetest.Truths(t, filepath.Join(dir, "md.truth"))
	for name, want := range truths {
		if strings.HasPrefix(name, "stale") {
			continue
		}
		ms := volumetest.Members(volumetest.Files(t, filepath.Join(dir, "md-"+name+"-?.img")))
		for lost := range 1 << len(ms) {
			var kept []volume.Member
			for i, m := range ms {
				if lost&(1<<i) == 0 {
					kept = append(kept, m)
				}
			}
			if len(ms)-len(kept) <= redundancy(name) {
				want.Equal(t, fmt.Sprintf("%s without %b", name, lost), volumetest.Make(t, mdraid.Manager(), kept, nil).Volumes[0])
			}
		}
	}
}

// redundancy gives how many members may be missing.
func redundancy(name string) int {
	switch {
	case strings.HasPrefix(name, "r6"), strings.HasPrefix(name, "r10-n3"):
		return 2
	case strings.HasPrefix(name, "r0"), strings.HasPrefix(name, "lin"), strings.HasPrefix(name, "zones"):
		return 0
	}
	return 1
}
