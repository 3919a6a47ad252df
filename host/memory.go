package host

import (
	"fmt"
	"io"
	"iter"
	"slices"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/memtree"
)

// memory is a tree whose files are in memory: the state of a machine that was just taken from it.
type memory struct {
	tree *memtree.Tree[[]byte]
	at   evidence.Time
}

var _ filesystem.FS = (*memory)(nil)

// newMemory makes a tree of files by their paths.
func newMemory(files map[string][]byte, at evidence.Time) (*memory, error) {
	m := &memory{tree: memtree.New[[]byte](nil), at: at}
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if _, err := m.tree.Add(memtree.Clean(n), files[n], nil, false); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *memory) Root() filesystem.Inode { return memtree.Root }

func (m *memory) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		m.tree.Children(uint64(i), func(name string, inode int) bool {
			return yield(filesystem.Dirent{Name: []byte(name), Inode: filesystem.Inode(inode)}, nil)
		})
	}
}

func (m *memory) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	b, ok := m.tree.Get(uint64(i))
	if !ok {
		return filesystem.Meta{}, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	x := filesystem.Meta{Inode: i, Type: filesystem.Regular, Mode: 0o600, Links: 1, Size: int64(len(b)), Mtime: m.at}
	if b == nil {
		x.Type, x.Mode = filesystem.Directory, 0o700
	}
	return x, nil
}

func (m *memory) ReadAt(i filesystem.Inode, p []byte, off int64) (int, error) {
	b, ok := m.tree.Get(uint64(i))
	if !ok {
		return 0, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) Readlink(filesystem.Inode) ([]byte, error) { return nil, filesystem.ErrNotSupported }

func (m *memory) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return nil, filesystem.ErrNotSupported
}

func (m *memory) Info() filesystem.Info { return filesystem.Info{Kind: "memory"} }
