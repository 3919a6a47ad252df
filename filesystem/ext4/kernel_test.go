//go:build linux

package ext4_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
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
	if out, err := exec.Command("mkfs.ext4", append(append([]string{"-q", "-F"}, args...), path)...).CombinedOutput(); err != nil {
		t.Skipf("this mkfs.ext4 does not make it: %s", bytes.TrimSpace(out))
	}
	return path
}

func TestKernelAgrees(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	files, size := 3000, int64(256<<20)
	if fstest.FullRun() {
		files, size = 100_000, 4<<30
	}
	for _, tc := range []struct {
		name  string
		files int
		size  int64
		args  []string
	}{
		{"default", files, size, nil},
		{"1k-blocks", 300, 128 << 20, []string{"-b", "1024"}},
		{"2k-blocks-inode-512", 200, 128 << 20, []string{"-b", "2048", "-I", "512"}},
		{"ext2", 300, 128 << 20, []string{"-t", "ext2"}},
		{"ext2-1k", 300, 128 << 20, []string{"-t", "ext2", "-b", "1024"}},
		{"ext2-bare", 200, 128 << 20, []string{"-t", "ext2", "-b", "1024", "-I", "128", "-O", "none"}},
		{"ext3", 300, 128 << 20, []string{"-t", "ext3"}},
		{"inode-128", 300, 128 << 20, []string{"-I", "128"}},
		{"inline-256", 500, 128 << 20, []string{"-I", "256", "-O", "inline_data"}},
		{"inline-1024", 500, 128 << 20, []string{"-I", "1024", "-O", "inline_data"}},
		{"ea-inode", 200, 128 << 20, []string{"-O", "ea_inode"}},
		{"meta-bg-1k", 300, 256 << 20, []string{"-b", "1024", "-O", "meta_bg,^resize_inode"}},
		{"no-64bit", 200, 128 << 20, []string{"-O", "^64bit"}},
		{"uninit-bg", 200, 128 << 20, []string{"-O", "^metadata_csum,uninit_bg"}},
		{"csum-seed-sparse2", 200, 128 << 20, []string{"-O", "metadata_csum_seed,sparse_super2"}},
		{"bigalloc", 200, 256 << 20, []string{"-O", "bigalloc", "-C", "65536"}},
		{"casefold", 200, 128 << 20, []string{"-O", "casefold"}},
		{"no-flex-bg", 200, 128 << 20, []string{"-O", "^flex_bg"}},
		{"orphan-file", 200, 128 << 20, []string{"-O", "orphan_file"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image := makeImage(t, tc.size, tc.args...)
			dir, unmount := fstest.MountImage(t, image, "user_xattr,acl")
			fstest.Plant(t, dir, tc.files)
			unmount()
			dir, unmount = fstest.MountImage(t, image, "ro")
			want := fstest.KernelTree(t, dir)
			unmount()
			got := fstest.ReadTree(openImage(t, image))
			for _, err := range got.Errs {
				t.Errorf("reading: %v", err)
			}
			fstest.Compare(t, got, want)
			if notes := openImage(t, image).Info().Notes; len(notes) > 0 {
				t.Errorf("notes on a whole filesystem: %q", notes)
			}
			t.Logf("%d names", len(want.Nodes))
		})
	}
}

// A file deleted while open has no name; the snapshot of a running machine holds it.
func TestOrphansOfARunningMachine(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	for name, args := range map[string][]string{"chain": {"-O", "^orphan_file"}, "file": {"-O", "orphan_file"}} {
		t.Run(name, func(t *testing.T) {
			image := makeImage(t, 64<<20, args...)
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
			fstest.Run(t, "fsfreeze", "-f", dir)
			raw, err := os.ReadFile(image)
			fstest.Run(t, "fsfreeze", "-u", dir)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(t.TempDir(), "copy")
			if err := os.WriteFile(copied, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			f := openImage(t, copied)
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
		})
	}
}

func openImage(t testing.TB, path string) *ext4.FS {
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
	f, err := ext4.Open(file, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}
