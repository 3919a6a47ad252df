package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"

	"telltale/filesystem"
	"telltale/internal/lines"
	"telltale/internal/memtree"
)

// heads is what head(1) printed of many files, "==> /path <==" before each, as a tree: each file has what was printed of it.
type heads struct {
	r    io.ReaderAt
	tree *memtree.Tree[span]
}

// span is where a file's words stand; dirs have none.
type span struct {
	off, size int64
	file      bool
}

var _ filesystem.FS = (*heads)(nil)

// Bounds of what is taken apart.
const maxHeads = 500_000 // files

// readHeads finds the files in what head printed. wanted tells which paths may be there: a file may hold a line that looks like the beginning of another.
func readHeads(ctx context.Context, r *io.SectionReader, wanted func(string) bool) (*heads, error) {
	h := &heads{r: r, tree: memtree.New(span{})}
	var at []string
	begin, n := int64(0), 0
	put := func(end int64) error {
		if at == nil {
			return nil
		}
		if _, known := h.tree.Find(at); known {
			return nil // the first stays
		}
		_, err := h.tree.Add(at, span{begin, max(end-begin, 0), true}, span{}, false)
		return err
	}
	lr := lines.NewReader(r)
	for l, ok := lr.Next(); ok && n < maxHeads; l, ok = lr.Next() {
		if l.Num%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		name, found := bytes.CutPrefix(l.Text, []byte("==> /"))
		name, ends := bytes.CutSuffix(name, []byte(" <=="))
		if !found || !ends || !wanted("/"+string(name)) {
			continue
		}
		if err := put(l.Off - 1); err != nil { // head puts an empty line before
			return nil, err
		}
		at, begin = memtree.Clean(string(name)), l.Off+l.Len+1
		n++
	}
	if err := put(r.Size()); err != nil {
		return nil, err
	}
	return h, lr.Err()
}

// webScript tells the names that CatScale looks for.
func webScript(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".php", ".jsp", ".asp", ".aspx":
		return true
	}
	return false
}

func (h *heads) Root() filesystem.Inode { return memtree.Root }

func (h *heads) Info() filesystem.Info { return filesystem.Info{Kind: "heads"} }

func (h *heads) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		h.tree.Children(uint64(i), func(name string, c int) bool {
			return yield(filesystem.Dirent{Name: []byte(name), Inode: filesystem.Inode(c)}, nil)
		})
	}
}

func (h *heads) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	s, ok := h.tree.Get(uint64(i))
	if !ok {
		return filesystem.Meta{}, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	m := filesystem.Meta{Inode: i, Type: filesystem.Directory, Mode: 0o755, Links: 1}
	if s.file {
		m.Type, m.Mode, m.Size = filesystem.Regular, 0o644, s.size
	}
	return m, nil
}

func (h *heads) ReadAt(i filesystem.Inode, b []byte, off int64) (int, error) {
	s, ok := h.tree.Get(uint64(i))
	if !ok || !s.file {
		return 0, fmt.Errorf("inode %d is no regular file: %w", i, filesystem.ErrNotSupported)
	}
	return io.NewSectionReader(h.r, s.off, s.size).ReadAt(b, off)
}

func (h *heads) Readlink(filesystem.Inode) ([]byte, error) { return nil, filesystem.ErrNotSupported }

func (h *heads) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return nil, filesystem.ErrNotSupported
}
