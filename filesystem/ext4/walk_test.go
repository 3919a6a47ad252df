package ext4_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
)

// node is one name of a tree with all that is compared.
type node struct {
	meta   filesystem.Meta
	target string
	sum    [sha256.Size]byte
	xattrs map[string][]byte
}

// tree is a whole filesystem by path, and what could not be read of it.
type tree struct {
	nodes map[string]node
	errs  []error
}

func (t *tree) failed(path string, err error) {
	t.errs = append(t.errs, fmt.Errorf("%q: %w", path, err))
}

func (t *tree) paths() []string {
	list := make([]string, 0, len(t.nodes))
	for p := range t.nodes {
		list = append(list, p)
	}
	sort.Strings(list)
	return list
}

func openImage(t testing.TB, path string) *ext4.FS {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	st, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := ext4.Open(file, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// reader walks a filesystem once and reads everything, within bounds.
type reader struct {
	f      *ext4.FS
	out    tree
	seen   map[filesystem.Inode]bool
	budget int64 // bytes of content still to be read
	names  int
	stop   func() bool
	buf    []byte
}

func readTree(f *ext4.FS) tree {
	r := reader{f: f, budget: math.MaxInt64, stop: func() bool { return false }}
	r.all()
	return r.out
}

func (r *reader) all() {
	r.out.nodes = make(map[string]node)
	r.seen = make(map[filesystem.Inode]bool)
	r.buf = make([]byte, 1<<20)
	r.file("", r.f.Root())
	r.dir("", r.f.Root(), 0)
}

func (r *reader) dir(path string, n filesystem.Inode, depth int) {
	if r.seen[n] || depth > 200 {
		return
	}
	r.seen[n] = true
	type sub struct {
		path string
		n    filesystem.Inode
	}
	var subs []sub
	for e, err := range r.f.ReadDir(n) {
		if r.stop() {
			return
		}
		if err != nil {
			r.out.failed(path, err)
			continue
		}
		r.names++
		p := path + "/" + string(e.Name)
		if m := r.file(p, e.Inode); m.Type == filesystem.Directory {
			subs = append(subs, sub{p, e.Inode})
		} else if e.Type != filesystem.UnknownType && e.Type != m.Type && m.Inode != 0 {
			r.out.failed(p, fmt.Errorf("is %s to its directory and %s to its inode", e.Type, m.Type))
		}
	}
	for _, s := range subs {
		r.dir(s.path, s.n, depth+1)
	}
}

func (r *reader) file(p string, n filesystem.Inode) filesystem.Meta {
	m, err := r.f.Stat(n)
	if err != nil {
		r.out.failed(p, err)
	}
	if m.Inode == 0 {
		return m
	}
	x := node{meta: m}
	if x.xattrs, err = r.f.Xattrs(n); err != nil {
		r.out.failed(p, err)
	}
	switch m.Type {
	case filesystem.Symlink:
		b, err := r.f.Readlink(n)
		if err != nil {
			r.out.failed(p, err)
		}
		x.target = string(b)
	case filesystem.Regular:
		if x.sum, err = r.content(n, m.Size); err != nil {
			r.out.failed(p, err)
		}
	}
	r.out.nodes[p] = x
	return m
}

// content hashes a file. Its map is asked for first: what is wrong with that may
// leave the bytes readable.
func (r *reader) content(n filesystem.Inode, size int64) (sum [sha256.Size]byte, err error) {
	if _, err := r.f.Extents(n); err != nil {
		return sum, err
	}
	h := sha256.New()
	for off := int64(0); off < size; {
		if r.budget <= 0 || r.stop() {
			return sum, nil
		}
		got, err := r.f.ReadAt(n, r.buf, off)
		h.Write(r.buf[:got])
		off += int64(got)
		r.budget -= int64(got)
		if err != nil && err != io.EOF {
			return sum, err
		}
		if got == 0 && off < size {
			return sum, io.ErrNoProgress
		}
	}
	h.Sum(sum[:0])
	return sum, nil
}
