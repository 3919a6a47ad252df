//go:build linux

package ext4_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
)

// The Sleuth Kit lists the same files under the same inodes, and gives the same bytes of them.
func TestAsTheSleuthKit(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4", "fls", "icat")
	image := makeImage(t, 256<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	plantDeleted(t, dir, 200)
	unmount()
	out, err := exec.Command("fls", "-r", "-p", "-u", image).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		kind, rest, _ := strings.Cut(l, " ")
		inode, name, ok := strings.Cut(rest, ":\t")
		if ok && !strings.HasPrefix(kind, "V") {
			want["/"+name] = inode
		}
	}
	got := fstest.ReadTree(openImage(t, image))
	files := 0
	for _, p := range got.Paths() {
		n := got.Nodes[p]
		if p == "" {
			continue
		}
		if want[p] != fmt.Sprint(n.Meta.Inode) {
			t.Errorf("%q is inode %d, to The Sleuth Kit %q", p, n.Meta.Inode, want[p])
		}
		delete(want, p)
		if n.Meta.Type != filesystem.Regular {
			continue
		}
		b, err := exec.Command("icat", image, fmt.Sprint(n.Meta.Inode)).Output()
		if err != nil || !bytes.Equal(n.Sum[:], sum(b)) {
			t.Errorf("%q: content differs from icat's (%v)", p, err)
		}
		files++
	}
	if len(want) > 0 || files < 200 {
		t.Errorf("not found: %v; %d files", want, files)
	}
	t.Logf("%d names, %d files with their content", len(got.Nodes), files)
}

func sum(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
