// Package ziparchive reads a zip archive as a tree. Members are unpacked on first use
// into a file without a name in the case's spool, so that memory stays small.
package ziparchive

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
	"telltale/internal/memtree"
)

// encryptedBit of a member's general purpose flags says that a password is needed (APPNOTE.TXT 4.4.4).
const encryptedBit = 1

// FS is an archive.
type FS struct {
	tree  *memtree.Tree[member]
	spool *os.File
	mu    sync.Mutex
	end   int64 // of the spool
	at    map[filesystem.Inode]section
}

type member struct {
	f    *zip.File
	meta filesystem.Meta
}

type section struct{ off, size int64 }

var _ filesystem.FS = (*FS)(nil)

// Probe tells a zip archive by its first local header or its empty end record (APPNOTE.TXT 4.3.7, 4.3.16).
func Probe(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// Open lists the archive; members are spooled into dir when they are read.
func Open(ctx context.Context, r io.ReaderAt, size int64, dir string) (*FS, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	out, err := os.CreateTemp(dir, "zip-*")
	if err != nil {
		return nil, err
	}
	os.Remove(out.Name())
	top := member{meta: filesystem.Meta{Type: filesystem.Directory, Mode: 0o755, Links: 2}}
	f := &FS{tree: memtree.New(top), spool: out, at: map[filesystem.Inode]section{}}
	for _, zf := range z.File {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := newMember(zf)
		if _, err := f.tree.Add(memtree.Clean(zf.Name), m, top, m.meta.Type == filesystem.Directory); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func newMember(zf *zip.File) member {
	mode := zf.Mode()
	m := member{f: zf, meta: filesystem.Meta{Mode: uint16(mode.Perm()), Size: int64(zf.UncompressedSize64), Links: 1}}
	if zf.Flags&encryptedBit != 0 {
		m.meta.Flags |= filesystem.Encrypted
	}
	if !zf.Modified.IsZero() {
		m.meta.Mtime = evidence.At(zf.Modified, 2*time.Second) // MS-DOS time counts in twos
	}
	switch {
	case mode.IsDir() || strings.HasSuffix(zf.Name, "/"):
		m.meta.Type, m.meta.Size = filesystem.Directory, 0
	case mode&fs.ModeSymlink != 0:
		m.meta.Type = filesystem.Symlink
	default:
		m.meta.Type = filesystem.Regular
	}
	return m
}

// Close gives the spool back.
func (f *FS) Close() error { return f.spool.Close() }

// Root gives the archive's top.
func (f *FS) Root() filesystem.Inode { return memtree.Root }

// Info describes the archive.
func (f *FS) Info() filesystem.Info { return filesystem.Info{Kind: "zip"} }

// ReadDir yields the names in a directory.
func (f *FS) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		f.tree.Children(uint64(i), func(name string, c int) bool {
			m, _ := f.tree.Get(uint64(c))
			return yield(filesystem.Dirent{Name: []byte(name), Inode: filesystem.Inode(c), Type: m.meta.Type}, nil)
		})
	}
}

// Stat gives a member's metadata.
func (f *FS) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	m, ok := f.tree.Get(uint64(i))
	if !ok {
		return filesystem.Meta{}, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	m.meta.Inode = i
	return m.meta, nil
}

// ReadAt reads a member.
func (f *FS) ReadAt(i filesystem.Inode, p []byte, off int64) (int, error) {
	s, err := f.unpacked(i)
	if err != nil {
		return 0, err
	}
	return io.NewSectionReader(f.spool, s.off, s.size).ReadAt(p, off)
}

// unpacked gives where a member lies in the spool, and puts it there if it is the first reading. What
// can be read of a damaged member is kept; the error comes once.
func (f *FS) unpacked(i filesystem.Inode) (section, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.at[i]; ok {
		return s, nil
	}
	m, ok := f.tree.Get(uint64(i))
	if !ok || m.f == nil || m.meta.Type == filesystem.Directory {
		return section{}, fmt.Errorf("inode %d is no regular file: %w", i, filesystem.ErrNotSupported)
	}
	if m.meta.Flags&filesystem.Encrypted != 0 {
		return section{}, fmt.Errorf("member %q: %w", m.f.Name, filesystem.ErrEncrypted)
	}
	r, err := m.f.Open()
	if err != nil {
		return section{}, fmt.Errorf("member %q: %w", m.f.Name, err)
	}
	defer r.Close()
	if f.end+int64(m.f.UncompressedSize64) > limit.Expansion {
		return section{}, fmt.Errorf("member %q: %w", m.f.Name, limit.ErrLimit)
	}
	n, err := io.Copy(io.NewOffsetWriter(f.spool, f.end), io.LimitReader(r, limit.Expansion-f.end))
	s := section{f.end, n}
	f.end += n
	f.at[i] = s
	if err != nil {
		return s, &evidence.Damage{Ref: evidence.Ref{Path: "zip:" + m.f.Name, Off: n}, Reason: err.Error()}
	}
	return s, nil
}

// Readlink gives a symlink's target, which zip keeps as its content.
func (f *FS) Readlink(i filesystem.Inode) ([]byte, error) {
	m, err := f.Stat(i)
	if err != nil || m.Type != filesystem.Symlink || m.Size > 4096 {
		return nil, fmt.Errorf("inode %d is no symlink: %w", i, filesystem.ErrNotSupported)
	}
	b := make([]byte, m.Size)
	n, err := f.ReadAt(i, b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

// Extents: the content is compressed, so no byte of it lies anywhere by itself.
func (f *FS) Extents(filesystem.Inode) ([]filesystem.Extent, error) {
	return nil, filesystem.ErrNotSupported
}
