package host

import (
	"fmt"
	"io"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
)

// single is a tree of one file: a log that was given by itself.
type single struct {
	name  string
	r     io.ReaderAt
	size  int64
	mtime evidence.Time // of the file as it was given: all that dates a log without years
}

func (s *single) Root() filesystem.Inode { return 1 }

func (s *single) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		if i == 1 {
			yield(filesystem.Dirent{Name: []byte(s.name), Inode: 2, Type: filesystem.Regular}, nil)
		}
	}
}

func (s *single) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	switch i {
	case 1:
		return filesystem.Meta{Inode: 1, Type: filesystem.Directory, Mode: 0o755, Links: 2}, nil
	case 2:
		return filesystem.Meta{Inode: 2, Type: filesystem.Regular, Mode: 0o644, Links: 1, Size: s.size, Mtime: s.mtime}, nil
	}
	return filesystem.Meta{}, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
}

func (s *single) ReadAt(i filesystem.Inode, p []byte, off int64) (int, error) {
	if i != 2 {
		return 0, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	return s.r.ReadAt(p, off)
}

func (s *single) Readlink(filesystem.Inode) ([]byte, error) { return nil, filesystem.ErrNotSupported }

func (s *single) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return []filesystem.Extent{{Length: s.size}}, nil
}

func (s *single) Info() filesystem.Info { return filesystem.Info{Kind: "file"} }

// Alone gives a tree that holds one file, for bytes that come from no filesystem's file.
func Alone(name string, r io.ReaderAt, size int64, mtime evidence.Time) Entry {
	s := &single{name: name, r: r, size: size, mtime: mtime}
	m, _ := s.Stat(2)
	return Entry{Path: name, Meta: m, Mount: &Mount{At: "/", FS: s}}
}
