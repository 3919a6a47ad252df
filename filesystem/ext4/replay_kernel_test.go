//go:build linux

package ext4_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
)

// crash copies an image while it is mounted, as a hypervisor's snapshot or a pulled plug leaves it.
func crash(t testing.TB, image string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "crashed")
	fstest.Run(t, "cp", "--sparse=always", image, out)
	return out
}

// busyDisk makes, renames, cuts and removes files, each step synchronised.
func busyDisk(t testing.TB, dir string) {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	synced := func(p string, b []byte) {
		t.Helper()
		f, err := os.Create(p)
		ok(err)
		_, err = f.Write(b)
		ok(err)
		ok(f.Sync())
		ok(f.Close())
	}
	for i := range 50 {
		sub := filepath.Join(dir, fmt.Sprintf("d%d", i%5))
		ok(os.MkdirAll(sub, 0o755))
		synced(filepath.Join(sub, fmt.Sprintf("file %d", i)), bytes.Repeat([]byte{byte(i), 0xc0, 0x3b, 0x39, 0x98}, 100+700*i))
	}
	ok(os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	ok(os.Rename(filepath.Join(dir, "d1/file 1"), filepath.Join(dir, "d2/moved")))
	ok(os.Link(filepath.Join(dir, "d2/file 2"), filepath.Join(dir, "d3/second name")))
	ok(os.Remove(filepath.Join(dir, "d4/file 4")))
	ok(os.RemoveAll(filepath.Join(dir, "d0"))) // directory blocks become revoked, and are used again
	for i := range 20 {
		synced(filepath.Join(dir, fmt.Sprintf("d3/again %d", i)), bytes.Repeat([]byte("again"), 5000))
	}
	ok(os.Truncate(filepath.Join(dir, "d3/file 3"), 17))
	f, err := os.OpenFile(filepath.Join(dir, "d3/file 8"), os.O_RDWR, 0)
	ok(err)
	_, err = f.WriteAt([]byte("far behind"), 5<<20)
	ok(err)
	ok(f.Sync())
	ok(f.Close())
}

// A crashed filesystem has to look, replayed in memory, as the kernel shows it after its own replay.
func TestReplayAsTheKernel(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	for _, tc := range []struct {
		name, mount string
		args        []string
	}{
		{"default", "rw", nil},
		{"1k", "rw", []string{"-b", "1024"}},
		{"no-checksums", "rw", []string{"-O", "^metadata_csum,^64bit"}},
		{"csum-no-64bit", "rw", []string{"-O", "metadata_csum,^64bit"}},
		{"ext3", "rw", []string{"-t", "ext3"}},
		{"data-journal", "rw,data=journal", nil},
		{"async-commit", "rw,journal_checksum,journal_async_commit", nil},
		{"fast-commit", "rw", []string{"-O", "fast_commit"}},
		{"fast-commit-inline", "rw", []string{"-O", "fast_commit,inline_data"}},
		{"orphan-file", "rw", []string{"-O", "orphan_file"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image := makeImage(t, 128<<20, tc.args...)
			dir, unmount := fstest.MountImage(t, image, tc.mount)
			if tc.name != "default" { // an earlier mount leaves older transactions in the ring
				busyDisk(t, filepath.Join(dir, "."))
				unmount()
				dir, unmount = fstest.MountImage(t, image, tc.mount)
				fstest.Run(t, "sh", "-c", "rm -rf "+dir+"/d*")
				os.Remove(filepath.Join(dir, "link"))
			}
			busyDisk(t, dir)
			ours, theirs := crash(t, image), crash(t, image)
			unmount()
			found := openImage(t, ours)
			if !found.Info().Dirty {
				t.Fatal("it is not said to be dirty")
			}
			v, did, err := found.Replay(context.Background())
			if err != nil || v == nil {
				t.Fatalf("replay: %v, %v", v, err)
			}
			dir, unmount = fstest.MountImage(t, theirs, "rw,noatime")
			want := fstest.KernelTree(t, dir)
			unmount()
			got := fstest.ReadTree(v)
			for _, err := range got.Errs {
				t.Errorf("reading: %v", err)
			}
			if strings.HasPrefix(tc.name, "fast") { // replaying a name, the kernel stamps its directory with the time of the replay
				for p, n := range want.Nodes {
					if n.Meta.Type == filesystem.Directory {
						n.Meta.Mtime, n.Meta.Ctime = got.Nodes[p].Meta.Mtime, got.Nodes[p].Meta.Ctime
						want.Nodes[p] = n
					}
				}
			}
			fstest.Compare(t, got, want)
			before := fstest.ReadTree(found)
			t.Logf("%d names on disk, %d replayed from %d transactions (%d blocks, %s to %s); %q", len(before.Nodes), len(got.Nodes), did.Transactions, did.Blocks, did.First, did.Last, did.Notes)
			if len(did.Notes) == 0 && strings.HasPrefix(tc.name, "fast") {
				t.Error("no fast commit was seen")
			}
			if reflect.DeepEqual(before.Nodes, got.Nodes) {
				t.Error("the view on disk is no older than the replayed one: nothing is tested")
			}
		})
	}
}
