package squashfs

import (
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Extended attributes (struct squashfs_xattr_entry, squashfs_xattr_id).
const (
	xattrHeadSize = 16    // bytes of the table's head
	xattrIDSize   = 16    // bytes of an entry
	xattrOutside  = 0x100 // the value lies elsewhere: a reference stands for it
	maxValue      = 64 << 10
	maxXattrs     = 10_000
)

var xattrPrefixes = [...]string{"user.", "trusted.", "security."}

func (f *FS) readXattrHeader() error {
	if f.sb.xattrTable == noTable || f.sb.flags&flagNoXattrs != 0 && f.sb.xattrTable == 0 {
		return nil
	}
	if f.sb.xattrTable > uint64(f.size) {
		return damage(0, 0, "their table lies at %d, beyond the end at %d", f.sb.xattrTable, f.size)
	}
	var b [xattrHeadSize]byte
	if err := f.readAt(b[:], int64(f.sb.xattrTable)); err != nil {
		return err
	}
	c := bin.Little(b[:])
	base := c.U64()
	if base > uint64(f.size) {
		return damage(int64(f.sb.xattrTable), xattrHeadSize, "they lie at %d, beyond the end at %d", base, f.size)
	}
	f.xattrBase, f.xattrCount = int64(base), c.U32()
	return nil
}

// Xattrs gives a file's extended attributes.
func (f *FS) Xattrs(n filesystem.Inode) (map[string][]byte, error) {
	in, err := f.inode(n)
	if in == nil || in.xattr == noXattr {
		return nil, err
	}
	r := in.meta.Ref
	if in.xattr >= f.xattrCount {
		return nil, damage(r.Off, r.Len, "extended attributes %d of %d", in.xattr, f.xattrCount)
	}
	t, err := f.tableBlock(f.sb.xattrTable+xattrHeadSize, int(in.xattr/xattrsPerBlock))
	if err != nil {
		return nil, err
	}
	e := bin.Little(t).Seek(int(in.xattr%xattrsPerBlock) * xattrIDSize)
	at, count := e.U64(), e.U32()
	if e.Err() != nil || count > maxXattrs {
		return nil, damage(r.Off, r.Len, "%d extended attributes", count)
	}
	c := f.metaAt(uint64(f.xattrBase), at>>16, int(at&0xffff))
	out := map[string][]byte{}
	for range count {
		kind, size := c.u16(), int(c.u16())
		name := make([]byte, size)
		c.read(name)
		value := f.value(c, kind)
		if c.err != nil {
			return out, c.err
		}
		k := int(kind &^ xattrOutside)
		if k >= len(xattrPrefixes) {
			return out, damage(r.Off, r.Len, "extended attribute of kind %d", k)
		}
		out[xattrPrefixes[k]+string(name)] = value
	}
	return out, nil
}

// value reads a value, where it stands or where it is said to be.
func (f *FS) value(c *cursor, kind uint16) []byte {
	size := c.u32()
	if kind&xattrOutside != 0 {
		at := c.u64()
		if c.err != nil {
			return nil
		}
		o := f.metaAt(uint64(f.xattrBase), at>>16, int(at&0xffff))
		size = o.u32()
		v := o.value(size)
		if o.err != nil {
			c.err = o.err
		}
		return v
	}
	return c.value(size)
}

func (c *cursor) value(size uint32) []byte {
	if c.err == nil && size > maxValue {
		r := c.ref()
		c.err = damage(r.Off, r.Len, "extended attribute of %d bytes", size)
	}
	if c.err != nil {
		return nil
	}
	v := make([]byte, size)
	c.read(v)
	return v
}
