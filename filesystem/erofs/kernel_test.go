//go:build linux

package erofs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/erofs"
	"telltale/filesystem/fstest"
)

func TestKernelAgrees(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.erofs")
	tree := fstest.PlantFolder(t, 300)
	os.Remove(filepath.Join(tree, strings.Repeat("n", 255))) // mkfs.erofs 1.5 stumbles over it
	os.Remove(filepath.Join(tree, "contiguous"))
	if err := os.Truncate(filepath.Join(tree, "sparse-0"), 3<<20); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile("/proc/self/exe"); err == nil { // something that packs, in many clusters
		os.WriteFile(filepath.Join(tree, "program"), b[:min(len(b), 3<<20)], 0o755)
	}
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"plain", nil}, {"compact", []string{"-Eforce-inode-compact", "--all-root", "-T1700000000"}}, {"extended", []string{"-Eforce-inode-extended"}}, {"no-inline", []string{"-Enoinline_data"}}, {"chunks", []string{"--chunksize=8192"}},
		{"lz4", []string{"-zlz4"}}, {"lz4-64k", []string{"-zlz4", "-C65536"}}, {"lz4hc-16k", []string{"-zlz4hc,3", "-C16384"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image")
			if out, err := exec.Command("mkfs.erofs", append(tc.args, image, tree)...).CombinedOutput(); err != nil {
				t.Skipf("this mkfs.erofs does not make it: %v %s", err, out[max(0, len(out)-300):])
			}
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
			v, err := erofs.Open(f, st.Size())
			if err != nil {
				t.Fatal(err)
			}
			got := fstest.ReadTree(v)
			for _, err := range got.Errs[:min(len(got.Errs), 5)] {
				t.Error(err)
			}
			for _, tree := range []fstest.Tree{got, want} { // one time, and numbers of our own
				for p, n := range tree.Nodes {
					n.Meta.Inode, n.Meta.Ref, n.Meta.Ctime, n.Meta.Atime, n.Meta.Crtime, n.Meta.Flags, n.Meta.Mtime.Step = 0, evidence.Ref{}, evidence.Time{}, evidence.Time{}, evidence.Time{}, 0, time.Second
					if n.Meta.Type == filesystem.CharDevice || n.Meta.Type == filesystem.BlockDevice {
						n.Meta.Size = 0
					}
					tree.Nodes[p] = n
				}
			}
			fstest.Compare(t, got, want)
		})
	}
}
