// Package fstest holds what the tests of all filesystem readers share: a tree planted with what is
// hard to read, the kernel's reading of an image, and the comparison of the two.
package fstest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"sort"

	"telltale/filesystem"
)

// Node is one name of a tree with all that is compared.
type Node struct {
	Meta   filesystem.Meta
	Target string
	Sum    [sha256.Size]byte
	Xattrs map[string][]byte
}

// Tree is a whole filesystem by path, and what could not be read of it.
type Tree struct {
	Nodes map[string]Node
	Errs  []error
}

// Failed notes what could not be read.
func (t *Tree) Failed(path string, err error) {
	t.Errs = append(t.Errs, fmt.Errorf("%q: %w", path, err))
}

// Paths gives all names in order.
func (t *Tree) Paths() []string {
	list := make([]string, 0, len(t.Nodes))
	for p := range t.Nodes {
		list = append(list, p)
	}
	sort.Strings(list)
	return list
}

// Reader walks a filesystem once and reads everything, within bounds.
type Reader struct {
	FS     filesystem.FS
	Out    Tree
	seen   map[filesystem.Inode]bool
	Budget int64 // bytes of content still to be read
	Names  int
	Stop   func() bool // may be nil
	buf    []byte
}

// ReadTree reads a filesystem whole.
func ReadTree(f filesystem.FS) Tree {
	r := Reader{FS: f, Budget: math.MaxInt64}
	r.All()
	return r.Out
}

// All reads every file by its name, within Budget bytes of content and until Stop says so.
func (r *Reader) All() {
	r.Out.Nodes = make(map[string]Node)
	r.seen = make(map[filesystem.Inode]bool)
	r.buf = make([]byte, 1<<20)
	r.file("", r.FS.Root())
	r.dir("", r.FS.Root(), 0)
}

func (r *Reader) stop() bool { return r.Stop != nil && r.Stop() }

func (r *Reader) dir(path string, n filesystem.Inode, depth int) {
	if r.seen[n] || depth > 200 {
		return
	}
	r.seen[n] = true
	type sub struct {
		path string
		n    filesystem.Inode
	}
	var subs []sub
	for e, err := range r.FS.ReadDir(n) {
		if r.stop() {
			return
		}
		if err != nil {
			r.Out.Failed(path, err)
			continue
		}
		r.Names++
		p := path + "/" + string(e.Name)
		if m := r.file(p, e.Inode); m.Type == filesystem.Directory {
			subs = append(subs, sub{p, e.Inode})
		} else if e.Type != filesystem.UnknownType && e.Type != m.Type && m.Inode != 0 {
			r.Out.Failed(p, fmt.Errorf("is %s to its directory and %s to its inode", e.Type, m.Type))
		}
	}
	for _, s := range subs {
		r.dir(s.path, s.n, depth+1)
	}
}

func (r *Reader) file(p string, n filesystem.Inode) filesystem.Meta {
	m, err := r.FS.Stat(n)
	if err != nil {
		r.Out.Failed(p, err)
	}
	if m.Inode == 0 {
		return m
	}
	x := Node{Meta: m}
	if f, ok := r.FS.(filesystem.Xattrer); ok {
		if x.Xattrs, err = f.Xattrs(n); err != nil {
			r.Out.Failed(p, err)
		}
	}
	switch m.Type {
	case filesystem.Symlink:
		b, err := r.FS.Readlink(n)
		if err != nil {
			r.Out.Failed(p, err)
		}
		x.Target = string(b)
	case filesystem.Regular:
		if x.Sum, err = r.Content(n, m.Size); err != nil {
			r.Out.Failed(p, err)
		}
	}
	r.Out.Nodes[p] = x
	return m
}

// Content hashes a file. Its map is asked for first: what is wrong with that may
// leave the bytes readable.
func (r *Reader) Content(n filesystem.Inode, size int64) (sum [sha256.Size]byte, err error) {
	if _, err := r.FS.Extents(n); err != nil {
		return sum, err
	}
	h := sha256.New()
	for off := int64(0); off < size; {
		if r.Budget <= 0 || r.stop() {
			return sum, nil
		}
		got, err := r.FS.ReadAt(n, r.buf, off)
		h.Write(r.buf[:got])
		off += int64(got)
		r.Budget -= int64(got)
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
