//go:build linux

package xfs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
)

// makeSmallLog makes a filesystem with a log that a few thousand changes wrap, which
// mkfs.xfs does for its own tests only.
func makeSmallLog(t testing.TB, size int64) string {
	t.Helper()
	for _, name := range []string{"TEST_DIR", "TEST_DEV", "QA_CHECK_FS"} {
		os.Setenv(name, "1")
		defer os.Unsetenv(name)
	}
	return makeImage(t, size, "-l", "size=8m", "-d", "agcount=3")
}

// wrap changes so much that the log goes round.
func wrap(t testing.TB, dir string, rounds int) {
	t.Helper()
	for r := range rounds {
		d := filepath.Join(dir, fmt.Sprint("round", r))
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			if err := os.WriteFile(filepath.Join(d, fmt.Sprintf("a file to fill the log with %d", i)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fstest.Run(t, "sync")
		if r%2 == 1 {
			if err := os.RemoveAll(d); err != nil {
				t.Fatal(err)
			}
		}
		fstest.Run(t, "sync")
	}
}

func TestReplayOfALogThatWentRound(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs", "xfs_io")
	image := makeSmallLog(t, 400<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	rng := rand.New(rand.NewPCG(5, 6))
	wrap(t, dir, 8)
	churn(t, dir, rng, 600)
	want := synced(t, filepath.Join(dir, "d0"), 50)
	stopped := snapshotStopped(t, image, dir)
	unmount()
	f := openImage(t, stopped)
	h, _ := f.Deleted(context.Background())
	t.Logf("%+v", h)
	view, done, err := f.Replay(context.Background())
	if err != nil || view == nil {
		t.Fatalf("replay: %v, %v", view, err)
	}
	t.Logf("%+v", done)
	got := fstest.ReadTree(view)
	for _, err := range got.Errs {
		t.Errorf("reading: %v", err)
	}
	for p := range want {
		if _, ok := got.Nodes[p]; !ok {
			t.Errorf("%s is missing", p)
		}
	}
	dir, unmount = fstest.MountImage(t, stopped, "rw,noatime")
	tree := fstest.KernelTree(t, dir)
	unmount()
	fstest.Compare(t, got, tree)
}

// When the log has gone round, what lies in inode records and directories is left.
func TestDeletedBeforeTheLogWentRound(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	image := makeSmallLog(t, 1<<30)
	dir, unmount := fstest.MountImage(t, image, "rw")
	var files []string
	for i := range 3000 {
		files = append(files, filepath.Join(dir, fmt.Sprintf("a file that stays and is changed %d", i)))
		if err := os.WriteFile(files[i], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := plantDoomed(t, dir, 200)
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	if err := os.RemoveAll(filepath.Join(dir, "doomed")); err != nil {
		t.Fatal(err)
	}
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	for round := range 12 {
		for _, p := range files {
			if err := os.Chmod(filepath.Join(dir, filepath.Base(p)), os.FileMode(0o600+round)); err != nil {
				t.Fatal(err)
			}
		}
		fstest.Run(t, "sync")
	}
	unmount()
	h, found := openImage(t, image).Deleted(context.Background())
	t.Logf("%+v", h)
	whole, begin, other, named := 0, 0, 0, 0
	for r, err := range found {
		if err != nil {
			t.Errorf("fault: %v", err)
			continue
		}
		if r.Meta.Type != filesystem.Regular || r.Meta.Size == 0 || r.Meta.Size > 8<<20 {
			continue
		}
		b := make([]byte, r.Meta.Size)
		n, _ := r.Content.ReadAt(b, 0)
		switch hit := match(b[:n], want); {
		case hit == nil:
			other++
		case len(hit) == n:
			whole++
		default:
			begin++
		}
		if r.Path != "" {
			named++
		}
	}
	t.Logf("of 200: %d byte-exact, %d begin with the right content (size by extents), %d with names, %d others", whole, begin, named, other)
	if whole+begin < 40 {
		t.Errorf("only %d came back", whole+begin)
	}
}

// match gives the file that b is or begins with.
func match(b []byte, want map[string][]byte) []byte {
	for _, w := range want {
		if len(w) <= len(b) && string(b[:len(w)]) == string(w) {
			return w
		}
	}
	return nil
}
