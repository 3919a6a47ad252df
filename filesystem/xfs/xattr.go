package xfs

import (
	"encoding/binary"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	attrLocal      = 0x01 // XFS_ATTR_LOCAL: the value lies in the leaf
	attrRoot       = 0x02
	attrSecure     = 0x04
	attrParent     = 0x08 // a parent pointer: no attribute that users see
	attrIncomplete = 0x80

	attrLeafMagic  = 0xfbee
	attrLeafMagic5 = 0x3bee
	daNodeMagic    = 0xfebe
	daNodeMagic5   = 0x3ebe
	daMagicAt      = 8
	daCRC          = 12
	daHead         = 12         // bytes, struct xfs_da_blkinfo
	daHead5        = 56         // bytes, struct xfs_da3_blkinfo
	remoteMagic    = 0x5841524d // "XARM"
	remoteHead     = 56         // bytes, struct xfs_attr3_rmt_hdr
	remoteCRC      = 12

	maxXattr      = 64 << 10 // bytes of one value, XATTR_SIZE_MAX
	maxXattrs     = 16 << 20 // bytes of one inode's names and values
	maxAttrBlocks = 1 << 16  // of one inode's leaves

	aclFile    = "SGI_ACL_FILE" // where XFS keeps POSIX ACLs, in the root namespace
	aclDefault = "SGI_ACL_DEFAULT"
)

type xattrReader struct {
	f      *FS
	in     *inode
	m      *forkMap
	values map[string][]byte
	total  int
	damage *evidence.Damage
}

// Xattrs gives a file's extended attributes by their full names as root is shown them:
// POSIX ACLs twice, as they lie on disk and in the form that getxattr(2) gives. What
// cannot be read is damage; the rest is given.
func (f *FS) Xattrs(n filesystem.Inode) (map[string][]byte, error) {
	in, err := f.inode(n)
	if err != nil {
		return nil, err
	}
	x := xattrReader{f: f, in: &in, values: make(map[string][]byte)}
	switch {
	case in.forkoff == 0:
	case in.aformat == formatLocal:
		x.short(in.attrFork())
	case in.aformat == formatExtents && in.aextents == 0:
	default:
		x.m = f.attrMap(&in)
		if x.m.damage != nil {
			x.damage = x.m.damage
		}
		x.leaves()
	}
	if x.damage != nil {
		return x.values, x.damage
	}
	return x.values, nil
}

func (x *xattrReader) bad(off int64, length int, format string, a ...any) {
	if x.damage == nil {
		x.damage = damage(off, length, "xattrs of inode %d: "+format, append([]any{x.in.number}, a...)...)
	}
}

// short reads attributes that lie in the inode (struct xfs_attr_sf_hdr).
func (x *xattrReader) short(b []byte) {
	c := bin.Big(b)
	size, count := int(c.U16()), int(c.U8())
	if size > len(b) {
		x.bad(x.in.off, len(x.in.raw), "%d bytes of attributes in %d", size, len(b))
	}
	c.Skip(1)
	for range count {
		nameLen, valueLen, flags := int(c.U8()), int(c.U8()), c.U8()
		name, value := c.Bytes(nameLen), c.Bytes(valueLen)
		if c.Err() != nil {
			x.bad(x.in.off, len(x.in.raw), "they go beyond the record")
			return
		}
		x.put(flags, name, value)
	}
}

// put keeps one attribute under its full name.
func (x *xattrReader) put(flags uint8, name, value []byte) {
	if flags&(attrParent|attrIncomplete) != 0 {
		return
	}
	prefix := "user."
	switch {
	case flags&attrRoot != 0:
		prefix = "trusted."
	case flags&attrSecure != 0:
		prefix = "security."
	}
	if x.total += len(name) + len(value); x.total > maxXattrs {
		x.bad(x.in.off, len(x.in.raw), "more than %d bytes: the rest is not read", maxXattrs)
		return
	}
	x.values[prefix+string(name)] = append([]byte{}, value...)
	if flags&attrRoot == 0 {
		return
	}
	key := map[string]string{aclFile: "system.posix_acl_access", aclDefault: "system.posix_acl_default"}[string(name)]
	if acl, ok := posixACL(value); ok && key != "" {
		x.values[key] = acl
	}
}

// posixACL turns struct xfs_acl into the form of posix_acl_xattr_header.
func posixACL(v []byte) ([]byte, bool) {
	const (
		version = 2
		user    = 0x02 // the two tags that name somebody
		group   = 0x08
		nobody  = 1<<32 - 1
	)
	c := bin.Big(v)
	count := int64(c.U32())
	if count > int64(len(v))/12 {
		return nil, false
	}
	out := binary.LittleEndian.AppendUint32(nil, version)
	for range count {
		tag, id, perm := c.U32(), c.U32(), c.U16()
		c.Skip(2)
		if tag != user && tag != group {
			id = nobody
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(tag))
		out = binary.LittleEndian.AppendUint16(out, perm)
		out = binary.LittleEndian.AppendUint32(out, id)
	}
	return out, c.Err() == nil
}

// fork gives a block of the attribute fork.
func (x *xattrReader) fork(n uint32, crcAt int) (b []byte, at int64, ok bool) {
	i := x.m.find(int64(n))
	if i >= len(x.m.runs) || x.m.runs[i].first > int64(n) || x.m.runs[i].phys < 0 {
		x.bad(x.in.off, len(x.in.raw), "block %d of the fork is not there", n)
		return nil, 0, false
	}
	block := x.m.runs[i].phys + int64(n) - x.m.runs[i].first
	at = block * x.f.blockSize
	b, err := x.f.block(block, crcAt, xattrStructure)
	if err != nil {
		x.bad(at, int(x.f.blockSize), "%v", err)
		return nil, at, false
	}
	if x.f.bad.Has(xattrStructure, at) {
		x.bad(at, len(b), "block does not match its checksum; it is read all the same")
	}
	return b, at, true
}

// leaves walks down to the first leaf and then along the leaves. Blocks are not simply
// read in order, since old filesystems keep values in blocks that bear no header.
func (x *xattrReader) leaves() {
	head := daHead
	if x.f.sb.v5() {
		head = daHead5
	}
	seen := make(map[uint32]struct{})
	for n := uint32(0); ; {
		if _, again := seen[n]; again || len(seen) >= maxAttrBlocks {
			x.bad(x.in.off, len(x.in.raw), "block %d of the fork is met twice, or there are too many", n)
			return
		}
		seen[n] = struct{}{}
		b, at, ok := x.fork(n, daCRC)
		if !ok {
			return
		}
		c := bin.Big(b)
		next := c.U32()
		switch c.Seek(daMagicAt).U16() {
		case daNodeMagic, daNodeMagic5:
			first := 4 // bytes of count and level behind the header
			if head == daHead5 {
				first = 8
			}
			n = c.Seek(head + first + 4).U32()
			continue
		case attrLeafMagic, attrLeafMagic5:
			x.leaf(b, at, head)
		default:
			x.bad(at, len(b), "block is no attribute leaf")
			return
		}
		if n = next; n == 0 {
			return
		}
	}
}

// leaf reads struct xfs_attr_leafblock behind its header.
func (x *xattrReader) leaf(b []byte, at int64, head int) {
	c := bin.Big(b)
	count := int(c.Seek(head).U16())
	first := head + 20
	if head == daHead5 {
		first += 4
	}
	for i := range count {
		c := bin.Big(b).Seek(first + i*8 + 4)
		where, flags := int(c.U16()), c.U8()
		c.Seek(where)
		if flags&attrLocal != 0 {
			valueLen, nameLen := int(c.U16()), int(c.U8())
			name, value := c.Bytes(nameLen), c.Bytes(valueLen)
			if c.Err() == nil {
				x.put(flags, name, value)
			}
		} else if flags&(attrIncomplete|attrParent) == 0 {
			block, valueLen, nameLen := c.U32(), int64(c.U32()), int(c.U8())
			name := c.Bytes(nameLen)
			if c.Err() == nil {
				x.remote(flags, name, block, valueLen)
			}
		}
		if err := c.Err(); err != nil {
			x.bad(at, len(b), "leaf entry %d: %v", i, err)
			return
		}
	}
}

// remote reads a value that lies in blocks of its own.
func (x *xattrReader) remote(flags uint8, name []byte, block uint32, length int64) {
	if length > maxXattr {
		x.bad(x.in.off, len(x.in.raw), "%q has %d bytes", name, length)
		return
	}
	value := make([]byte, 0, length)
	for n := block; int64(len(value)) < length; n++ {
		b, at, ok := x.fork(n, remoteCRC)
		if !ok {
			return
		}
		if x.f.sb.v5() {
			c := bin.Big(b)
			magic, offset, bytes := c.U32(), c.U32(), c.U32()
			if magic != remoteMagic || int64(offset) != int64(len(value)) || bytes == 0 || int64(bytes) > int64(len(b)-remoteHead) {
				x.bad(at, len(b), "%q: block %d holds no part of the value", name, n)
				return
			}
			b = b[remoteHead : remoteHead+int(bytes)]
		}
		value = append(value, b[:min(int64(len(b)), length-int64(len(value)))]...)
	}
	x.put(flags, name, value)
}
