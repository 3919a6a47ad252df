//go:build linux

package ext4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/evidence"
	"telltale/filesystem"
)

// Full runs build 100,000 files; plain ones about 3,000.
func fullRun() bool { return os.Getenv("TELLTALE_FULL") != "" }

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// needKernel skips where the kernel cannot be asked for its reading of an image.
func needKernel(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount images")
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount", "fsfreeze"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Skip("needs loop devices")
	}
}

// mountImage mounts an image and gives the place; it is unmounted at the end or by
// the function that is returned.
func mountImage(t testing.TB, image, options string) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-o", "loop,"+options, image, dir).CombinedOutput(); err != nil {
		t.Skipf("this kernel does not mount it: %v %s", err, bytes.TrimSpace(out))
	}
	done := false
	unmount = func() {
		if !done {
			done = true
			run(t, "umount", dir)
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

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
	needKernel(t)
	files, size := 3000, int64(256<<20)
	if fullRun() {
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
			dir, unmount := mountImage(t, image, "user_xattr,acl")
			plant(t, dir, tc.files)
			unmount()
			dir, unmount = mountImage(t, image, "ro")
			want := kernelTree(t, dir)
			unmount()
			got := readTree(openImage(t, image))
			for _, err := range got.errs {
				t.Errorf("reading: %v", err)
			}
			compare(t, got, want)
			if notes := openImage(t, image).Info().Notes; len(notes) > 0 {
				t.Errorf("notes on a whole filesystem: %q", notes)
			}
			t.Logf("%d names", len(want.nodes))
		})
	}
}

func compare(t *testing.T, got, want tree) {
	t.Helper()
	wrong := 0
	fail := func(p string, format string, a ...any) {
		if wrong++; wrong <= 20 {
			t.Errorf("%q: "+format, append([]any{p}, a...)...)
		}
	}
	for _, p := range want.paths() {
		w := want.nodes[p]
		g, ok := got.nodes[p]
		if !ok {
			fail(p, "not found")
			continue
		}
		g.meta.Ref = evidence.Ref{}
		g.meta.Flags &= filesystem.Immutable | filesystem.AppendOnly
		if g.meta != w.meta {
			fail(p, "\n got %+v\nwant %+v", g.meta, w.meta)
		}
		if g.target != w.target {
			fail(p, "symlink to %q, want %q", g.target, w.target)
		}
		if g.sum != w.sum {
			fail(p, "content of %d bytes differs", w.meta.Size)
		}
		for k, v := range w.xattrs {
			if !bytes.Equal(g.xattrs[k], v) {
				fail(p, "xattr %q is %.40q, want %.40q", k, g.xattrs[k], v)
			}
		}
		if len(g.xattrs) != len(w.xattrs) {
			fail(p, "%d xattrs, want %d", len(g.xattrs), len(w.xattrs))
		}
	}
	for _, p := range got.paths() {
		if _, ok := want.nodes[p]; !ok {
			fail(p, "there is no such file")
		}
	}
	if wrong > 0 {
		t.Errorf("%d differences in %d names", wrong, len(want.nodes))
	}
}

// kernelTree is the mounted tree in the reader's shape.
func kernelTree(t testing.TB, root string) tree {
	t.Helper()
	out := tree{nodes: make(map[string]node)}
	buf := make([]byte, 1<<20)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, p, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_ALL, &st); err != nil {
			return err
		}
		n := node{meta: kernelMeta(&st), xattrs: kernelXattrs(t, p)}
		switch n.meta.Type {
		case filesystem.Symlink:
			if n.target, err = os.Readlink(p); err != nil {
				return err
			}
		case filesystem.Regular:
			f, err := os.Open(p)
			if err != nil {
				return err
			}
			h := sha256.New()
			_, err = io.CopyBuffer(h, struct{ io.Reader }{f}, buf)
			f.Close()
			if err != nil {
				return err
			}
			h.Sum(n.sum[:0])
		}
		out.nodes[strings.TrimPrefix(p, root)] = n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func kernelMeta(st *unix.Statx_t) filesystem.Meta {
	at := func(s unix.StatxTimestamp) evidence.Time {
		return evidence.Time{Sec: s.Sec, Nsec: int32(s.Nsec), Step: 1}
	}
	types := map[uint16]filesystem.Type{unix.S_IFREG: filesystem.Regular, unix.S_IFDIR: filesystem.Directory, unix.S_IFLNK: filesystem.Symlink,
		unix.S_IFCHR: filesystem.CharDevice, unix.S_IFBLK: filesystem.BlockDevice, unix.S_IFIFO: filesystem.FIFO, unix.S_IFSOCK: filesystem.Socket}
	m := filesystem.Meta{Inode: filesystem.Inode(st.Ino), Type: types[st.Mode&unix.S_IFMT], Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid,
		Size: int64(st.Size), Links: st.Nlink, Mtime: at(st.Mtime), Ctime: at(st.Ctime), Atime: at(st.Atime)}
	if m.Type == filesystem.CharDevice || m.Type == filesystem.BlockDevice {
		m.Rdev = unix.Mkdev(st.Rdev_major, st.Rdev_minor)
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		m.Crtime = at(st.Btime)
	} else { // records of 128 bytes: whole seconds, no birth
		m.Mtime.Step, m.Ctime.Step, m.Atime.Step = time.Second, time.Second, time.Second
	}
	if st.Attributes&unix.STATX_ATTR_IMMUTABLE != 0 {
		m.Flags |= filesystem.Immutable
	}
	if st.Attributes&unix.STATX_ATTR_APPEND != 0 {
		m.Flags |= filesystem.AppendOnly
	}
	return m
}

func kernelXattrs(t testing.TB, p string) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	var names [64 << 10]byte
	n, err := unix.Llistxattr(p, names[:])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(string(names[:n]), "\x00") {
		if name == "" {
			continue
		}
		v := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(p, name, v)
		if err != nil {
			t.Fatalf("%q %q: %v", p, name, err)
		}
		out[name] = v[:n]
	}
	return out
}

// A file deleted while open has no name; the snapshot of a running machine holds it.
func TestOrphansOfARunningMachine(t *testing.T) {
	needKernel(t)
	for name, args := range map[string][]string{"chain": {"-O", "^orphan_file"}, "file": {"-O", "orphan_file"}} {
		t.Run(name, func(t *testing.T) {
			image := makeImage(t, 64<<20, args...)
			dir, unmount := mountImage(t, image, "rw")
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
			run(t, "fsfreeze", "-f", dir)
			raw, err := os.ReadFile(image)
			run(t, "fsfreeze", "-u", dir)
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
