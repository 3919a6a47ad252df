package host

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
	"telltale/internal/memtree"
)

// gathered is a machine's tree put together from what a collector packed: directories of the collection, archives within it, and lists of
// metadata. Of a file that only a list names the content is not there (filesystem.Untaken). What came first stays: a second file of a path is left out.
type gathered struct {
	tree   *memtree.Tree[piece]
	from   []filesystem.FS
	copied bool          // owners, modes and change times of from are those of a copy; what a list says of them is the machine's own
	unit   time.Duration // of the lists' times
	listed int           // files that only a list names
	full   bool          // the lists name more than maxListed
	bare   int           // collected files of which no list tells
	odd    []string      // names that could not be taken as they stand
}

// piece is one file.
type piece struct {
	from   int // index of gathered.from, -1 for none
	inode  filesystem.Inode
	list   *listed
	target string // of a symlink that only a list names
}

// listed is what a list of metadata says of a file. Times are nanoseconds since 1970, 0 for unknown.
type listed struct {
	kind                        filesystem.Type
	mode                        uint16
	owned                       bool // the list tells mode and owner
	uid, gid                    uint32
	size                        int64
	atime, mtime, ctime, crtime int64
}

// Bounds of what is put together.
const (
	maxListed = 1_000_000 // files that only a list names: each costs about 400 bytes of memory
	maxOdd    = 20        // names that are told one by one
)

var (
	_ filesystem.FS      = (*gathered)(nil)
	_ filesystem.Xattrer = (*gathered)(nil)
)

func newGathered(copied bool) *gathered {
	return &gathered{tree: memtree.New(piece{from: -1}), copied: copied, unit: time.Second}
}

// add takes the directory dir of f into the tree's top. name undoes what the collector did to a name; nil takes names as they are.
func (g *gathered) add(ctx context.Context, f filesystem.FS, dir filesystem.Inode, name func(string) string) error {
	g.from = append(g.from, f)
	w := gathering{g: g, ctx: ctx, f: f, from: len(g.from) - 1, name: name, seen: map[filesystem.Inode]bool{}}
	return w.dir(dir, nil)
}

type gathering struct {
	g    *gathered
	ctx  context.Context
	f    filesystem.FS
	from int
	name func(string) string
	seen map[filesystem.Inode]bool
	n    int
}

func (w *gathering) dir(dir filesystem.Inode, at []string) error {
	if w.seen[dir] || len(at) >= 4*limit.Depth {
		w.g.told("/" + strings.Join(at, "/") + ": too deep, or met before")
		return nil
	}
	w.seen[dir] = true
	for _, changed := range []bool{false, true} { // names that stand as they were found have the first right to them
		if changed && w.name == nil {
			break
		}
		if err := w.pass(dir, at, changed); err != nil {
			return err
		}
	}
	return nil
}

// pass takes those entries of a directory whose names the collector changed, or those whose names it did not.
func (w *gathering) pass(dir filesystem.Inode, at []string, changed bool) error {
	for d, err := range w.f.ReadDir(dir) {
		if err != nil {
			w.g.told("/" + strings.Join(at, "/") + ": " + err.Error())
			continue
		}
		raw := string(d.Name)
		if w.name != nil && (w.name(raw) != raw) != changed {
			continue
		}
		if w.n++; w.n%1024 == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		m, err := stat(w.f, d.Inode)
		if err != nil {
			w.g.told("/" + strings.Join(at, "/") + "/" + raw + ": " + err.Error())
			continue
		}
		path := append(slices.Clip(at), w.called(at, raw))
		if err := w.put(path, d.Inode, m.Type == filesystem.Directory); err != nil {
			return err
		}
	}
	return nil
}

// called gives the name under which an entry is put into the tree: as the collector found it, or, where another file has that name already, as it stands in the collection.
func (w *gathering) called(at []string, raw string) string {
	if w.name == nil {
		return raw
	}
	name := w.name(raw)
	if name == raw {
		return raw
	}
	i, ok := w.g.tree.Find(append(slices.Clip(at), name))
	if p, _ := w.g.tree.Get(uint64(i)); ok && p.from == w.from {
		w.g.told(fmt.Sprintf("/%s: two files bear the name %q; one stays as %q", strings.Join(at, "/"), name, raw))
		return raw
	}
	return name
}

func (w *gathering) put(path []string, i filesystem.Inode, dir bool) error {
	at, known := w.g.tree.Find(path)
	old, _ := w.g.tree.Get(uint64(at))
	if !known || old.from < 0 {
		if _, err := w.g.tree.Add(path, piece{from: w.from, inode: i, list: old.list}, piece{from: -1}, dir); err != nil {
			return err
		}
	}
	switch {
	case dir:
		return w.dir(i, path)
	case known && old.from == w.from:
		w.g.told("/" + strings.Join(path, "/") + ": a second file of that name is left out")
	}
	return nil
}

func (g *gathered) told(s string) {
	if len(g.odd) < maxOdd {
		g.odd = append(g.odd, s)
	}
}

// list joins what a list says of a file. Files that were not collected become known by it, as many as there is room for; only tells to leave them out.
func (g *gathered) list(path string, l listed, target string, only bool) error {
	parts := memtree.Clean(path)
	i, ok := g.tree.Find(parts)
	if !ok {
		switch {
		case only:
			return nil
		case len(parts) > 4*limit.Depth:
			g.told(fmt.Sprintf("a listed name with %d directories", len(parts)))
			return nil
		case g.listed >= maxListed:
			g.full = true
			return nil
		}
		g.listed++
		for i := range parts {
			parts[i] = strings.Clone(parts[i]) // else each keeps its whole line in memory
		}
		_, err := g.tree.Add(parts, piece{from: -1, list: &l, target: target}, piece{from: -1}, l.kind == filesystem.Directory)
		if errors.Is(err, limit.ErrLimit) {
			g.full, err = true, nil
		}
		return err
	}
	p, _ := g.tree.Get(uint64(i))
	if p.list != nil || len(parts) == 0 {
		return nil // the first line stays
	}
	p.list = &l
	if p.from < 0 {
		p.target = target
	}
	_, err := g.tree.Add(parts, p, piece{from: -1}, l.kind == filesystem.Directory || p.from < 0)
	return err
}

// finish counts what no list tells of.
func (g *gathered) finish() {
	for i := uint64(memtree.Root + 1); ; i++ {
		p, ok := g.tree.Get(i)
		if !ok {
			return
		}
		if p.from >= 0 && p.list == nil {
			g.bare++
		}
	}
}

func (g *gathered) get(i filesystem.Inode) (piece, error) {
	p, ok := g.tree.Get(uint64(i))
	if !ok {
		return p, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	return p, nil
}

// Root gives the top.
func (g *gathered) Root() filesystem.Inode { return memtree.Root }

// Info describes the tree.
func (g *gathered) Info() filesystem.Info { return filesystem.Info{Kind: "collection"} }

// ReadDir yields the names in a directory.
func (g *gathered) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		g.tree.Children(uint64(i), func(name string, c int) bool {
			return yield(filesystem.Dirent{Name: []byte(name), Inode: filesystem.Inode(c)}, nil)
		})
	}
}

// Stat gives a file's metadata: the list's where there is one.
func (g *gathered) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	p, err := g.get(i)
	if err != nil {
		return filesystem.Meta{}, err
	}
	m := filesystem.Meta{Type: filesystem.Directory, Mode: 0o755, Links: 1}
	if p.from >= 0 {
		if m, err = g.from[p.from].Stat(p.inode); m.Inode == 0 {
			return m, err
		}
		if g.copied {
			m.UID, m.GID, m.Mode = 0, 0, m.Mode&0o777
			m.Ctime, m.Atime, m.Crtime = evidence.Time{}, evidence.Time{}, evidence.Time{}
		}
	}
	m.Inode = i
	if p.list != nil {
		g.overlay(&m, &p)
	}
	return m, err
}

func (g *gathered) overlay(m *filesystem.Meta, p *piece) {
	l := p.list
	if p.from < 0 {
		m.Type, m.Size = l.kind, l.size
		if l.kind == filesystem.Regular && l.size > 0 {
			m.Flags |= filesystem.Untaken
		}
		if l.kind == filesystem.Directory {
			m.Size = 0
		}
	}
	if l.owned {
		m.Mode, m.UID, m.GID = l.mode, l.uid, l.gid
	}
	for _, t := range []struct {
		to *evidence.Time
		ns int64
	}{{&m.Atime, l.atime}, {&m.Mtime, l.mtime}, {&m.Ctime, l.ctime}, {&m.Crtime, l.crtime}} {
		if t.ns != 0 {
			*t.to = evidence.At(time.Unix(0, t.ns), g.unit)
		}
	}
}

// ReadAt reads a collected file.
func (g *gathered) ReadAt(i filesystem.Inode, b []byte, off int64) (int, error) {
	p, err := g.get(i)
	if err != nil {
		return 0, err
	}
	if p.from < 0 {
		return 0, &evidence.Damage{Reason: "its content was not collected"}
	}
	return g.from[p.from].ReadAt(p.inode, b, off)
}

// Readlink gives a symlink's target.
func (g *gathered) Readlink(i filesystem.Inode) ([]byte, error) {
	p, err := g.get(i)
	switch {
	case err != nil:
		return nil, err
	case p.from >= 0:
		return g.from[p.from].Readlink(p.inode)
	case p.target != "":
		return []byte(p.target), nil
	}
	return nil, fmt.Errorf("inode %d is no symlink: %w", i, filesystem.ErrNotSupported)
}

// Extents: the files lie in several sources.
func (g *gathered) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return nil, filesystem.ErrNotSupported
}

// Xattrs gives the extended attributes that the source carries.
func (g *gathered) Xattrs(i filesystem.Inode) (map[string][]byte, error) {
	p, err := g.get(i)
	if err != nil || p.from < 0 {
		return nil, err
	}
	if x, ok := g.from[p.from].(filesystem.Xattrer); ok {
		return x.Xattrs(p.inode)
	}
	return nil, nil
}
