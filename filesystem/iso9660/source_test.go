//go:build linux

package iso9660_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/iso9660"
)

const filling = `
mkdir -p many a/b/c/d/e/f/g/h/i/j/k/l/m
for i in $(seq 400); do echo $i >many/a-name-$i; done
for i in $(seq 1 37 1000); do head -c $i /dev/urandom >size-$i; done
for i in 10 100 245 300; do ln -s "$(head -c $i /dev/zero | tr '\0' x)" link-$i; done
head -c 3000000 /dev/urandom >big
ln -s /a/../b/./c odd; ln -s / root; ln -s ../.. up; echo d >a/b/c/d/e/f/g/h/i/j/k/l/m/deep
touch -- "$(head -c 240 /dev/zero | tr '\0' n)" ... " " -rf 'new
line'
mkfifo fifo; mknod char c 1 3; mknod block b 8 1; mknod wide c 300 70000
echo x >mode; chmod 6755 mode; chown 70000:4000000000 mode; touch -d 1969-01-01 size-1; touch -d 2050-03-01 size-38; ln big hard
`

// TestTheFilesItWasMadeOf: kernels without the filesystem are common, so an image is held against its source.
func TestTheFilesItWasMadeOf(t *testing.T) {
	if _, err := exec.LookPath("genisoimage"); err != nil {
		t.Skip("needs genisoimage")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to make devices")
	}
	tree := t.TempDir()
	fill := exec.Command("sh", "-euc", filling)
	fill.Dir = tree
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := fstest.KernelTree(t, tree)
	image := filepath.Join(t.TempDir(), "image")
	fstest.Run(t, "timeout", "20", "genisoimage", "-quiet", "-R", "-input-charset", "iso8859-1", "-output-charset", "iso8859-1", "-iso-level", "3", "-o", image, tree)
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	v, err := iso9660.Open(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	got := fstest.ReadTree(v)
	for _, err := range got.Errs {
		t.Error(err)
	}
	for _, tree := range []fstest.Tree{got, want} {
		for p, n := range tree.Nodes {
			m := &n.Meta
			m.Inode, m.Ref, m.Ctime, m.Atime, m.Crtime, m.Links, m.Flags = 0, evidence.Ref{}, evidence.Time{}, evidence.Time{}, evidence.Time{}, 0, 0
			m.Mtime.Nsec, m.Mtime.Step = 0, time.Second
			if m.Type == filesystem.Directory || m.Type == filesystem.Symlink {
				m.Size = 0
			}
			n.Xattrs = nil
			tree.Nodes[p] = n
			if p == "" || strings.HasPrefix(p, "/rr_moved") {
				delete(tree.Nodes, p)
			}
		}
	}
	fstest.Compare(t, got, want)
}
