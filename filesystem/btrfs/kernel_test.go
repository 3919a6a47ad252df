//go:build linux

package btrfs_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/fstest"
)

const subvolumeBits = 1<<48 - 1 // of an inode number: the rest tells the subvolume

func makeImages(t testing.TB, n int, size int64, args ...string) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		path := filepath.Join(dir, fmt.Sprint(i))
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
		f.Close()
		paths = append(paths, path)
	}
	if out, err := exec.Command("mkfs.btrfs", append(append([]string{"-q", "-f"}, args...), paths...)...).CombinedOutput(); err != nil {
		t.Skipf("this mkfs.btrfs does not make it: %s", bytes.TrimSpace(out))
	}
	return paths
}

// loops attaches images to loop devices.
func loops(t testing.TB, images []string) (devices []string, detach func()) {
	t.Helper()
	for _, p := range images {
		out, err := exec.Command("losetup", "-f", "--show", p).CombinedOutput()
		if err != nil {
			t.Skipf("losetup: %v %s", err, out)
		}
		devices = append(devices, strings.TrimSpace(string(out)))
	}
	done := false
	detach = func() {
		if !done {
			done = true
			for _, d := range devices {
				exec.Command("btrfs", "device", "scan", "-u", d).Run()
				fstest.Run(t, "losetup", "-d", d)
			}
		}
	}
	t.Cleanup(detach)
	return devices, detach
}

// mountAll mounts a filesystem of one image or several.
func mountAll(t testing.TB, images []string, options string) (dir string, unmount func()) {
	t.Helper()
	devices, detach := loops(t, images)
	dir = t.TempDir()
	for _, d := range devices {
		options += ",device=" + d
	}
	if out, err := exec.Command("mount", "-t", "btrfs", "-o", options, devices[0], dir).CombinedOutput(); err != nil {
		detach()
		t.Skipf("this kernel does not mount it: %v %s", err, bytes.TrimSpace(out))
	}
	done := false
	unmount = func() {
		if !done {
			done = true
			fstest.Run(t, "umount", dir)
			detach()
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

func openImages(t testing.TB, paths ...string) *btrfs.FS {
	t.Helper()
	f, err := btrfs.Open(sources(t, paths...))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sources(t testing.TB, paths ...string) (ds []filesystem.Device) {
	t.Helper()
	for _, p := range paths {
		file, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		st, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		ds = append(ds, filesystem.Device{ReaderAt: file, Size: st.Size(), Name: filepath.Base(p)})
	}
	return ds
}

// kernelNumbers strips what tells subvolumes apart.
func kernelNumbers(out fstest.Tree) fstest.Tree {
	for p, n := range out.Nodes {
		n.Meta.Inode &= subvolumeBits
		out.Nodes[p] = n
	}
	return out
}

func compare(t *testing.T, f *btrfs.FS, want fstest.Tree) {
	t.Helper()
	got := kernelNumbers(fstest.ReadTree(f))
	for p, w := range want.Nodes { // where a subvolume is not: the kernel gives all of them the number 2, and some times of its own
		if g := got.Nodes[p]; w.Meta.Inode == 2 && g.Meta.Type == w.Meta.Type && g.Meta.Size == 0 && g.Meta.Mode == w.Meta.Mode {
			g.Meta.Ref = evidence.Ref{}
			want.Nodes[p] = g
		}
	}
	for i, err := range got.Errs {
		if i < 20 {
			t.Errorf("reading: %v", err)
		}
	}
	fstest.Compare(t, got, want)
	t.Logf("%d names", len(want.Nodes))
}

func TestKernelAgrees(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.btrfs", "losetup")
	files, size := 600, int64(1<<30)
	if fstest.FullRun() {
		files, size = 100_000, 8<<30
	}
	for _, tc := range []struct {
		name    string
		files   int
		size    int64
		devices int
		mount   string
		args    []string
	}{
		{"default", files, size, 1, "rw", nil},
		{"zlib", 60, 1 << 30, 1, "compress-force=zlib", nil},
		{"lzo", 60, 1 << 30, 1, "compress-force=lzo", nil},
		{"zstd", 60, 1 << 30, 1, "compress-force=zstd", nil},
		{"nodesize-4k", 60, 1 << 30, 1, "rw", []string{"-n", "4096"}},
		{"nodesize-64k", 60, 1 << 30, 1, "rw", []string{"-n", "65536"}},
		{"mixed", 60, 512 << 20, 1, "rw", []string{"-M"}},
		{"holes", 60, 1 << 30, 1, "rw", []string{"-O", "^no-holes"}},
		{"old-features", 60, 1 << 30, 1, "rw", []string{"-O", "^no-holes,^extref,^skinny-metadata", "-R", "^free-space-tree"}},
		{"sha256", 60, 1 << 30, 1, "rw", []string{"--csum", "sha256"}},
		{"xxhash", 60, 1 << 30, 1, "rw", []string{"--csum", "xxhash"}},
		{"blake2", 60, 1 << 30, 1, "rw", []string{"--csum", "blake2"}},
		{"block-group-tree", 60, 1 << 30, 1, "rw", []string{"-O", "block-group-tree"}},
		{"quota", 60, 1 << 30, 1, "rw", []string{"-R", "quota"}},
		{"nodatasum", 60, 1 << 30, 1, "nodatacow", nil},
		{"raid0", 60, 512 << 20, 3, "rw", []string{"-d", "raid0", "-m", "raid0"}},
		{"raid1", 60, 1 << 30, 2, "rw", []string{"-d", "raid1", "-m", "raid1"}},
		{"raid10", 60, 512 << 20, 4, "rw", []string{"-d", "raid10", "-m", "raid10"}},
		{"raid5", 60, 512 << 20, 4, "rw", []string{"-d", "raid5", "-m", "raid1"}},
		{"raid5-all", 60, 512 << 20, 3, "rw", []string{"-d", "raid5", "-m", "raid5"}},
		{"raid6", 60, 512 << 20, 5, "rw", []string{"-d", "raid6", "-m", "raid1c3"}},
		{"raid6-all", 60, 512 << 20, 4, "rw", []string{"-d", "raid6", "-m", "raid6"}},
		{"raid1c3", 60, 1 << 30, 3, "rw", []string{"-d", "raid1c3", "-m", "raid1c3"}},
		{"raid1c4", 60, 1 << 30, 4, "rw", []string{"-d", "raid1c4", "-m", "raid1c4"}},
		{"single", 60, 512 << 20, 2, "rw", []string{"-d", "single", "-m", "single"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !fstest.FullRun() && !strings.Contains(" default zstd lzo nodesize-64k mixed holes sha256 raid10 raid6-all ", " "+tc.name+" ") {
				t.Skip("only in full runs (TELLTALE_FULL)")
			}
			images := makeImages(t, tc.devices, tc.size, tc.args...)
			dir, unmount := mountAll(t, images, tc.mount)
			fstest.Plant(t, dir, tc.files)
			unmount()
			dir, unmount = mountAll(t, images, "ro")
			want := fstest.KernelTree(t, dir)
			unmount()
			f := openImages(t, images...)
			compare(t, f, want)
			if notes := f.Info().Notes; len(notes) > 0 && tc.devices == 1 {
				t.Errorf("notes on a whole filesystem: %q", notes)
			}
			if tc.devices > 1 {
				degraded(t, tc.name, images, want)
			}
		})
	}
}

// degraded reads with one device missing after another, and raid6 with two.
func degraded(t *testing.T, profile string, images []string, want fstest.Tree) {
	lossy := profile == "raid0" || profile == "single"
	try := func(without ...int) {
		t.Helper()
		var left []string
		for i, p := range images {
			if i != without[0] && i != without[len(without)-1] {
				left = append(left, p)
			}
		}
		f, err := btrfs.Open(sources(t, left...))
		if err != nil {
			if !lossy {
				t.Errorf("without %v: %v", without, err)
			}
			return
		}
		if len(f.Info().Notes) == 0 {
			t.Errorf("without %v: nothing is said of the missing device", without)
		}
		if !lossy {
			compare(t, f, want)
			return
		}
		got := kernelNumbers(fstest.ReadTree(f))
		if len(got.Errs) == 0 && !strings.Contains(strings.Join(f.Info().Notes, "\n"), "newest trees cannot be read") {
			t.Errorf("without %v: no damage", without)
		}
		for p, n := range got.Nodes {
			if n.Sum != want.Nodes[p].Sum && n.Sum != [32]byte{} && n.Meta.Type == filesystem.Regular {
				t.Errorf("without %v: %q has wrong bytes and no damage", without, p)
			}
		}
	}
	for i := range images {
		if i < 1 || fstest.FullRun() {
			try(i)
		}
	}
	if strings.HasPrefix(profile, "raid6") || profile == "raid1c3" {
		try(0, 2)
		if fstest.FullRun() {
			for i := range images {
				for j := range i {
					try(j, i)
				}
			}
		}
	}
}

// Subvolumes and snapshots within one another, as the kernel shows them.
func TestSubvolumes(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.btrfs", "losetup", "btrfs")
	images := makeImages(t, 1, 1<<30)
	dir, unmount := mountAll(t, images, "rw")
	sub := func(args ...string) { fstest.Run(t, "btrfs", append([]string{"subvolume"}, args...)...) }
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sub("create", dir+"/@")
	put("@/file", "one")
	sub("create", dir+"/@/inner")
	put("@/inner/file", "two")
	sub("create", dir+"/@/inner/deep")
	put("@/inner/deep/file", "three")
	sub("snapshot", "-r", dir+"/@", dir+"/snapshot-1")
	put("@/file", "changed")
	sub("snapshot", dir+"/@", dir+"/@/inner/snapshot-2")
	sub("create", dir+"/gone")
	put("gone/file", "gone")
	sub("delete", "-c", dir+"/gone")
	fstest.Run(t, "sync")
	unmount()
	check := func() *btrfs.FS {
		dir, unmount = mountAll(t, images, "ro")
		want := fstest.KernelTree(t, dir)
		unmount()
		f := openImages(t, images...)
		compare(t, f, want)
		return f
	}
	f := check()
	list, err := f.Subvolumes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byPath := make(map[string]filesystem.Subvolume)
	for _, s := range list {
		byPath[s.Path] = s
		t.Logf("%+v", s)
	}
	for _, p := range []string{"/", "/@", "/@/inner", "/@/inner/deep", "/snapshot-1", "/@/inner/snapshot-2"} {
		if _, ok := byPath[p]; !ok {
			t.Errorf("no subvolume %q", p)
		}
	}
	snap := byPath["/snapshot-1"]
	if !snap.ReadOnly || snap.Of != byPath["/@"].UUID || !snap.Made.Known() || snap.FS == nil {
		t.Errorf("snapshot is %+v", snap)
	}
	if n, ok := fstest.ReadTree(snap.FS).Nodes["/file"]; !ok || n.Meta.Size != 3 {
		t.Errorf("file of the snapshot is %+v", n)
	}
	dir, unmount = mountAll(t, images, "rw")
	sub("set-default", dir+"/@")
	unmount()
	check()
}

// What was fsynced is in the log only, until the next commit: 50 of 50 files must be there
// after replay, as the kernel's own replay has it.
func TestLogOfACrash(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.btrfs", "losetup", "btrfs")
	images := makeImages(t, 1, 1<<30)
	dir, unmount := mountAll(t, images, "commit=300")
	put := func(name string, b []byte, flags int, off int64) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), flags|os.O_WRONLY|os.O_CREATE, 0o640)
		if err == nil {
			_, err = f.WriteAt(b, off)
		}
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(os.MkdirAll(filepath.Join(dir, "a/b"), 0o755))
	for i := range 10 {
		put(fmt.Sprintf("a/old-%d", i), bytes.Repeat([]byte("old "), i*5000+1), 0, 0)
	}
	fstest.Run(t, "btrfs", "subvolume", "create", dir+"/sub")
	fstest.Run(t, "sync")
	for i := range 50 {
		put(fmt.Sprintf("a/b/new-%d", i), bytes.Repeat([]byte{byte(i)}, i*1777), 0, 0)
	}
	put("sub/new", []byte("in a subvolume"), 0, 0)
	put("a/old-5", bytes.Repeat([]byte("changed"), 2000), 0, 30_000)
	put("a/old-6", []byte("short"), os.O_TRUNC, 0)
	put("a/old-0", bytes.Repeat([]byte("no longer inline"), 1000), 0, 0)
	ok(os.Link(filepath.Join(dir, "a/old-7"), filepath.Join(dir, "a/link")))
	put("a/old-7", []byte("linked"), 0, 0)
	ok(os.Remove(filepath.Join(dir, "a/old-8")))
	d, err := os.Open(filepath.Join(dir, "a"))
	ok(err)
	ok(d.Sync())
	d.Close()
	crashed := filepath.Join(t.TempDir(), "crashed")
	fstest.Run(t, "cp", "--sparse=always", images[0], crashed)
	unmount()
	f := openImages(t, crashed)
	v, did, err := f.Replay(t.Context())
	ok(err)
	if v == nil {
		t.Skip("the kernel committed everything: there is no log")
	}
	t.Logf("%+v", did)
	got := kernelNumbers(fstest.ReadTree(v))
	before := fstest.ReadTree(f)
	found, had := 0, 0
	for i := range 50 {
		p := fmt.Sprintf("/a/b/new-%d", i)
		if _, ok := got.Nodes[p]; ok {
			found++
		}
		if _, ok := before.Nodes[p]; ok {
			had++
		}
	}
	t.Logf("%d of 50 fsynced files without replay, %d with", had, found)
	dir, unmount = mountAll(t, []string{crashed}, "noatime")
	want := fstest.KernelTree(t, dir)
	unmount()
	for _, err := range got.Errs {
		t.Errorf("reading: %v", err)
	}
	fstest.Compare(t, got, want)
}
