// Package tree reads a folder of the examiner's own machine as evidence: an
// extracted server tree, or a flat folder of logs. It opens files for reading only,
// never leaves the folder (os.Root refuses links that lead out), and follows no
// link itself: links are evidence, resolved within the evidence by package host.
// Owner, mode and change time are those of the copy: an extraction without root
// rights has lost the original's.
package tree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
)

// FS is a folder. Inode numbers are its own, given in the order of first sight.
type FS struct {
	root *os.Root
	mu   sync.Mutex
	path []string                    // by inode
	ids  map[string]filesystem.Inode // by path
	open map[filesystem.Inode]*os.File
	fifo []filesystem.Inode // order of opening, for closing the oldest
}

var _ filesystem.FS = (*FS)(nil)

// maxOpen is how many files are held open at once.
const maxOpen = 64

// Open opens the folder at dir.
func Open(dir string) (*FS, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %q: %w", dir, err)
	}
	return &FS{root: root, path: []string{"", "."}, ids: map[string]filesystem.Inode{".": 1}, open: map[filesystem.Inode]*os.File{}}, nil
}

// Close closes what is held open.
func (f *FS) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.open {
		h.Close()
	}
	f.open = nil
	return f.root.Close()
}

// Root gives the folder itself.
func (f *FS) Root() filesystem.Inode { return 1 }

// Info describes the folder.
func (f *FS) Info() filesystem.Info { return filesystem.Info{Kind: "folder"} }

func (f *FS) name(i filesystem.Inode) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i == 0 || uint64(i) >= uint64(len(f.path)) {
		return "", fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	return f.path[i], nil
}

func (f *FS) id(path string) (filesystem.Inode, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i, ok := f.ids[path]; ok {
		return i, nil
	}
	if len(f.path) > limit.Entries {
		return 0, fmt.Errorf("more than %d files: %w", limit.Entries, limit.ErrLimit)
	}
	i := filesystem.Inode(len(f.path))
	f.path = append(f.path, path)
	f.ids[path] = i
	return i, nil
}

// ReadDir yields the names in a folder.
func (f *FS) ReadDir(dir filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		name, err := f.name(dir)
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		h, err := f.root.Open(name)
		if err != nil {
			yield(filesystem.Dirent{}, damage(name, err))
			return
		}
		defer h.Close()
		for {
			list, err := h.ReadDir(1024)
			for _, e := range list {
				id, idErr := f.id(filepath.Join(name, e.Name()))
				if idErr != nil {
					yield(filesystem.Dirent{}, idErr)
					return
				}
				if !yield(filesystem.Dirent{Name: []byte(e.Name()), Inode: id, Type: typeOf(e.Type())}, nil) {
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(filesystem.Dirent{}, damage(name, err))
				}
				return
			}
		}
	}
}

// Stat gives a file's metadata.
func (f *FS) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	name, err := f.name(i)
	if err != nil {
		return filesystem.Meta{}, err
	}
	st, err := f.root.Lstat(name)
	if err != nil {
		return filesystem.Meta{}, damage(name, err)
	}
	m := filesystem.Meta{
		Inode: i, Type: typeOf(st.Mode()), Mode: uint16(st.Mode().Perm()), Size: st.Size(), Links: 1,
		Mtime: evidence.At(st.ModTime(), time.Nanosecond),
	}
	for bit, mode := range map[fs.FileMode]uint16{fs.ModeSetuid: filesystem.SetUID, fs.ModeSetgid: filesystem.SetGID, fs.ModeSticky: filesystem.Sticky} {
		if st.Mode()&bit != 0 {
			m.Mode |= mode
		}
	}
	system(&m, st)
	return m, nil
}

// ReadAt reads a regular file.
func (f *FS) ReadAt(i filesystem.Inode, p []byte, off int64) (int, error) {
	for {
		h, err := f.file(i)
		if err != nil {
			return 0, err
		}
		n, err := h.ReadAt(p, off)
		if !errors.Is(err, os.ErrClosed) || f.closed() { // closed as the oldest, by another reader: open it again
			return n, err
		}
	}
}

// file gives an open handle of a regular file; other types are refused, since opening
// a FIFO would wait for ever and opening a device may act.
func (f *FS) file(i filesystem.Inode) (*os.File, error) {
	name, err := f.name(i)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.open[i]; h != nil {
		return h, nil
	}
	if f.open == nil {
		return nil, fmt.Errorf("%q: %w", name, fs.ErrClosed)
	}
	st, err := f.root.Lstat(name)
	if err != nil {
		return nil, damage(name, err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no regular file: %w", name, filesystem.ErrNotSupported)
	}
	h, err := f.root.Open(name)
	if err != nil {
		return nil, damage(name, err)
	}
	if len(f.fifo) >= maxOpen {
		f.open[f.fifo[0]].Close()
		delete(f.open, f.fifo[0])
		f.fifo = f.fifo[1:]
	}
	f.open[i] = h
	f.fifo = append(f.fifo, i)
	return h, nil
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(i filesystem.Inode) ([]byte, error) {
	name, err := f.name(i)
	if err != nil {
		return nil, err
	}
	t, err := f.root.Readlink(name)
	if err != nil {
		return nil, damage(name, err)
	}
	return []byte(t), nil
}

// Extents: a folder does not know where its bytes lie.
func (f *FS) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return nil, filesystem.ErrNotSupported
}

func (f *FS) closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open == nil
}

func damage(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &evidence.Damage{Ref: evidence.Ref{Path: "/" + filepath.ToSlash(name)}, Reason: err.Error()}
}

func typeOf(m fs.FileMode) filesystem.Type {
	switch {
	case m.IsRegular():
		return filesystem.Regular
	case m.IsDir():
		return filesystem.Directory
	case m&fs.ModeSymlink != 0:
		return filesystem.Symlink
	case m&fs.ModeCharDevice != 0:
		return filesystem.CharDevice
	case m&fs.ModeDevice != 0:
		return filesystem.BlockDevice
	case m&fs.ModeNamedPipe != 0:
		return filesystem.FIFO
	case m&fs.ModeSocket != 0:
		return filesystem.Socket
	}
	return filesystem.UnknownType
}
