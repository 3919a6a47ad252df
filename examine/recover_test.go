package examine

import (
	"os"
	"testing"

	"telltale/filesystem"
)

// A file and a folder can have had the same name, one after the other; all of them are written.
func TestRecoveredNamesThatMeet(t *testing.T) {
	for name, paths := range map[string][]string{
		"a folder has the file's name":           {"/w/cache/x", "/w/cache", "/w/cache"},
		"a file has the folder's name":           {"/w/cache", "/w/cache/x", "/w/cache/x"},
		"what was escaped is no name of another": {"/%by inode/7/x", "/x", "/x/y"},
		"names that lead elsewhere":              {"/../../x", "/./x", "//x", "/\x00", "/ "},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := os.OpenRoot(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			r := recoverer{root: root}
			seen := map[string]bool{}
			for _, p := range paths {
				f := filesystem.Recovered{Path: p}
				f.Meta.Inode = 7
				file, at, err := r.create("ext4:!", &f)
				if err != nil {
					t.Fatalf("%q: %v", p, err)
				}
				file.Close()
				if seen[at] {
					t.Errorf("%q is written to %q, as another was", p, at)
				}
				seen[at] = true
			}
		})
	}
}

// A link that somebody put into the folder does not lead out of it.
func TestRecoverFollowsNoLinkOut(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	if err := os.Symlink(other, dir+"/ext4"); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	r := recoverer{root: root}
	if f, at, err := r.create("ext4:!", &filesystem.Recovered{Path: "/x"}); err == nil {
		f.Close()
		t.Errorf("written to %q", at)
	}
	if e, _ := os.ReadDir(other); len(e) > 0 {
		t.Errorf("%q was written outside of the folder", e[0].Name())
	}
}
