//go:build linux

package squashfs_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem/fstest"
	"telltale/filesystem/squashfs"
)

func TestKernelAgrees(t *testing.T) {
	fstest.NeedKernel(t, "mksquashfs")
	tree := fstest.PlantFolder(t, 300)
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"gzip", []string{"-comp", "gzip"}}, {"xz-bcj", []string{"-comp", "xz", "-Xbcj", "x86"}}, {"lzo", []string{"-comp", "lzo"}}, {"lz4", []string{"-comp", "lz4"}}, {"lz4-hc-1m", []string{"-comp", "lz4", "-Xhc", "-b", "1M"}},
		{"zstd", []string{"-comp", "zstd"}}, {"plain-4k", []string{"-noI", "-noD", "-noF", "-noX", "-b", "4096"}}, {"no-fragments", []string{"-no-fragments", "-no-exports"}}, {"always-fragments", []string{"-always-use-fragments"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image")
			fstest.Run(t, "mksquashfs", append([]string{tree, image, "-quiet", "-no-progress", "-xattrs"}, tc.args...)...)
			dir, unmount := fstest.MountImage(t, image, "ro")
			want := fstest.KernelTree(t, dir)
			unmount()
			f, err := os.Open(image)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			st, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			v, err := squashfs.Open(f, st.Size())
			if err != nil {
				t.Fatal(err)
			}
			got := fstest.ReadTree(v)
			for _, err := range got.Errs {
				t.Error(err)
			}
			for _, tree := range []fstest.Tree{got, want} { // one time, and numbers of our own
				for p, n := range tree.Nodes {
					n.Meta.Inode, n.Meta.Ref, n.Meta.Ctime, n.Meta.Atime, n.Meta.Mtime.Step = 0, evidence.Ref{}, evidence.Time{}, evidence.Time{}, time.Second
					tree.Nodes[p] = n
				}
			}
			fstest.Compare(t, got, want)
		})
	}
}
