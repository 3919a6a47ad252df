package ext4

import (
	"encoding/binary"
	"fmt"
	"io"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	xattrMagic      = 0xea020000
	xattrBlockHead  = 32 // bytes, struct ext4_xattr_header
	xattrInodeHead  = 4  // bytes, struct ext4_xattr_ibody_header
	xattrEntry      = 16 // bytes, struct ext4_xattr_entry
	xattrBlockCRCAt = 16
	xattrSystem     = 7        // e_name_index of "system."
	maxXattr        = 64 << 10 // bytes of one value, XATTR_SIZE_MAX
	maxXattrs       = 16 << 20 // bytes of one inode's values
)

// The prefixes that e_name_index stands for.
var xattrPrefixes = [...]string{1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.",
	5: "lustre.", 6: "security.", 7: "system.", 8: "system.richacl", 9: "encryption.", 10: "gnu."}

// attr is an entry as it stands on disk.
type attr struct {
	index      uint8
	name       []byte
	off        int // of the value in its area
	inode      uint32
	size       int64
	descriptor int64 // offset of the entry in its area
}

// xattrArea is a place that holds attributes: the end of an inode, or a block.
type xattrArea struct {
	b     []byte
	at    int64 // its offset in the source
	start int   // of the entries
	base  int   // that the values' offsets are counted from
}

// Xattrs gives a file's extended attributes by their full names, with POSIX ACLs in
// the form that getxattr(2) gives. What cannot be read is damage; the rest is given.
func (f *FS) Xattrs(n filesystem.Inode) (map[string][]byte, error) {
	in, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	x := xattrReader{f: f, in: &in, values: make(map[string][]byte)}
	if a, ok := in.xattrArea(); ok {
		x.area(a)
	}
	if in.acl != 0 {
		x.block()
	}
	if x.damage != nil {
		return x.values, x.damage
	}
	return x.values, nil
}

// xattrArea gives the place behind the fields of an inode bigger than 128 bytes.
func (in *inode) xattrArea() (xattrArea, bool) {
	start := oldInodeSize + in.extra
	if in.extra == 0 || start+xattrInodeHead > len(in.raw) || bin.Little(in.raw).Seek(start).U32() != xattrMagic {
		return xattrArea{}, false
	}
	return xattrArea{b: in.raw[start:], at: in.off + int64(start), start: xattrInodeHead, base: xattrInodeHead}, true
}

// each calls f for every entry, and tells whether the list was whole.
func (a *xattrArea) each(f func(attr)) bool {
	for off := a.start; ; {
		if off+4 > len(a.b) || bin.Little(a.b).Seek(off).U32() == 0 {
			return true
		}
		c := bin.Little(a.b).Seek(off)
		nameLen := int(c.U8())
		e := attr{index: c.U8(), off: int(c.U16()), inode: c.U32(), size: int64(c.U32()), descriptor: int64(off)}
		e.name = c.Skip(4).Bytes(nameLen)
		if c.Err() != nil {
			return false
		}
		f(e)
		off += (xattrEntry + nameLen + 3) &^ 3
	}
}

// value gives the bytes of a value that lies in the area itself.
func (a *xattrArea) value(e attr) ([]byte, error) {
	if e.size > int64(len(a.b)) {
		return nil, bin.ErrShort
	}
	c := bin.Little(a.b).Seek(a.base + e.off)
	return c.Bytes(int(e.size)), c.Err()
}

type xattrReader struct {
	f      *FS
	in     *inode
	values map[string][]byte
	total  int64
	damage *evidence.Damage
}

func (x *xattrReader) bad(off int64, length int, format string, a ...any) {
	if x.damage == nil {
		x.damage = damage(off, length, "xattrs of inode %d: "+format, append([]any{x.in.number}, a...)...)
	}
}

func (x *xattrReader) block() {
	f := x.f
	at := int64(x.in.acl) * f.blockSize
	b, err := f.block(int64(x.in.acl))
	if err != nil {
		x.bad(x.in.off, len(x.in.raw), "%v", err)
		return
	}
	c := bin.Little(b)
	if c.U32() != xattrMagic {
		x.bad(at, xattrBlockHead, "block %d is no xattr block", x.in.acl)
		return
	}
	if want := c.Seek(xattrBlockCRCAt).U32(); f.sb.ro&roMetadataCsum != 0 {
		sum := crc32c64(f.sb.seed, x.in.acl)
		sum = crc32c(sum, b[:xattrBlockCRCAt])
		sum = crc32c32(sum, 0)
		if crc32c(sum, b[xattrBlockCRCAt+4:]) != want {
			f.bad.Add(xattrStructure, at)
			x.bad(at, len(b), "block does not match its checksum; it is read all the same")
		}
	}
	x.area(xattrArea{b: b, at: at, start: xattrBlockHead})
}

func (x *xattrReader) area(a xattrArea) {
	whole := a.each(func(e attr) {
		if e.index == xattrSystem && string(e.name) == inlineName {
			return // the tail of inline content, no attribute
		}
		value, err := x.value(&a, e)
		if err != nil {
			x.bad(a.at+e.descriptor, xattrEntry, "value of %q: %v", e.name, err)
			return
		}
		prefix := ""
		if int(e.index) < len(xattrPrefixes) {
			prefix = xattrPrefixes[e.index]
		}
		if prefix == "" {
			prefix = fmt.Sprintf("index-%d.", e.index)
		}
		if e.index == 2 || e.index == 3 {
			value = posixACL(value)
		}
		x.values[prefix+string(e.name)] = value
	})
	if !whole {
		x.bad(a.at, len(a.b), "the list of attributes goes beyond its place")
	}
}

// value gives a copy of an attribute's value. A big one is the content of an inode.
func (x *xattrReader) value(a *xattrArea, e attr) ([]byte, error) {
	x.total += e.size
	if e.size > maxXattr || x.total > maxXattrs {
		return nil, fmt.Errorf("has %d bytes, more than an attribute can have", e.size)
	}
	if e.inode == 0 || e.size == 0 {
		v, err := a.value(e)
		return append([]byte{}, v...), err
	}
	in, err := x.f.inode(filesystem.Inode(e.inode))
	if err != nil {
		return nil, err
	}
	if in.flags&flagEAInode == 0 || in.size < e.size {
		return nil, fmt.Errorf("inode %d holds no value of %d bytes", e.inode, e.size)
	}
	v := make([]byte, e.size)
	if n, err := x.f.content(&in, v, 0); n < len(v) || err != nil && err != io.EOF {
		return nil, err
	}
	return v, nil
}

// posixACL turns an ACL from its form on disk (struct ext4_acl_entry: no id where
// none is needed) into that of getxattr (struct posix_acl_xattr_entry). What is no
// ACL is given as it stands.
func posixACL(b []byte) []byte {
	const version, xattrVersion = 1, 2
	const user, group = 0x02, 0x08 // ACL_USER, ACL_GROUP: those with an id
	c := bin.Little(b)
	if c.U32() != version {
		return b
	}
	out := binary.LittleEndian.AppendUint32(nil, xattrVersion)
	for c.Left() > 0 {
		tag, perm, id := c.U16(), c.U16(), ^uint32(0)
		if tag == user || tag == group {
			id = c.U32()
		}
		if c.Err() != nil {
			return b
		}
		out = binary.LittleEndian.AppendUint16(out, tag)
		out = binary.LittleEndian.AppendUint16(out, perm)
		out = binary.LittleEndian.AppendUint32(out, id)
	}
	return out
}
