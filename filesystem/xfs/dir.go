package xfs

import (
	"fmt"
	"iter"

	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	dirBlockMagic  = 0x58443242 // "XD2B": a directory of one block
	dirDataMagic   = 0x58443244 // "XD2D"
	dirBlockMagic5 = 0x58444233 // "XDB3"
	dirDataMagic5  = 0x58444433 // "XDD3"
	dirHead        = 16         // bytes, struct xfs_dir2_data_hdr
	dirHead5       = 64         // bytes, struct xfs_dir3_data_hdr
	dirCRC         = 4
	dirOwnerAt     = 40
	dirTail        = 8 // bytes, struct xfs_dir2_block_tail: counts of entries and of stale ones
	dirLeafEntry   = 8 // bytes
	dirFreeTag     = 0xffff
	dirAlign       = 8
	dirLeafOffset  = 32 << 30 // bytes: data blocks lie below, the index above
	entryHead      = 9        // bytes before an entry's name
)

// The file types of entries (XFS_DIR3_FT); 8 is a whiteout.
var direntTypes = [...]filesystem.Type{1: filesystem.Regular, 2: filesystem.Directory, 3: filesystem.CharDevice,
	4: filesystem.BlockDevice, 5: filesystem.FIFO, 6: filesystem.Socket, 7: filesystem.Symlink}

func direntType(v uint8) filesystem.Type {
	if int(v) < len(direntTypes) {
		return direntTypes[v]
	}
	return filesystem.UnknownType
}

// dirReader walks one directory by its data blocks; the index is not needed.
type dirReader struct {
	f       *FS
	in      *inode
	yield   func(filesystem.Dirent, error) bool
	stopped bool
	entries int
	seen    func(block []byte) // of each data block, may be nil
}

// ReadDir gives a directory's names, in the order in which they lie on disk. Blocks
// and entries that cannot be read come as *evidence.Damage between them.
func (f *FS) ReadDir(n filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		in, err := f.inode(n)
		if err == nil && in.fileType() != filesystem.Directory {
			err = damage(in.off, len(in.raw), "inode %d is no directory", n)
		}
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		d := dirReader{f: f, in: &in, yield: yield}
		if in.format == formatLocal {
			d.short()
			return
		}
		d.blocks()
	}
}

func (d *dirReader) give(e filesystem.Dirent, err error) {
	if !d.stopped && !d.yield(e, err) {
		d.stopped = true
	}
}

func (d *dirReader) bad(off int64, length int, format string, a ...any) {
	d.give(filesystem.Dirent{}, damage(off, length, "directory inode %d: "+format, append([]any{d.in.number}, a...)...))
}

// short reads a directory that lies in its inode.
func (d *dirReader) short() {
	b := d.in.dataFork()
	whole := shortEntries(b[:min(int64(len(b)), d.in.size)], d.f.sb.hasFtype(), func(name []byte, ino uint64, kind uint8) bool {
		d.entry(ino, name, kind, d.in.off, len(d.in.raw), false)
		return !d.stopped
	})
	if !whole && !d.stopped {
		d.bad(d.in.off, len(d.in.raw), "its entries go beyond the record")
	}
}

// shortEntries calls f for the entries of a shortform directory (struct
// xfs_dir2_sf_hdr), and tells whether they were whole.
func shortEntries(b []byte, ftype bool, f func(name []byte, ino uint64, kind uint8) bool) bool {
	c := bin.Big(b)
	count, wide := int(c.U8()), c.U8() != 0
	number := func() uint64 {
		if wide {
			return c.U64()
		}
		return uint64(c.U32())
	}
	number() // the parent
	for range count {
		length := int(c.U8())
		name := c.Skip(2).Bytes(length)
		kind := uint8(0)
		if ftype {
			kind = c.U8()
		}
		ino := number()
		if c.Err() != nil {
			return false
		}
		if !f(name, ino, kind) {
			return true
		}
	}
	return c.Err() == nil
}

// blocks reads the data blocks, each of which may be made of several blocks that lie
// in different places.
func (d *dirReader) blocks() {
	m := d.f.dataMap(d.in)
	if m.damage != nil {
		d.give(filesystem.Dirent{}, m.damage)
	}
	per := int64(1) << d.f.sb.dirLog
	buf := make([]byte, per*d.f.blockSize)
	next, end := int64(0), min((d.in.size+int64(len(buf))-1)/int64(len(buf)), dirLeafOffset/int64(len(buf)))
	for _, r := range m.runs {
		for n := max(next, r.first/per); n*per < r.end() && n < dirLeafOffset/int64(len(buf)) && !d.stopped; n++ {
			if n > next && next < end && !m.holey {
				d.bad(d.in.off, len(d.in.raw), "hole at block %d", next)
			}
			next = n + 1
			at := int64(0)
			if r.phys >= 0 && n*per >= r.first {
				at = (r.phys + n*per - r.first) * d.f.blockSize
			}
			if _, err := d.f.readRuns(m, buf, n*int64(len(buf))); err != nil {
				d.give(filesystem.Dirent{}, fmt.Errorf("directory inode %d: %w", d.in.number, err))
				continue
			}
			d.block(buf, at, n == 0)
		}
	}
	if next < end && !m.holey && !d.stopped {
		d.bad(d.in.off, len(d.in.raw), "hole at block %d", next)
	}
}

// block reads the entries of one data block. first tells that it begins with "." and "..".
func (d *dirReader) block(b []byte, at int64, first bool) {
	head, end := dirArea(b)
	if head == 0 {
		d.bad(at, len(b), "block is no directory block")
		return
	}
	if d.f.sb.v5() && !checksumOK(b, dirCRC) {
		d.f.bad.Add(dirStructure, at)
		d.bad(at, len(b), "block does not match its checksum; it is read all the same")
	}
	if d.seen != nil {
		d.seen(b)
	}
	ftype := d.f.sb.hasFtype()
	for off, i := head, 0; off < end && !d.stopped; {
		c := bin.Big(b[:end]).Seek(off)
		if tag, length := c.U16(), int(c.U16()); tag == dirFreeTag {
			if c.Err() != nil || length < dirAlign || length%dirAlign != 0 || length > end-off {
				d.bad(at+int64(off), end-off, "unused space of %d bytes: the rest of the block is not read", length)
				return
			}
			off += length
			continue
		}
		ino, length := c.Seek(off).U64(), int(c.U8())
		name := c.Bytes(length)
		kind := uint8(0)
		if ftype {
			kind = c.U8()
		}
		size := entrySize(length, ftype)
		if c.Err() != nil || size > end-off {
			d.bad(at+int64(off), end-off, "entry with a name of %d bytes: the rest of the block is not read", length)
			return
		}
		d.entry(ino, name, kind, at+int64(off), size, first && i < 2)
		off += size
		i++
	}
}

// dirArea gives where a data block's entries begin and end, 0 where it is none.
func dirArea(b []byte) (head, end int) {
	if len(b) < dirHead5+dirTail {
		return 0, 0
	}
	head, end = dirHead, len(b)
	magic := bin.Big(b).U32()
	if magic == dirBlockMagic5 || magic == dirDataMagic5 {
		head = dirHead5
	} else if magic != dirBlockMagic && magic != dirDataMagic {
		return 0, 0
	}
	if magic == dirBlockMagic || magic == dirBlockMagic5 {
		count := int64(bin.Big(b).Seek(len(b) - dirTail).U32())
		if count > int64(len(b)-dirTail-head)/dirLeafEntry {
			count = 0
		}
		end -= dirTail + int(count)*dirLeafEntry
	}
	return head, end
}

// entrySize is the size of an entry: number, length, name, type, and its own offset at
// the end, rounded up.
func entrySize(name int, ftype bool) int {
	n := entryHead + name + 2
	if ftype {
		n++
	}
	return (n + dirAlign - 1) &^ (dirAlign - 1)
}

func (d *dirReader) entry(ino uint64, name []byte, kind uint8, at int64, length int, dots bool) {
	switch _, ok := d.f.place(filesystem.Inode(ino)); {
	case d.entries >= limit.Entries:
		d.bad(at, length, "more than %d entries: the rest is not read", limit.Entries)
		d.stopped = true
		return
	case len(name) == 0:
		d.bad(at, length, "entry for inode %d has no name", ino)
		return
	case string(name) == "." || string(name) == "..":
		if !dots { // whoever lists the directory would not notice
			d.bad(at, length, "entry %q for inode %d stands where none belongs", name, ino)
		}
		return
	case !ok:
		d.bad(at, length, "entry %q names inode %d, which there is not", name, ino)
		return
	}
	d.entries++
	d.give(filesystem.Dirent{Name: name, Inode: filesystem.Inode(ino), Type: direntType(kind)}, nil)
}
