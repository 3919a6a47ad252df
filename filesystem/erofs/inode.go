package erofs

import (
	"fmt"
	"iter"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Inodes (struct erofs_inode_compact, erofs_inode_extended).
const (
	compactSize  = 32 // bytes
	extendedSize = 64

	flatPlain         = 0 // EROFS_INODE_FLAT_PLAIN ...
	compressedFull    = 1
	flatInline        = 2
	compressedCompact = 3
	chunkBased        = 4

	maxTarget = 64 << 10
	maxListed = 5_000_000
	direntLen = 12 // bytes, struct erofs_dirent
)

var modeTypes = [16]filesystem.Type{1: filesystem.FIFO, 2: filesystem.CharDevice, 4: filesystem.Directory, 6: filesystem.BlockDevice, 8: filesystem.Regular, 10: filesystem.Symlink, 12: filesystem.Socket}

var direntTypes = [...]filesystem.Type{filesystem.UnknownType, filesystem.Regular, filesystem.Directory, filesystem.CharDevice, filesystem.BlockDevice, filesystem.FIFO, filesystem.Socket, filesystem.Symlink}

// inode is an inode's record.
type inode struct {
	meta   filesystem.Meta
	layout int
	u      uint32 // block of the content, device number, or how chunks are mapped
	xattr  int64  // bytes of extended attributes behind the record
	behind int64  // offset of what stands behind those
}

func (f *FS) inode(n filesystem.Inode) (*inode, error) {
	at := int64(n)
	if n > 1<<62 || at < superOffset+superSize || at < f.meta || (at-f.meta)%slotSize != 0 || at > f.size-compactSize {
		return nil, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	var b [extendedSize]byte
	if err := f.readAt(b[:compactSize], at); err != nil {
		return nil, err
	}
	c := bin.Little(b[:])
	format, xattrs, mode := c.U16(), int64(c.U16()), c.U16()
	in := &inode{layout: int(format >> 1 & 7)}
	m := &in.meta
	size := int64(compactSize)
	if format&1 == 0 {
		m.Links, m.Size, m.Mtime = uint32(c.U16()), int64(c.U32()), f.made
		in.u = c.Skip(4).U32()
		m.UID = uint32(c.Skip(4).U16())
		m.GID = uint32(c.U16())
	} else {
		size = extendedSize
		if err := f.readAt(b[:], at); err != nil {
			return nil, err
		}
		m.Size = int64(c.Skip(2).U64())
		in.u = c.U32()
		m.UID, m.GID = c.Skip(4).U32(), c.U32()
		sec, nsec := c.U64(), c.U32()
		m.Mtime, m.Links = evidence.Unix(int64(sec), int64(nsec%1e9), time.Nanosecond), c.U32()
	}
	m.Inode, m.Type, m.Mode, m.Ref = n, modeTypes[mode>>12], mode&0o7777, evidence.Ref{Off: at, Len: size}
	if format>>5 != 0 || in.layout > chunkBased || m.Type == filesystem.UnknownType || m.Size < 0 {
		return nil, damage(at, size, "inode of format %#x, mode %o, %d bytes", format, mode, m.Size)
	}
	if m.Type == filesystem.CharDevice || m.Type == filesystem.BlockDevice {
		m.Rdev = uint64(in.u)
	}
	if xattrs > 0 {
		in.xattr = xattrHead + 4*(xattrs-1)
	}
	in.behind = at + size + in.xattr
	return in, nil
}

// Stat gives an inode's metadata. The filesystem keeps one time only, and for compact inodes that of the image.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	in, err := f.inode(n)
	if err != nil {
		return filesystem.Meta{}, err
	}
	return in.meta, nil
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(n filesystem.Inode) ([]byte, error) {
	in, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	if in.meta.Type != filesystem.Symlink {
		return nil, fmt.Errorf("inode %d is no symlink: %w", n, filesystem.ErrNotSupported)
	}
	if in.meta.Size > maxTarget {
		return nil, damage(in.meta.Ref.Off, in.meta.Ref.Len, "symlink of %d bytes", in.meta.Size)
	}
	b := make([]byte, in.meta.Size)
	m, err := f.mapOf(in)
	if err != nil {
		return nil, err
	}
	k, err := f.read(m, b, 0)
	return b[:k], err
}

// ReadDir yields the names in a directory.
func (f *FS) ReadDir(n filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		in, err := f.inode(n)
		if err == nil && in.meta.Type != filesystem.Directory {
			err = fmt.Errorf("inode %d is no directory: %w", n, filesystem.ErrNotExist)
		}
		var m *contentMap
		if err == nil {
			m, err = f.mapOf(in)
		}
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		listed := 0
		buf := make([]byte, f.block)
		for off := int64(0); off < m.size; off += f.block {
			b := buf[:min(f.block, m.size-off)]
			if _, err := f.read(m, b, off); err != nil {
				yield(filesystem.Dirent{}, err)
				return
			}
			if !f.names(b, in, &listed, yield) {
				return
			}
		}
	}
}

// names yields one block of a directory: entries, then their names.
func (f *FS) names(b []byte, in *inode, listed *int, yield func(filesystem.Dirent, error) bool) bool {
	r := in.meta.Ref
	c := bin.Little(b)
	first := int(c.Seek(min(8, len(b))).U16())
	if c.Err() != nil || first < direntLen || first > len(b) || first%direntLen != 0 {
		return yield(filesystem.Dirent{}, damage(r.Off, r.Len, "directory block whose names begin at %d of %d", first, len(b)))
	}
	for i := 0; i < first; i += direntLen {
		c.Seek(i)
		nid, from, kind := c.U64(), int(c.U16()), c.U8()
		to := len(b)
		if i+direntLen < first {
			to = int(c.Seek(i + direntLen + 8).U16())
		}
		if c.Err() != nil || from < first || from > to || to > len(b) {
			return yield(filesystem.Dirent{}, damage(r.Off, r.Len, "name from %d to %d of a directory block of %d bytes", from, to, len(b)))
		}
		name := bin.Little(b[from:to]).CString(to - from)
		if s := string(name); s == "." || s == ".." {
			continue
		}
		if *listed++; *listed > maxListed {
			yield(filesystem.Dirent{}, damage(r.Off, r.Len, "directory of more than %d names", maxListed))
			return false
		}
		d := filesystem.Dirent{Name: name}
		if int(kind) < len(direntTypes) {
			d.Type = direntTypes[kind]
		}
		if nid < 1<<56 {
			d.Inode = filesystem.Inode(f.meta + int64(nid)*slotSize)
		}
		if !yield(d, nil) {
			return false
		}
	}
	return true
}
