// Package tarball reads a tar archive (POSIX ustar and pax, GNU, old V7) as a tree:
// extracted nowhere, read where it lies. Owners, modes and change times are those
// that the archive carries: tar keeps the modification time, pax may keep more.
package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/limit"
	"telltale/internal/manifest"
	"telltale/internal/memtree"
)

// blockSize is tar's unit.
const blockSize = 512 // bytes

// FS is an archive.
type FS struct {
	r      io.ReaderAt
	tree   *memtree.Tree[member]
	damage []evidence.Damage
}

type member struct {
	meta   filesystem.Meta
	off    int64 // of the content within the archive
	target string
	xattr  map[string][]byte
	sparse bool
}

var _ filesystem.FS = (*FS)(nil)

// Probe tells a tar archive by the magic or, for V7, the checksum of its first header (POSIX.1-2017, pax, "ustar Interchange Format").
func Probe(head []byte) bool {
	if len(head) < blockSize {
		return false
	}
	if string(head[257:262]) == "ustar" {
		return true
	}
	if head[0] == 0 {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 32)
	if err != nil {
		return false
	}
	var sum int64
	for i, b := range head[:blockSize] {
		if i >= 148 && i < 156 {
			b = ' '
		}
		sum += int64(b)
	}
	return sum == want && want > 0
}

// Open lists the archive once. Where the archive is damaged the members before are kept, and those
// behind found again by their headers; Damage says where.
func Open(ctx context.Context, r io.ReaderAt, size int64) (*FS, error) {
	dir := member{meta: filesystem.Meta{Type: filesystem.Directory, Mode: 0o755, Links: 2}}
	f := &FS{r: r, tree: memtree.New(dir)}
	base := int64(0)
	for base < size {
		sr := io.NewSectionReader(r, base, size-base)
		t := tar.NewReader(sr)
		err := f.list(ctx, t, sr, base, size, dir)
		if err == nil {
			break
		}
		if ctx.Err() != nil || errors.Is(err, limit.ErrLimit) {
			return nil, err
		}
		at, _ := sr.Seek(0, io.SeekCurrent)
		at = base + at
		next := resync(ctx, r, max(at-blockSize, base+blockSize)/blockSize*blockSize, size)
		reason := fmt.Sprintf("archive is damaged (%v)", err)
		if next < 0 {
			f.damage = append(f.damage, evidence.Damage{Ref: evidence.Ref{Path: "tar:", Off: at}, Reason: reason + "; nothing can be read behind it"})
			break
		}
		f.damage = append(f.damage, evidence.Damage{Ref: evidence.Ref{Path: "tar:", Off: at, Len: next - at}, Reason: reason + "; reading goes on at the next header"})
		base = next
		if len(f.damage) > 1000 {
			break
		}
	}
	return f, nil
}

// resync finds the next plausible header at or behind off, -1 if there is none.
func resync(ctx context.Context, r io.ReaderAt, off, size int64) int64 {
	buf := make([]byte, 1<<20)
	for ; off+blockSize <= size; off += int64(len(buf)) {
		if ctx.Err() != nil {
			return -1
		}
		n, _ := r.ReadAt(buf, off)
		for i := 0; i+blockSize <= n; i += blockSize {
			if string(buf[i+257:i+262]) == "ustar" && Probe(buf[i:i+blockSize]) {
				return off + int64(i)
			}
		}
	}
	return -1
}

func (f *FS) list(ctx context.Context, t *tar.Reader, sr *io.SectionReader, base, size int64, implied member) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		off, err := sr.Seek(0, io.SeekCurrent) // archive/tar does not read ahead: this is where the content begins
		if err != nil {
			return err
		}
		m := newMember(h, base+off)
		path := memtree.Clean(h.Name)
		if m.sparse || m.meta.Type == filesystem.Regular && m.meta.Flags&filesystem.Untaken == 0 && m.off+m.meta.Size > size {
			if !m.sparse {
				f.damage = append(f.damage, evidence.Damage{Ref: evidence.Ref{Path: "tar:/" + strings.Join(path, "/"), Off: m.off}, Reason: "the archive ends within this member"})
			}
		}
		if h.Typeflag == tar.TypeLink {
			if i, ok := f.tree.Find(memtree.Clean(h.Linkname)); ok {
				m, _ = f.tree.Get(uint64(i))
			}
		}
		i, err := f.tree.Add(path, m, implied, m.meta.Type == filesystem.Directory)
		if err != nil {
			return err
		}
		_ = i
	}
}

func newMember(h *tar.Header, off int64) member {
	m := member{off: off, target: h.Linkname}
	m.meta = filesystem.Meta{
		Mode: uint16(h.Mode & 0o7777), UID: uint32(h.Uid), GID: uint32(h.Gid), Size: h.Size, Links: 1,
		Mtime: stamp(h.ModTime), Atime: stamp(h.AccessTime), Ctime: stamp(h.ChangeTime),
		Ref: evidence.Ref{Path: "tar:", Off: off - blockSize, Len: blockSize},
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeLink, tar.TypeCont:
		m.meta.Type = filesystem.Regular
	case tar.TypeGNUSparse:
		m.meta.Type, m.sparse = filesystem.Regular, true
	case tar.TypeDir:
		m.meta.Type = filesystem.Directory
	case tar.TypeSymlink:
		m.meta.Type, m.meta.Size = filesystem.Symlink, int64(len(h.Linkname))
	case tar.TypeChar:
		m.meta.Type = filesystem.CharDevice
	case tar.TypeBlock:
		m.meta.Type = filesystem.BlockDevice
	case tar.TypeFifo:
		m.meta.Type = filesystem.FIFO
	}
	if m.meta.Type != filesystem.Regular && m.meta.Type != filesystem.Symlink {
		m.meta.Size = 0
	}
	m.meta.Rdev = uint64(h.Devmajor)<<8 | uint64(h.Devminor)&0xff
	for k, v := range h.PAXRecords {
		if name, ok := strings.CutPrefix(k, manifest.AttributeRecord); ok {
			if m.xattr == nil {
				m.xattr = map[string][]byte{}
			}
			m.xattr[name] = []byte(v)
		}
		m.sparse = m.sparse || strings.HasPrefix(k, "GNU.sparse.")
		m.said(k, v)
	}
	return m
}

// said takes what our own collections (acquire/pack) and libarchive say of a file beside what tar has room for.
func (m *member) said(key, v string) {
	switch key {
	case manifest.UntakenRecord:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 && m.meta.Type == filesystem.Regular && m.meta.Size == 0 {
			m.meta.Size = n
			m.meta.Flags |= filesystem.Untaken
		}
	case manifest.ImmutableRecord:
		m.meta.Flags |= filesystem.Immutable
	case manifest.BornRecord:
		sec, frac, _ := strings.Cut(v, ".")
		s, err1 := strconv.ParseInt(sec, 10, 64)
		n, err2 := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
		if err1 == nil && err2 == nil && n >= 0 {
			m.meta.Crtime = evidence.Unix(s, n, time.Nanosecond)
		}
	}
}

func stamp(t time.Time) evidence.Time {
	switch {
	case t.IsZero():
		return evidence.Time{}
	case t.Nanosecond() == 0:
		return evidence.At(t, time.Second)
	}
	return evidence.At(t, time.Nanosecond)
}

// Damage tells where the archive could not be read.
func (f *FS) Damage() []evidence.Damage { return f.damage }

// Root gives the archive's top.
func (f *FS) Root() filesystem.Inode { return memtree.Root }

// Info describes the archive.
func (f *FS) Info() filesystem.Info { return filesystem.Info{Kind: "tar"} }

// ReadDir yields the names in a directory.
func (f *FS) ReadDir(i filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		f.tree.Children(uint64(i), func(name string, c int) bool {
			m, _ := f.tree.Get(uint64(c))
			return yield(filesystem.Dirent{Name: []byte(name), Inode: filesystem.Inode(c), Type: m.meta.Type}, nil)
		})
	}
}

func (f *FS) member(i filesystem.Inode) (member, error) {
	m, ok := f.tree.Get(uint64(i))
	if !ok {
		return m, fmt.Errorf("inode %d: %w", i, filesystem.ErrNotExist)
	}
	return m, nil
}

// Stat gives a member's metadata.
func (f *FS) Stat(i filesystem.Inode) (filesystem.Meta, error) {
	m, err := f.member(i)
	m.meta.Inode = i
	return m.meta, err
}

// ReadAt reads a member where it lies.
func (f *FS) ReadAt(i filesystem.Inode, p []byte, off int64) (int, error) {
	m, err := f.member(i)
	switch {
	case err != nil:
		return 0, err
	case m.meta.Type != filesystem.Regular:
		return 0, fmt.Errorf("inode %d is no regular file: %w", i, filesystem.ErrNotSupported)
	case m.meta.Flags&filesystem.Untaken != 0:
		return 0, &evidence.Damage{Ref: m.meta.Ref, Reason: "its content was not collected"}
	case m.sparse:
		return f.readSparse(m, p, off)
	case off < 0 || off >= m.meta.Size:
		return 0, io.EOF
	}
	short := false
	if int64(len(p)) > m.meta.Size-off {
		p, short = p[:m.meta.Size-off], true
	}
	n, err := f.r.ReadAt(p, m.off+off)
	if n == len(p) {
		if err = nil; short {
			err = io.EOF
		}
	}
	return n, err
}

// readSparse reads a sparse member through archive/tar, which knows its maps. It reads from the
// member's beginning each time: such members are rare and small in collections.
func (f *FS) readSparse(m member, p []byte, off int64) (int, error) {
	return 0, &evidence.Damage{Ref: m.meta.Ref, Reason: "sparse member of a tar archive: " + filesystem.ErrNotSupported.Error()}
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(i filesystem.Inode) ([]byte, error) {
	m, err := f.member(i)
	if err != nil || m.meta.Type != filesystem.Symlink {
		return nil, fmt.Errorf("inode %d is no symlink: %w", i, filesystem.ErrNotSupported)
	}
	return bytes.Clone([]byte(m.target)), nil
}

// Extents tells where a member's content lies.
func (f *FS) Extents(i filesystem.Inode) ([]filesystem.Extent, error) {
	m, err := f.member(i)
	if err != nil || m.sparse {
		return nil, filesystem.ErrNotSupported
	}
	return []filesystem.Extent{{Physical: m.off, Length: m.meta.Size}}, nil
}

// Xattrs gives the extended attributes that pax records carry.
func (f *FS) Xattrs(i filesystem.Inode) (map[string][]byte, error) {
	m, err := f.member(i)
	return m.xattr, err
}
