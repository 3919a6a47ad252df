package terminal

import (
	"bytes"
	"strings"
	"testing"

	"telltale/story"
)

// TestPatches: the first screen has the first ones, the rest of the document all; nothing of them steers a terminal.
func TestPatches(t *testing.T) {
	d := document()
	for range 5 {
		d.Patches = append(d.Patches, story.Patch{Software: "exim4\x1b[2J", Version: "4.89", Fixed: "4.92", CVE: []string{"CVE-2019-10149"}, Status: "exposed", Exploited: true, What: "run commands"})
	}
	for full, want := range map[bool]int{false: maxPatches, true: 5} {
		var b bytes.Buffer
		if err := Write(&b, d, Options{Width: 100, Full: full}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "exposed "); n != want || strings.Contains(b.String(), "\x1b") {
			t.Errorf("full %v: %d patches in\n%s", full, n, b.String())
		}
	}
}
