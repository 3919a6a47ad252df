package files_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/files"
)

// TestLockedFiles: a second ending behind the files' own is something beside a note that asks for ransom, and nothing without it.
func TestLockedFiles(t *testing.T) {
	const note = "- file file.type=file file.mode=644 file.uid=0 file.path=/home/felix/README_TO_DECRYPT.txt \"file.facts=script() does(ransom-note)\"\n"
	locked := func(n int, ending string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "- file file.type=file file.mode=644 file.uid=0 file.path=/home/felix/doc%d.pdf%s file.mtime=2024-01-02T03:00:0%dZ\n", i, ending, i%10)
		}
		return b.String()
	}
	for _, tc := range []struct {
		name, events string
		want         int64
	}{
		{"beside a note", locked(12, ".locked") + note, 12},
		{"two endings, the commoner counts", locked(4, ".x9f") + locked(12, ".locked") + note, 12},
		{"beside none of them", locked(12, ".locked") + strings.Replace(note, "/home/felix/", "/srv/training/", 1), 0},
		{"a note for the whole server", locked(12, ".locked") + strings.Replace(note, "/home/felix/", "/root/", 1), 12},
		{"no note", locked(12, ".locked"), 0},
		{"an ending that programs give", locked(12, ".gpg") + note, 0},
		{"too few", locked(2, ".locked") + note, 0},
	} {
		var got int64
		for _, f := range detecttest.Of(detecttest.Run(t, files.New(), detecttest.Scene(), tc.events), detect.OddFile) {
			if f.Mechanism == "locked" {
				got = f.Count
			}
		}
		if got != tc.want {
			t.Errorf("%s: %d files, want %d", tc.name, got, tc.want)
		}
	}
}
