package overlay_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/overlay"
)

// fake is a tree in memory with whatever marks a test wants: directories by inode.
type fake struct {
	dirs map[filesystem.Inode][]filesystem.Dirent
	meta map[filesystem.Inode]filesystem.Meta
	attr map[filesystem.Inode]map[string][]byte
}

func newFake() *fake {
	f := &fake{map[filesystem.Inode][]filesystem.Dirent{}, map[filesystem.Inode]filesystem.Meta{}, map[filesystem.Inode]map[string][]byte{}}
	f.put(0, "", 1, filesystem.Directory)
	return f
}

func (f *fake) put(dir filesystem.Inode, name string, i filesystem.Inode, kind filesystem.Type) {
	if dir != 0 {
		f.dirs[dir] = append(f.dirs[dir], filesystem.Dirent{Name: []byte(name), Inode: i, Type: kind})
	}
	f.meta[i] = filesystem.Meta{Inode: i, Type: kind, Rdev: 0}
}

func (f *fake) Root() filesystem.Inode { return 1 }
func (f *fake) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		for _, d := range f.dirs[i] {
			if !yield(d, nil) {
				return
			}
		}
	}
}
func (f *fake) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	m, ok := f.meta[i]
	if !ok {
		return m, filesystem.ErrNotExist
	}
	return m, nil
}
func (f *fake) ReadAt(filesystem.Inode, []byte, int64) (int, error)   { return 0, io.EOF }
func (f *fake) Readlink(filesystem.Inode) ([]byte, error)             { return nil, nil }
func (f *fake) Extents(filesystem.Inode) ([]filesystem.Extent, error) { return nil, nil }
func (f *fake) Info() filesystem.Info                                 { return filesystem.Info{} }
func (f *fake) Xattrs(i filesystem.Inode) (map[string][]byte, error)  { return f.attr[i], nil }

func paths(f *overlay.FS) []string {
	tree := fstest.ReadTree(f)
	return tree.Paths()
}

func union(t testing.TB, o overlay.Options, fs ...*fake) *overlay.FS {
	var ls []overlay.Layer
	for i, f := range fs {
		ls = append(ls, overlay.Layer{FS: f, Root: 1, Name: fmt.Sprint(i)})
	}
	f, err := overlay.Open(ls, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Marks of another kind than the engine's hide nothing: who is in a container can make them.
func TestMarksThatTheEngineDoesNotHonour(t *testing.T) {
	up, low := newFake(), newFake()
	up.put(1, ".wh.a", 2, filesystem.Regular)
	up.put(1, "dir", 3, filesystem.Directory)
	up.attr[3] = map[string][]byte{"user.overlay.opaque": []byte("y")}
	low.put(1, "a", 2, filesystem.Regular)
	low.put(1, "dir", 3, filesystem.Directory)
	low.put(3, "b", 4, filesystem.Regular)
	if got := fmt.Sprint(paths(union(t, overlay.Options{}, up, low))); got != "[ /.wh.a /a /dir /dir/b]" {
		t.Errorf("trusted: %s", got)
	}
	if got := fmt.Sprint(paths(union(t, overlay.Options{UserXattr: true, Marks: true}, up, low))); got != "[ /dir]" {
		t.Errorf("rootless: %s", got)
	}
}

func TestRedirectsInCircles(t *testing.T) {
	up, low, lowest := newFake(), newFake(), newFake()
	for _, f := range []*fake{up, low, lowest} {
		f.put(1, "d", 2, filesystem.Directory)
		f.put(2, "e", 3, filesystem.Directory)
		f.attr[2] = map[string][]byte{"trusted.overlay.redirect": []byte("/d/e/../..")}
		f.attr[3] = map[string][]byte{"trusted.overlay.redirect": []byte("/d")}
	}
	if n := len(paths(union(t, overlay.Options{}, up, low, lowest))); n == 0 || n > 1000 {
		t.Errorf("%d paths", n)
	}
}

func TestInodes(t *testing.T) {
	up := newFake()
	up.put(1, "wide", 1<<60, filesystem.Regular)
	f := union(t, overlay.Options{}, up)
	for d, err := range f.ReadDir(f.Root()) {
		if m, serr := f.Stat(d.Inode); err != nil || serr != nil || m.Inode != d.Inode {
			t.Errorf("%+v %v %v", m, err, serr)
		}
		if _, i, err := f.Origin(d.Inode); i != 1<<60 || err != nil {
			t.Errorf("origin %d %v", i, err)
		}
	}
	for _, i := range []filesystem.Inode{0, 1, 2 << 48, 1<<63 | 5, 1<<64 - 1} {
		if _, err := f.Stat(i); !errors.Is(err, filesystem.ErrNotExist) {
			t.Errorf("inode %d: %v", i, err)
		}
	}
	if _, err := overlay.Open(nil, overlay.Options{}); !errors.Is(err, filesystem.ErrNotSupported) {
		t.Errorf("no layers: %v", err)
	}
}

// FuzzMerge joins three made-up layers: each byte pair puts a name somewhere, with marks.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{0x10, 0x21, 0x32, 0x43, 0x54, 0x65}, false)
	f.Add([]byte{0xf0, 0x0f, 0xaa, 0x55, 0x12, 0x34, 0x56, 0x78}, true)
	f.Fuzz(func(t *testing.T, b []byte, marks bool) {
		fs := []*fake{newFake(), newFake(), newFake()}
		words := []string{"a", "b", ".wh.a", ".wh..wh..opq", ".wh.", "c", "..", "/a/b"}
		for i := 0; i+3 <= len(b) && i < 300; i += 3 {
			x := fs[b[i]%3]
			dir, kind := filesystem.Inode(b[i]>>2%8)+1, filesystem.Type(b[i+1]%8)
			x.put(dir, words[b[i+1]>>3%8], filesystem.Inode(b[i+2]%15)+2, kind)
			x.attr[filesystem.Inode(b[i+2]%15)+2] = map[string][]byte{
				[]string{"trusted.overlay.opaque", "user.overlay.redirect", "trusted.overlay.redirect", "trusted.overlay.metacopy"}[b[i+2]>>4%4]: []byte([]string{"y", "x", "/a/b", "c"}[b[i+2]>>6]),
			}
		}
		v := union(t, overlay.Options{Marks: marks, UserXattr: marks}, fs...)
		r := fstest.Reader{FS: v, Budget: 1 << 20}
		r.Stop = func() bool { return r.Names > 3000 }
		r.All()
		n := 0
		for range v.Changes(t.Context()) {
			if n++; n > 3000 {
				break
			}
		}
	})
}

func BenchmarkReadDir(b *testing.B) {
	up, low := newFake(), newFake()
	for i := range 10_000 {
		low.put(1, fmt.Sprint("file", i), filesystem.Inode(i+2), filesystem.Regular)
		if i%10 == 0 {
			up.put(1, fmt.Sprint("file", i), filesystem.Inode(i+2), filesystem.Regular)
		}
	}
	f := union(b, overlay.Options{}, up, low)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range f.ReadDir(f.Root()) {
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "names/s")
}
