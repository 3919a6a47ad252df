//go:build linux

package xfs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
)

func makeImage(t testing.TB, size int64, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if out, err := exec.Command("mkfs.xfs", append(append([]string{"-q", "-f"}, args...), path)...).CombinedOutput(); err != nil {
		t.Skipf("this mkfs.xfs does not make it: %s", bytes.TrimSpace(out))
	}
	return path
}

func TestKernelAgrees(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	files := 3000
	size := int64(1 << 30)
	if fstest.FullRun() {
		files, size = 100_000, 6<<30
	}
	for _, tc := range []struct {
		name  string
		files int
		args  []string
		full  bool // in full runs only
	}{
		{"default", files, nil, false},
		{"no-bigtime", 200, []string{"-m", "bigtime=0,inobtcount=0"}, false},
		{"rmapbt-reflink", 200, []string{"-m", "rmapbt=1,reflink=1"}, true},
		{"no-reflink-finobt", 200, []string{"-m", "reflink=0,finobt=0", "-i", "sparse=0"}, true},
		{"nrext64", 300, []string{"-i", "nrext64=1"}, false},
		{"1k-blocks", 300, []string{"-b", "size=1024"}, true},
		{"1k-blocks-dir-16k", 500, []string{"-b", "size=1024", "-n", "size=16384"}, false},
		{"dir-16k", 300, []string{"-n", "size=16384"}, true},
		{"dir-64k", 300, []string{"-n", "size=65536"}, false},
		{"64k-blocks", 100, []string{"-b", "size=65536"}, false},
		{"inode-2048", 300, []string{"-i", "size=2048"}, true},
		{"sector-4096", 200, []string{"-s", "size=4096"}, true},
		{"sparse-small-groups", 300, []string{"-d", "agcount=13", "-i", "sparse=1"}, true},
		{"v4", 200, []string{"-m", "crc=0"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.full && !fstest.FullRun() {
				t.Skip("in full runs only")
			}
			image := makeImage(t, size, tc.args...)
			dir, unmount := fstest.MountImage(t, image, "rw")
			fstest.Plant(t, dir, tc.files)
			unmount()
			dir, unmount = fstest.MountImage(t, image, "ro,noatime")
			want := fstest.KernelTree(t, dir)
			unmount()
			f := openImage(t, image)
			got := fstest.ReadTree(f)
			for _, err := range got.Errs {
				t.Errorf("reading: %v", err)
			}
			fstest.Compare(t, got, want)
			i := f.Info()
			if len(i.Notes) > 0 || i.Dirty {
				t.Errorf("a whole filesystem: dirty %v, notes %q", i.Dirty, i.Notes)
			}
			freeAgrees(t, f, got)
			t.Logf("%d names", len(want.Nodes))
		})
	}
}

// freeAgrees holds the free space against the content of all files: nothing may be in both.
func freeAgrees(t *testing.T, f *xfs.FS, tree fstest.Tree) {
	t.Helper()
	var free []filesystem.Extent
	total := int64(0)
	for e, err := range f.FreeSpace(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		free = append(free, e)
		total += e.Length
	}
	if total == 0 {
		t.Error("no free space at all")
	}
	for p, n := range tree.Nodes {
		extents, _ := f.Extents(n.Meta.Inode)
		for _, e := range extents {
			for _, x := range free {
				if e.Physical >= 0 && e.Physical < x.Physical+x.Length && x.Physical < e.Physical+e.Length {
					t.Fatalf("%q: %+v lies in free space %+v", p, e, x)
				}
			}
		}
	}
}

// A file deleted while open has no name; the snapshot of a running machine holds it.
func TestOrphansOfARunningMachine(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	image := makeImage(t, 320<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	content := bytes.Repeat([]byte("still open "), 5000)
	for i := range 3 {
		p := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(p, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	f := openImage(t, snapshot(t, image, dir))
	found := 0
	for m, err := range f.Orphans(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, m.Size)
		if n, err := f.ReadAt(m.Inode, got, 0); err != nil || !bytes.Equal(got[:n], content) {
			t.Errorf("inode %d: %d bytes, %v", m.Inode, n, err)
		}
		if found++; m.State != filesystem.Orphan {
			t.Errorf("state %d", m.State)
		}
	}
	if found != 3 {
		t.Errorf("%d orphans, want 3", found)
	}
	t.Cleanup(unmount)
}

// snapshot copies the image of a filesystem that is in use and frozen for the moment.
func snapshot(t testing.TB, image, dir string) string {
	t.Helper()
	fstest.Run(t, "fsfreeze", "-f", dir)
	copied := filepath.Join(t.TempDir(), "copy")
	out, err := exec.Command("cp", "--sparse=always", image, copied).CombinedOutput()
	fstest.Run(t, "fsfreeze", "-u", dir)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return copied
}

func openImage(t testing.TB, path string) *xfs.FS {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	st, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := xfs.Open(file, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}
