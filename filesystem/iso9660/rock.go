package iso9660

import (
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Bounds of one record's system use entries.
const (
	maxContinued = 32       // areas that CE entries lead to
	maxUse       = 12 << 10 // bytes of all of them: the longest target is 4096
	maxName      = 4096
	maxTarget    = 8 << 10
)

// rock is what Rock Ridge says of a file.
type rock struct {
	name    []byte
	target  []byte
	link    bool // it has a symlink's target
	px      bool
	mode    uint32
	links   uint32
	uid     uint32
	gid     uint32
	rdev    uint64
	made    evidence.Time
	modify  evidence.Time
	access  evidence.Time
	change  evidence.Time
	child   int64 // block of a directory that was moved away because it lay too deep; 0: none
	moved   bool  // it is such a directory, under the place that it was moved to
	packed  string
	damaged error

	joined bool // the last part of the target goes on
}

// rockRidge tells whether the tree has Rock Ridge, by the first entry of the root's own record. CD-ROM XA puts fourteen
// bytes of its own before.
func (f *FS) rockRidge() bool {
	root, err := f.recordAt(f.d.root)
	if err != nil {
		return false
	}
	self, err := f.recordAt(root.extent * f.d.block)
	if err != nil {
		return false
	}
	for _, at := range []int{0, 14, 15} {
		if u := self.use; len(u) >= at+7 && string(u[at:at+2]) == "SP" && u[at+4] == 0xbe && u[at+5] == 0xef {
			f.skip = int(u[at+6])
			return true
		}
	}
	return false
}

// rock reads the system use entries of a record.
func (f *FS) rockOf(r *record) *rock {
	k := &rock{}
	use := r.use
	if f.skip <= len(use) {
		use = use[f.skip:]
	}
	total := 0
	for hops := 0; ; hops++ {
		next, err := k.area(r, use)
		if err != nil || next == nil {
			k.damaged = err
			return k
		}
		if total += int(next.length); hops >= maxContinued || total > maxUse {
			k.damaged = damage(r.at, r.length, "system use entries without an end")
			return k
		}
		use = make([]byte, next.length)
		if err := f.readAt(use, next.block*f.d.block+next.off); err != nil {
			k.damaged = err
			return k
		}
	}
}

// continued is where a record's entries go on.
type continued struct{ block, off, length int64 }

// area reads one row of entries: two letters, a length, a version, and what it says.
func (k *rock) area(r *record, b []byte) (next *continued, err error) {
	for len(b) >= 4 {
		n := int(b[2])
		if n < 4 || n > len(b) {
			if b[0] == 0 {
				break // filled up
			}
			return next, damage(r.at, r.length, "system use entry %q of %d bytes", b[:2], n)
		}
		c := bin.Little(b[:n]).Skip(4)
		switch string(b[:2]) {
		case "CE":
			next = &continued{block: int64(c.U32())}
			next.off = int64(c.Skip(4).U32())
			next.length = int64(c.Skip(4).U32())
			if c.Err() != nil || next.length > maxUse {
				return nil, damage(r.at, r.length, "system use entries of %d bytes", next.length)
			}
		case "ST":
			return next, nil
		default:
			k.entry(string(b[:2]), c)
		}
		b = b[n:]
	}
	return next, nil
}

func (k *rock) entry(sig string, c *bin.Cursor) {
	switch sig {
	case "PX":
		k.mode, k.px = c.U32(), true
		k.links = c.Skip(4).U32()
		k.uid = c.Skip(4).U32()
		k.gid = c.Skip(4).U32()
	case "PN":
		high := c.U32()
		low := c.Skip(4).U32()
		if high == 0 && low > 0xff { // packed by the rules of old, as the kernel takes it
			high, low = low>>8, low&0xff
		}
		k.rdev = uint64(high)&0xfffff000<<32 | uint64(high)&0xfff<<8 | uint64(low)&0xffffff00<<12 | uint64(low)&0xff
	case "NM":
		const current, parent = 2, 4
		if flags := c.U8(); flags&(current|parent) == 0 && len(k.name) < maxName {
			k.name = append(k.name, c.Bytes(c.Left())...)
		}
	case "SL":
		c.U8()
		k.link = true
		k.symlink(c)
	case "TF":
		k.times(c)
	case "CL":
		k.child = int64(c.U32())
	case "RE":
		k.moved = true
	case "ZF":
		k.packed = "zisofs"
	case "SF":
		k.packed = "sparse file (Rock Ridge SF)"
	}
}

// symlink joins the components of a target.
func (k *rock) symlink(c *bin.Cursor) {
	const more, current, parent, root = 1, 2, 4, 8
	for c.Left() >= 2 && len(k.target) < maxTarget {
		flags, n := c.U8(), int(c.U8())
		part := c.Bytes(n)
		if c.Err() != nil {
			return
		}
		if len(k.target) > 0 && !k.joined && k.target[len(k.target)-1] != '/' {
			k.target = append(k.target, '/')
		}
		switch {
		case flags&root != 0:
			k.target = append(k.target[:0], '/')
		case flags&current != 0:
			k.target = append(k.target, '.')
		case flags&parent != 0:
			k.target = append(k.target, ".."...)
		default:
			k.target = append(k.target, part...)
		}
		k.joined = flags&more != 0
	}
}

// times reads a row of stamps, whose flags say which there are.
func (k *rock) times(c *bin.Cursor) {
	const long = 0x80
	flags := c.U8()
	for i, t := range []*evidence.Time{&k.made, &k.modify, &k.access, &k.change} {
		if flags>>i&1 == 0 {
			continue
		}
		if flags&long != 0 {
			*t = longTime(c.Bytes(17))
		} else {
			*t = shortTime(c.Bytes(7))
		}
	}
}

var modeTypes = [16]filesystem.Type{1: filesystem.FIFO, 2: filesystem.CharDevice, 4: filesystem.Directory, 6: filesystem.BlockDevice, 8: filesystem.Regular, 10: filesystem.Symlink, 12: filesystem.Socket}
