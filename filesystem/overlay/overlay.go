// Package overlay gives the union of directories of other filesystems as overlayfs shows it: what a container
// saw as its root. The layers are read where they lie; nothing is mounted. It is no member for a block source:
// package host puts it together from what an engine's files say. Offsets of Extents and places of records are
// those of the layer that holds the file (Origin tells which).
//
// Source: kernel Documentation/filesystems/overlayfs.rst and fs/overlayfs (6.12); OCI image-spec 1.1 layer.md
// (whiteout files); fuse-overlayfs 1.13.
package overlay

import (
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
)

// Layer is a directory of a filesystem.
type Layer struct {
	FS   filesystem.FS
	Root filesystem.Inode
	Name string // where it is from, for notes
}

// Options say what marks the layers carry. A mark that the engine did not honour must not be honoured here:
// whoever is in a container can set user.overlay.opaque or name a file ".wh.x", and would hide files by it.
type Options struct {
	UserXattr bool // user.overlay.* instead of trusted.overlay.*: mounted without root
	Marks     bool // files named .wh.NAME are whiteouts: fuse-overlayfs, AUFS
}

// Bounds of what is kept in memory.
const (
	MaxLayers = 512        // OVL_MAX_STACK is 500
	maxNames  = 5_000_000  // of one directory
	maxDirs   = 4_000_000  // of one union
	maxWalked = 50_000_000 // names that are passed while redirects are followed, all together
)

// part is a file of one layer.
type part struct {
	layer int
	inode filesystem.Inode
}

// FS is a union. It is safe for concurrent use where its layers are.
type FS struct {
	layers []Layer
	o      Options

	mu   sync.RWMutex
	dirs map[filesystem.Inode][]part // what directories that were met are merged of, top first
	data map[filesystem.Inode]part   // where the content of files lies whose top has only the metadata (metacopy)
	wide map[part]filesystem.Inode   // numbers for inodes that leave no room for the layer's
	list []part                      // by those numbers

	walked atomic.Int64 // names passed in following redirects
}

var (
	_ filesystem.FS      = (*FS)(nil)
	_ filesystem.Xattrer = (*FS)(nil)
)

// Open joins layers, the upper one first.
func Open(layers []Layer, o Options) (*FS, error) {
	if len(layers) == 0 || len(layers) > MaxLayers {
		return nil, fmt.Errorf("overlay of %d layers: %w", len(layers), filesystem.ErrNotSupported)
	}
	f := &FS{layers: layers, o: o, dirs: map[filesystem.Inode][]part{}, data: map[filesystem.Inode]part{}, wide: map[part]filesystem.Inode{}}
	var top []part
	for i, l := range layers {
		m, err := l.FS.Stat(l.Root)
		if m.Inode == 0 && err != nil {
			return nil, fmt.Errorf("overlay layer %q: %w", l.Name, err)
		}
		if m.Type != filesystem.Directory {
			return nil, fmt.Errorf("overlay layer %q is no directory: %w", l.Name, filesystem.ErrNotSupported)
		}
		top = append(top, part{i, l.Root})
	}
	f.dirs[f.number(top[0])] = top
	return f, nil
}

// An inode of the union is its layer's number plus one above inodeBits and the layer's own inode below; where
// that is too big, wideMark and an index.
const (
	inodeBits = 48
	wideMark  = 1 << 63
)

func (f *FS) number(p part) filesystem.Inode {
	if p.inode < 1<<inodeBits {
		return filesystem.Inode(p.layer+1)<<inodeBits | p.inode
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.wide[p]
	if !ok {
		n = wideMark | filesystem.Inode(len(f.list))
		f.wide[p] = n
		f.list = append(f.list, p)
	}
	return n
}

func (f *FS) part(i filesystem.Inode) (part, error) {
	if i&wideMark != 0 {
		f.mu.RLock()
		defer f.mu.RUnlock()
		if n := i &^ wideMark; n < filesystem.Inode(len(f.list)) {
			return f.list[n], nil
		}
	} else if l := i >> inodeBits; l > 0 && l <= filesystem.Inode(len(f.layers)) {
		return part{int(l - 1), i & (1<<inodeBits - 1)}, nil
	}
	return part{}, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
}

// content gives the file that holds an inode's content.
func (f *FS) content(i filesystem.Inode) (part, error) {
	f.mu.RLock()
	p, ok := f.data[i]
	f.mu.RUnlock()
	if ok {
		return p, nil
	}
	return f.part(i)
}

// Origin tells which layer holds a file's record, and its inode there.
func (f *FS) Origin(i filesystem.Inode) (Layer, filesystem.Inode, error) {
	p, err := f.part(i)
	if err != nil {
		return Layer{}, 0, err
	}
	return f.layers[p.layer], p.inode, nil
}

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return f.number(part{0, f.layers[0].Root}) }

// Info describes the union.
func (f *FS) Info() filesystem.Info {
	i := filesystem.Info{Kind: "overlay"}
	for _, l := range f.layers {
		i.Features = append(i.Features, l.Name)
	}
	if f.walked.Load() > maxWalked {
		i.Notes = append(i.Notes, "directories that were renamed are not followed any more: finding them in the layers below takes too long")
	}
	return i
}

// Stat gives the metadata of the topmost layer that has the file.
func (f *FS) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	p, err := f.part(i)
	if err != nil {
		return filesystem.Meta{}, err
	}
	m, err := f.layers[p.layer].FS.Stat(p.inode)
	if m.Inode != 0 {
		m.Inode = i
	}
	return m, err
}

// ReadAt reads a file's content from the layer that has it.
func (f *FS) ReadAt(i filesystem.Inode, b []byte, off int64) (int, error) {
	p, err := f.content(i)
	if err != nil {
		return 0, err
	}
	return f.layers[p.layer].FS.ReadAt(p.inode, b, off)
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(i filesystem.Inode) ([]byte, error) {
	p, err := f.part(i)
	if err != nil {
		return nil, err
	}
	return f.layers[p.layer].FS.Readlink(p.inode)
}

// Extents tells where a file's content lies in its layer's filesystem.
func (f *FS) Extents(i filesystem.Inode) ([]filesystem.Extent, error) {
	p, err := f.content(i)
	if err != nil {
		return nil, err
	}
	return f.layers[p.layer].FS.Extents(p.inode)
}

// ReadDir yields the names of a directory that was met before, starting with the root.
func (f *FS) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		f.mu.RLock()
		parts, ok := f.dirs[i]
		f.mu.RUnlock()
		if !ok {
			yield(filesystem.Dirent{}, fmt.Errorf("directory inode %d: %w", i, filesystem.ErrNotExist))
			return
		}
		m := merge{f: f, parts: parts, names: map[string]*name{}}
		if !m.collect(func(err error) bool { return yield(filesystem.Dirent{}, err) }) {
			return
		}
		for _, s := range m.order {
			n := m.names[s]
			if n.gone {
				continue
			}
			inode, err := f.keep(n)
			if err != nil {
				yield(filesystem.Dirent{}, err)
				return
			}
			if !yield(filesystem.Dirent{Name: []byte(s), Inode: inode, Type: n.kind}, nil) {
				return
			}
		}
	}
}

// keep notes what a name is merged of, and gives its inode.
func (f *FS) keep(n *name) (filesystem.Inode, error) {
	i := f.number(n.parts[0])
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case n.kind == filesystem.Directory:
		if _, ok := f.dirs[i]; !ok {
			if len(f.dirs) >= maxDirs {
				return 0, fmt.Errorf("overlay of more than %d directories: %w", maxDirs, limit.ErrLimit)
			}
			f.dirs[i] = n.parts
		}
	case n.bare && len(n.parts) > 1:
		f.data[i] = n.parts[len(n.parts)-1]
	}
	return i, nil
}

func lost(format string, a ...any) error {
	return &evidence.Damage{Reason: fmt.Sprintf(format, a...)}
}
