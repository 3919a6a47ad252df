package live_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/filesystem"
	"telltale/filesystem/live"
)

// open opens a folder as if it were the whole machine.
func open(t testing.TB, dir string) *live.FS {
	f, err := live.Open(dir, "/proc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// walk calls each for every file below a directory, by its path.
func walk(t testing.TB, f *live.FS, i filesystem.Inode, path string, each func(path string, i filesystem.Inode, m filesystem.Meta)) {
	for d, err := range f.ReadDir(i) {
		if err != nil {
			t.Logf("%s: %v", path, err)
			continue
		}
		p := path + "/" + string(d.Name)
		m, err := f.Stat(d.Inode)
		if err != nil {
			continue
		}
		each(p, d.Inode, m)
		if m.Type == filesystem.Directory {
			walk(t, f, d.Inode, p, each)
		}
	}
}

// TestAsTheSystemSays holds a folder with odd files against what the standard library says.
func TestAsTheSystemSays(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir)
	n := 0
	f := open(t, dir)
	walk(t, f, f.Root(), dir, func(p string, i filesystem.Inode, m filesystem.Meta) {
		n++
		st, err := os.Lstat(p)
		if err != nil {
			t.Fatal(err)
		}
		if m.Size != st.Size() || m.Mtime.Std() != st.ModTime().UTC() || m.Mode&0o777 != uint16(st.Mode().Perm()) {
			t.Errorf("%q: %+v, want %v", p, m, st)
		}
		switch m.Type {
		case filesystem.Regular:
			want, _ := os.ReadFile(p)
			got := make([]byte, m.Size)
			if _, err := f.ReadAt(i, got, 0); err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(got, want) {
				t.Errorf("%q: content differs: %v", p, err)
			}
		case filesystem.Symlink:
			want, _ := os.Readlink(p)
			if got, err := f.Readlink(i); err != nil || string(got) != want {
				t.Errorf("%q -> %q: %v", p, got, err)
			}
		default:
			if _, err := f.ReadAt(i, make([]byte, 1), 0); m.Type != filesystem.Directory && !errors.Is(err, filesystem.ErrNotSupported) {
				t.Errorf("%q was opened: %v", p, err)
			}
		}
	})
	if n < 9 {
		t.Errorf("%d files", n)
	}
	if len(f.Hidden()) > 0 {
		t.Errorf("hidden: %v", f.Hidden())
	}
}

func plant(t *testing.T, dir string) {
	t.Helper()
	for _, err := range []error{
		os.MkdirAll(dir+"/a/b/c", 0o755), os.WriteFile(dir+"/a/b/c/deep", []byte("x"), 0o640), os.WriteFile(dir+"/\xff\xfe", []byte("bytes"), 0o600), os.WriteFile(dir+"/big", bytes.Repeat([]byte("0123456789"), 100_000), 0o600),
		os.Symlink("/etc/passwd", dir+"/link"), os.Symlink("a", dir+"/dirlink"), unix.Mkfifo(dir+"/pipe", 0o600), os.WriteFile(dir+"/empty", nil, 0o000),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoLinkIsFollowed: a directory that becomes a link while it is read leads nowhere.
func TestNoLinkIsFollowed(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Mkdir(dir+"/d", 0o755), os.WriteFile(other+"/secret", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	for d := range f.ReadDir(f.Root()) {
		if err := errors.Join(os.Remove(dir+"/d"), os.Symlink(other, dir+"/d")); err != nil {
			t.Fatal(err)
		}
		for x, err := range f.ReadDir(d.Inode) {
			if err == nil {
				t.Fatalf("it gave %q", x.Name)
			}
		}
	}
}

// TestAccessTimesStay: looking changes no access time.
func TestAccessTimesStay(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := errors.Join(os.WriteFile(name, []byte("x"), 0o600), os.Chtimes(name, old, old)); err != nil {
		t.Fatal(err)
	}
	f := open(t, dir)
	for d := range f.ReadDir(f.Root()) {
		if _, err := f.ReadAt(d.Inode, make([]byte, 1), 0); err != nil {
			t.Fatal(err)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil || st.Atim.Sec != old.Unix() {
		t.Errorf("read at %v: %v", time.Unix(st.Atim.Sec, 0), err)
	}
}

// TestKernelOwnIsNotEntered: of the machine's own tree, /proc and /sys are told and not entered.
func TestKernelOwnIsNotEntered(t *testing.T) {
	f := open(t, "/")
	for d := range f.ReadDir(f.Root()) {
		if name := string(d.Name); name == "proc" || name == "sys" {
			for x := range f.ReadDir(d.Inode) {
				t.Errorf("/%s was entered: %q", name, x.Name)
			}
		}
	}
	told := ""
	for _, p := range f.Passed() {
		told += p.Path + " "
	}
	if !strings.Contains(told, "/proc ") || !strings.Contains(told, "/sys ") {
		t.Errorf("told: %q", told)
	}
}

// BenchmarkWalk reads the metadata of a whole tree: TELLTALE_LIVE_TREE, or this repository.
func BenchmarkWalk(b *testing.B) {
	dir := os.Getenv("TELLTALE_LIVE_TREE")
	if dir == "" {
		dir = "../.."
	}
	b.ReportAllocs()
	n, start := 0, time.Now()
	for b.Loop() {
		f, err := live.Open(dir, "/proc")
		if err != nil {
			b.Fatal(err)
		}
		walk(b, f, f.Root(), "", func(string, filesystem.Inode, filesystem.Meta) { n++ })
		f.Close()
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "files/s")
}
