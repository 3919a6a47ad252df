package squashfs

import (
	"fmt"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

// Types of inodes (SQUASHFS_DIR_TYPE ...). The extended ones stand seven above the plain ones.
const (
	dirType     = 1
	regType     = 2
	symlinkType = 3
	blockType   = 4
	charType    = 5
	fifoType    = 6
	socketType  = 7
	extended    = 7

	noFragment  = 1<<32 - 1
	noXattr     = 1<<32 - 1
	dirOverhead = 3 // what a directory's size counts beyond its listing, for "." and ".."
	maxSymlink  = 64 << 10
)

var types = [...]filesystem.Type{filesystem.UnknownType, filesystem.Directory, filesystem.Regular, filesystem.Symlink, filesystem.BlockDevice, filesystem.CharDevice, filesystem.FIFO, filesystem.Socket}

func typeOf(t uint16) filesystem.Type {
	if t > extended {
		t -= extended
	}
	if int(t) >= len(types) {
		t = 0
	}
	return types[t]
}

// inode is an inode's record.
type inode struct {
	kind     uint16
	meta     filesystem.Meta
	start    uint64 // of content, or of the listing's block within the table of directories
	offset   uint32 // in the listing's block, or in the fragment
	fragment uint32
	xattr    uint32
	target   []byte
	rest     *cursor // behind the record's fixed part: the list of blocks
}

func (f *FS) inode(n filesystem.Inode) (*inode, error) {
	ref := uint64(n) - 1
	if n == 0 || ref>>16 > uint64(f.size) || ref&0xffff >= metadataSize {
		return nil, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	c := f.metaAt(f.sb.inodeTable, ref>>16, int(ref&0xffff))
	in := &inode{kind: c.u16(), xattr: noXattr, fragment: noFragment, rest: c}
	m := &in.meta
	m.Mode = c.u16() & 0o7777
	uid, gid := c.u16(), c.u16()
	m.Mtime = evidence.Unix(int64(c.u32()), 0, time.Second)
	c.u32() // the number that the image gives it
	if c.err != nil {
		return nil, c.err
	}
	m.Ref = c.ref()
	if m.Type = typeOf(in.kind); m.Type == filesystem.UnknownType || in.kind > socketType+extended {
		return nil, damage(m.Ref.Off, m.Ref.Len, "inode %d is of type %d", n, in.kind)
	}
	in.body(c)
	if c.err != nil {
		return nil, c.err
	}
	m.Inode = n
	var err error
	if m.UID, err = f.owner(uid, m.Ref); err == nil {
		m.GID, err = f.owner(gid, m.Ref)
	}
	return in, err
}

// owner looks an id up. What is not in the table is damage beside an inode that can be read.
func (f *FS) owner(i uint16, ref evidence.Ref) (uint32, error) {
	if int(i) >= len(f.ids) {
		return 0, damage(ref.Off, ref.Len, "owner %d of %d", i, len(f.ids))
	}
	return f.ids[i], nil
}

// body reads what the type says.
func (in *inode) body(c *cursor) {
	m := &in.meta
	m.Links = 1
	switch in.kind {
	case dirType:
		in.start, m.Links, m.Size = uint64(c.u32()), c.u32(), int64(c.u16())
		in.offset = uint32(c.u16())
		c.u32()
	case dirType + extended:
		m.Links, m.Size, in.start = c.u32(), int64(c.u32()), uint64(c.u32())
		c.u32()
		c.u16() // entries of the index that follows; it is only for finding names faster
		in.offset, in.xattr = uint32(c.u16()), c.u32()
	case regType:
		in.start, in.fragment, in.offset, m.Size = uint64(c.u32()), c.u32(), c.u32(), int64(c.u32())
	case regType + extended:
		in.start, m.Size = c.u64(), int64(c.u64())
		c.u64() // bytes of holes
		m.Links, in.fragment, in.offset, in.xattr = c.u32(), c.u32(), c.u32(), c.u32()
	case symlinkType, symlinkType + extended:
		m.Links, m.Size = c.u32(), int64(c.u32())
		if m.Size > maxSymlink {
			c.err = damage(m.Ref.Off, m.Ref.Len, "symlink of %d bytes", m.Size)
			return
		}
		in.target = make([]byte, m.Size)
		c.read(in.target)
		if in.kind > extended {
			in.xattr = c.u32()
		}
	default:
		m.Links = c.u32()
		if t := m.Type; t == filesystem.BlockDevice || t == filesystem.CharDevice {
			m.Rdev = uint64(c.u32())
		}
		if in.kind > extended {
			in.xattr = c.u32()
		}
	}
	if m.Size < 0 {
		c.err = damage(m.Ref.Off, m.Ref.Len, "file of %d bytes", uint64(m.Size))
	}
}

// Stat gives an inode's metadata. The filesystem keeps one time only.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	in, err := f.inode(n)
	if in == nil {
		return filesystem.Meta{}, err
	}
	return in.meta, err
}

// Readlink gives a symlink's target.
func (f *FS) Readlink(n filesystem.Inode) ([]byte, error) {
	in, err := f.inode(n)
	if in == nil {
		return nil, err
	}
	if in.meta.Type != filesystem.Symlink {
		return nil, fmt.Errorf("inode %d is no symlink: %w", n, filesystem.ErrNotSupported)
	}
	return in.target, nil
}
