package erofs

import (
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Extended attributes (struct erofs_xattr_ibody_header, erofs_xattr_entry).
const (
	xattrHead   = 12 // bytes
	longPrefix  = 0x80
	maxXattr    = 512 << 10
	entryHead   = 4
	maxShared   = 255
	maxPrefixed = 128
)

var xattrPrefixes = [...]string{1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.", 6: "security."}

// longPrefixes reads the table of prefixes that images have of their own: a base and what follows it.
func (f *FS) longPrefixes(at int64, n int) (out []string) {
	for range min(n, maxPrefixed) {
		var l [2]byte
		if err := f.readAt(l[:], at); err != nil {
			f.notes = append(f.notes, "prefixes of extended attributes: "+err.Error())
			return out
		}
		b := make([]byte, bin.Little(l[:]).U16())
		if err := f.readAt(b, at+2); err != nil || len(b) == 0 {
			f.notes = append(f.notes, "prefixes of extended attributes cannot be read")
			return out
		}
		base := ""
		if int(b[0]) < len(xattrPrefixes) {
			base = xattrPrefixes[b[0]]
		}
		out = append(out, base+string(b[1:]))
		at = (at + 2 + int64(len(b)) + 3) &^ 3
	}
	return out
}

// Xattrs gives a file's extended attributes.
func (f *FS) Xattrs(n filesystem.Inode) (map[string][]byte, error) {
	in, err := f.inode(n)
	if err != nil || in.xattr == 0 {
		return nil, err
	}
	r := in.meta.Ref
	at := in.behind - in.xattr
	if in.xattr > maxXattr || at > f.size-in.xattr {
		return nil, damage(r.Off, r.Len, "%d bytes of extended attributes", in.xattr)
	}
	b := make([]byte, in.xattr)
	if err := f.readAt(b, at); err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	c := bin.Little(b).Skip(4)
	shared := int(c.U8())
	c.Skip(7)
	for range min(shared, maxShared) {
		if err := f.shared(out, int64(c.U32())); err != nil {
			return out, err
		}
	}
	for c.Err() == nil && c.Left() >= entryHead {
		if !f.take(out, c) {
			break
		}
		c.Skip(min((4-c.Off()%4)%4, c.Left()))
	}
	if c.Err() != nil {
		return out, damage(r.Off, r.Len, "extended attributes: %v", c.Err())
	}
	return out, nil
}

// shared reads an attribute that several files have.
func (f *FS) shared(out map[string][]byte, id int64) error {
	at := f.xattrs + 4*id
	var h [entryHead]byte
	if err := f.readAt(h[:], at); err != nil {
		return err
	}
	b := make([]byte, entryHead+int(h[0])+int(h[2])+int(h[3])<<8)
	if err := f.readAt(b, at); err != nil {
		return err
	}
	f.take(out, bin.Little(b))
	return nil
}

// take reads one entry; an empty one ends the list.
func (f *FS) take(out map[string][]byte, c *bin.Cursor) bool {
	n, index, size := int(c.U8()), int(c.U8()), int(c.U16())
	name, value := c.Bytes(n), c.Bytes(size)
	if c.Err() != nil || index == 0 && n == 0 && size == 0 {
		return false
	}
	prefix := ""
	switch {
	case index&longPrefix != 0 && index&^longPrefix < len(f.prefix):
		prefix = f.prefix[index&^longPrefix]
	case index < len(xattrPrefixes):
		prefix = xattrPrefixes[index]
	}
	out[prefix+string(name)] = append([]byte{}, value...)
	return true
}
