//go:build linux

package fstest

import (
	"bytes"
	"crypto/sha256"
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

// FullRun tells whether the long tests are asked for: full runs build 100,000 files; plain ones about 3,000.
func FullRun() bool { return os.Getenv("TELLTALE_FULL") != "" }

// Run runs a program of the host.
func Run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// NeedKernel skips where the kernel cannot be asked for its reading of an image.
func NeedKernel(t testing.TB, tools ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount images")
	}
	for _, tool := range append(tools, "mount", "umount", "fsfreeze") {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Skip("needs loop devices")
	}
}

// MountImage mounts an image and gives the place; it is unmounted at the end or by
// the function that is returned.
func MountImage(t testing.TB, image, options string) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-o", "loop,"+options, image, dir).CombinedOutput(); err != nil {
		t.Skipf("this kernel does not mount it: %v %s", err, bytes.TrimSpace(out))
	}
	done := false
	unmount = func() {
		if !done {
			done = true
			Run(t, "umount", dir)
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

// Compare holds what a reader gave against what the kernel gave.
func Compare(t *testing.T, got, want Tree) {
	t.Helper()
	wrong := 0
	fail := func(p string, format string, a ...any) {
		if wrong++; wrong <= 20 {
			t.Errorf("%q: "+format, append([]any{p}, a...)...)
		}
	}
	for _, p := range want.Paths() {
		w := want.Nodes[p]
		g, ok := got.Nodes[p]
		if !ok {
			fail(p, "not found")
			continue
		}
		g.Meta.Ref = evidence.Ref{}
		g.Meta.Flags &= filesystem.Immutable | filesystem.AppendOnly
		if g.Meta != w.Meta {
			fail(p, "\n got %+v\nwant %+v", g.Meta, w.Meta)
		}
		if g.Target != w.Target {
			fail(p, "symlink to %q, want %q", g.Target, w.Target)
		}
		if g.Sum != w.Sum {
			fail(p, "content of %d bytes differs", w.Meta.Size)
		}
		for k, v := range w.Xattrs {
			if !bytes.Equal(g.Xattrs[k], v) {
				fail(p, "xattr %q is %.40q, want %.40q", k, g.Xattrs[k], v)
			}
		}
		if len(g.Xattrs) != len(w.Xattrs) {
			fail(p, "%d xattrs, want %d", len(g.Xattrs), len(w.Xattrs))
		}
	}
	for _, p := range got.Paths() {
		if _, ok := want.Nodes[p]; !ok {
			fail(p, "there is no such file")
		}
	}
	if wrong > 0 {
		t.Errorf("%d differences in %d names", wrong, len(want.Nodes))
	}
}

// KernelTree is the mounted tree in the reader's shape.
func KernelTree(t testing.TB, root string) Tree {
	t.Helper()
	out := Tree{Nodes: make(map[string]Node)}
	buf := make([]byte, 1<<20)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, p, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_ALL, &st); err != nil {
			return err
		}
		n := Node{Meta: kernelMeta(&st), Xattrs: kernelXattrs(t, p)}
		switch n.Meta.Type {
		case filesystem.Symlink:
			if n.Target, err = os.Readlink(p); err != nil {
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
			h.Sum(n.Sum[:0])
		}
		out.Nodes[strings.TrimPrefix(p, root)] = n
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

// PlantFolder fills a folder of its own as Plant does, for tools that make an image of a folder. What the tools
// would not carry over is taken off again: it would keep the folder from being removed.
func PlantFolder(t testing.TB, files int) string {
	t.Helper()
	dir := t.TempDir()
	Plant(t, dir, files)
	for _, name := range []string{"immutable", "append-only"} {
		exec.Command("chattr", "-ia", filepath.Join(dir, name)).Run() // where there is no such flag there is none to take off
	}
	return dir
}
