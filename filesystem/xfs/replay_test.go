//go:build linux

package xfs_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
)

// What was fsynced before the machine stopped must be there in the replayed view, and
// the view must be what the kernel makes of the image.
func TestReplayAgreesWithTheKernel(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs", "xfs_io")
	for name, args := range map[string][]string{"default": nil, "rmapbt-nrext64": {"-m", "rmapbt=1,reflink=1", "-i", "nrext64=1"},
		"no-bigtime-1k": {"-b", "size=1024", "-n", "size=8192", "-m", "bigtime=0,reflink=0"}, "stripe": {"-l", "version=2,su=65536", "-b", "size=4096"}} {
		t.Run(name, func(t *testing.T) {
			image := makeImage(t, 400<<20, args...)
			dir, unmount := fstest.MountImage(t, image, "rw")
			rng := rand.New(rand.NewPCG(1, 2))
			churn(t, dir, rng, 400)
			fstest.Run(t, "sync")
			unmount()
			dir, unmount = fstest.MountImage(t, image, "rw")
			churn(t, dir, rng, 600)
			want := synced(t, filepath.Join(dir, "d0"), 50)
			stopped := snapshotStopped(t, image, dir)
			unmount()

			f := openImage(t, stopped)
			if !f.Info().Dirty {
				t.Error("not dirty")
			}
			before := 0
			for p := range fstest.ReadTree(f).Nodes {
				if _, ok := want[p]; ok {
					before++
				}
			}
			view, done, err := f.Replay(context.Background())
			if err != nil || view == nil {
				t.Fatalf("replay: %v, %v", view, err)
			}
			t.Logf("%d of 50 on disk; %+v", before, done)
			got := fstest.ReadTree(view)
			for _, err := range got.Errs {
				t.Errorf("reading: %v", err)
			}
			for p, content := range want {
				m := got.Nodes[p].Meta
				b := make([]byte, len(content))
				if n, err := view.ReadAt(m.Inode, b, 0); m.Inode == 0 || err != nil && n < len(b) || !bytes.Equal(b, content) {
					t.Errorf("%s: inode %d, %v", p, m.Inode, err)
				}
			}
			for _, n := range view.Info().Notes {
				t.Logf("note %s", n)
			}
			freeAgrees(t, view.(*xfs.FS), got)
			dir, unmount = fstest.MountImage(t, stopped, "rw,noatime")
			tree := fstest.KernelTree(t, dir)
			unmount()
			fstest.Compare(t, got, tree)
			if f := openImage(t, stopped); f.Info().Dirty {
				t.Error("dirty after the kernel unmounted it")
			} else if view, _, err := f.Replay(context.Background()); view != nil || err != nil {
				t.Errorf("a clean log: %v, %v", view, err)
			}
		})
	}
}

// churn makes, grows, renames and removes files.
func churn(t testing.TB, dir string, rng *rand.Rand, n int) {
	t.Helper()
	ok := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		d := filepath.Join(dir, fmt.Sprintf("d%d/e%d", rng.IntN(4), rng.IntN(3)))
		ok(os.MkdirAll(d, 0o755))
		p := filepath.Join(d, fmt.Sprintf("file-%d", rng.IntN(n/2)))
		switch rng.IntN(8) {
		case 0:
			os.Remove(p)
		case 1:
			os.Rename(p, p+"-renamed")
		case 2:
			os.Symlink(p, p+"-link")
		case 3:
			os.Link(p, p+fmt.Sprint("-hard", i))
		case 4:
			os.WriteFile(p, nil, 0o600)
			unix.Setxattr(p, "user.x", bytes.Repeat([]byte("x"), rng.IntN(3000)), 0)
		default:
			f, err := os.OpenFile(p, os.O_CREATE|os.O_RDWR, 0o644)
			ok(err)
			_, err = f.WriteAt(bytes.Repeat([]byte{byte(i)}, rng.IntN(30_000)), int64(rng.IntN(200_000)))
			ok(err)
			if rng.IntN(3) == 0 {
				ok(f.Sync())
			}
			f.Close()
		}
	}
}

// synced writes files and waits until they are on disk.
func synced(t testing.TB, dir string, n int) map[string][]byte {
	t.Helper()
	want := make(map[string][]byte)
	for i := range n {
		name := fmt.Sprintf("synced-%d", i)
		content := bytes.Repeat([]byte(fmt.Sprintf("content %d ", i)), 1+i*37)
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		want["/"+filepath.Base(dir)+"/"+name] = content
	}
	return want
}

// snapshotStopped stops the filesystem with its log written, and copies the image.
func snapshotStopped(t testing.TB, image, dir string) string {
	t.Helper()
	fstest.Run(t, "xfs_io", "-x", "-c", "shutdown -f", dir)
	fstest.Run(t, "sync")
	copied := filepath.Join(t.TempDir(), "copy")
	if out, err := exec.Command("cp", "--sparse=always", image, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return copied
}

// The last record may have been written in part only: the kernel leaves it out, and so
// must the view.
func TestTornRecord(t *testing.T) {
	raw := unpack(t, "testdata/dirty.img.gz")
	last, newest := 0, uint64(0)
	for off := 0; off+512 <= len(raw); off += 512 {
		if binary.BigEndian.Uint32(raw[off:]) == 0xfeedbabe && binary.BigEndian.Uint32(raw[off+40:]) > 0 {
			if lsn := binary.BigEndian.Uint64(raw[off+16:]); lsn > newest {
				last, newest = off, lsn
			}
		}
	}
	whole, before, err := openSample(t, raw).Replay(context.Background())
	if err != nil || whole == nil {
		t.Fatal(err)
	}
	raw[last+512+100] ^= 0xff
	view, done, err := openSample(t, raw).Replay(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if view == nil || done.Transactions >= before.Transactions || len(done.Notes) == 0 {
		t.Fatalf("%+v, of the whole log %+v", done, before)
	}
	fstest.NeedKernel(t)
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	got := fstest.ReadTree(view)
	dir, unmount := fstest.MountImage(t, image, "rw,noatime")
	tree := fstest.KernelTree(t, dir)
	unmount()
	fstest.Compare(t, got, tree)
}
