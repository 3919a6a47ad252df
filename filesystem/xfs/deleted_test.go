//go:build linux

package xfs_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
)

// Of 200 files deleted with their directories all should come back, with their paths.
func TestDeletedFilesComeBack(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	for _, tc := range []struct {
		name    string
		args    []string
		remount bool
		snap    bool // looked at while it is mounted
		min     int
		full    bool // in full runs only
	}{
		{"default", nil, true, false, 195, false},
		{"no-remount", nil, false, false, 180, true},
		{"bigtime-rmapbt-reflink", []string{"-m", "bigtime=1,rmapbt=1,reflink=1"}, true, false, 195, true},
		{"nrext64", []string{"-i", "nrext64=1"}, true, false, 195, false},
		{"1k-dir-8k", []string{"-b", "size=1024", "-n", "size=8192"}, true, false, 190, true},
		{"stopped", nil, true, true, 195, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.full && !fstest.FullRun() {
				t.Skip("in full runs only")
			}
			image := makeImage(t, 2<<30, tc.args...)
			dir, unmount := fstest.MountImage(t, image, "rw")
			want := plantDoomed(t, dir, 200)
			fstest.Run(t, "sync")
			if tc.remount {
				unmount()
				dir, unmount = fstest.MountImage(t, image, "rw")
			}
			if err := os.RemoveAll(filepath.Join(dir, "doomed")); err != nil {
				t.Fatal(err)
			}
			fstest.Run(t, "sync", "-f", dir) // inodes are freed in the background
			if tc.snap {
				image = snapshotStopped(t, image, dir)
			}
			unmount()
			exact, named := comeBack(t, openImage(t, image), want)
			t.Logf("%d of %d byte-exact, %d with their paths", exact, len(want), named)
			if exact < tc.min || named < tc.min {
				t.Errorf("%d exact and %d named of %d", exact, named, len(want))
			}
		})
	}
}

// plantDoomed writes files of 1 KB to 3 MB in nested directories, some in many pieces, and
// some that stay.
func plantDoomed(t testing.TB, dir string, n int) map[string][]byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	want := make(map[string][]byte)
	for i := range n {
		sub := filepath.Join("doomed", fmt.Sprint("a", i%7), fmt.Sprint("b", i%3))
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		content := make([]byte, 1024+rng.IntN(3<<20)>>rng.IntN(10))
		for j := 0; j+8 < len(content); j += 8 {
			content[j], content[j+5] = byte(rng.Uint32()), byte(i)
		}
		p := filepath.Join(sub, fmt.Sprintf("file %d", i))
		f, err := os.Create(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case i%10 == 3: // punched: many extents
			if _, err := f.Write(content); err != nil {
				t.Fatal(err)
			}
			f.Sync()
			for off := 0; off+16384 < len(content); off += 16384 {
				if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(off), 8192); err != nil {
					t.Fatal(err)
				}
				clear(content[off : off+8192])
			}
		default:
			if _, err := f.Write(content); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		want["/"+p] = content
		if i%5 == 0 {
			os.WriteFile(filepath.Join(dir, fmt.Sprint("stays", i)), content[:1000], 0o600)
		}
	}
	return want
}

// comeBack counts the files that were found whole, and those of them with their paths.
func comeBack(t testing.TB, f *xfs.FS, want map[string][]byte) (exact, named int) {
	t.Helper()
	h, found := f.Deleted(context.Background())
	t.Logf("history %+v", h)
	bySum := make(map[string]string)
	for p, b := range want {
		bySum[string(b)] = p
	}
	seen := make(map[string]bool)
	why := 0
	for r, err := range found {
		if err != nil {
			t.Errorf("fault: %v", err)
			continue
		}
		if r.Meta.Type != filesystem.Regular || r.Meta.Size > 4<<20 {
			continue
		}
		b := make([]byte, r.Meta.Size)
		n, err := r.Content.ReadAt(b, 0)
		p, ok := bySum[string(b[:n])]
		if !ok {
			if why++; why < 10 {
				t.Logf("not one of them: %q of %d bytes (%v) from %s by %s, %d extents, free %d, reused %d, after %s before %s", r.Path, r.Meta.Size, err, r.From, r.PathFrom, len(r.Extents), r.Free, r.Reused, r.After, r.Before)
			}
			continue
		}
		if seen[p] {
			continue
		}
		seen[p] = true
		exact++
		if r.Path == p {
			named++
		} else {
			t.Logf("%q came back as %q by %s", p, r.Path, r.PathFrom)
		}
		if !r.Whole() || r.Meta.State == filesystem.Live || r.After.After(r.Before) {
			t.Errorf("%q: %+v", p, r)
		}
	}
	for p, b := range want {
		if !seen[p] {
			t.Logf("missing %q of %d bytes", p, len(b))
		}
	}
	return exact, named
}

// An inode number that is used again must not mix the old file with the new one.
func TestUsedAgain(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	image := makeImage(t, 400<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	old, young := bytes.Repeat([]byte("the old one "), 3000), bytes.Repeat([]byte("the new one "), 100)
	write := func(name string, b []byte) (inode uint64) {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		fstest.Run(t, "sync")
		var st unix.Stat_t
		if err := unix.Stat(p, &st); err != nil {
			t.Fatal(err)
		}
		return st.Ino
	}
	write("keeps the chunk", old[:10])
	a := write("old", old)
	os.Remove(filepath.Join(dir, "old"))
	unmount() // the inode is freed in the background, at the latest now
	dir, unmount = fstest.MountImage(t, image, "rw")
	b := write("new", young)
	unmount()
	if a != b {
		t.Skipf("the kernel did not use inode %d again", a)
	}
	_, found := openImage(t, image).Deleted(context.Background())
	n := 0
	for r, err := range found {
		if err != nil {
			t.Fatal(err)
		}
		n++
		got := make([]byte, r.Meta.Size)
		r.Content.ReadAt(got, 0)
		if r.Path != "/old" || int(r.Meta.Size) != len(old) || r.Whole() != bytes.Equal(got, old) {
			t.Errorf("%q of %d bytes, reused %d", r.Path, r.Meta.Size, r.Reused)
		}
	}
	if n != 1 {
		t.Errorf("%d deleted files, want 1", n)
	}
}

// What is deleted but open is found with its name.
func TestDeletedWhileOpen(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs", "xfs_io")
	image := makeImage(t, 400<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	content := bytes.Repeat([]byte("still open "), 5000)
	p := filepath.Join(dir, "held")
	if err := os.WriteFile(p, content, 0o600); err != nil {
		t.Fatal(err)
	}
	fstest.Run(t, "sync")
	held, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(p)
	image = snapshotStopped(t, image, dir)
	held.Close()
	unmount()
	_, found := openImage(t, image).Deleted(context.Background())
	n := 0
	for r, err := range found {
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(content))
		if _, err := r.Content.ReadAt(got, 0); r.Meta.State == filesystem.Orphan && bytes.Equal(got, content) && r.Path == "/held" && r.Whole() {
			n++
		} else {
			t.Errorf("%q %+v, %v", r.Path, r.Meta, err)
		}
	}
	if n != 1 {
		t.Errorf("found %d times", n)
	}
}
