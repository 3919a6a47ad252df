package ext4

import (
	"fmt"
	"iter"

	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	dirBuffer   = 64 << 10 // bytes read at once; the biggest block
	direntHead  = 8        // bytes before the name
	direntTail  = 12       // bytes, struct ext4_dir_entry_tail
	tailType    = 0xde     // its reserved_ft
	dxRootCount = 32       // where an index root keeps its limit and count
	dxNodeCount = 8        // where an inner index block does
	dxEntry     = 8        // bytes
)

// The low bits of file_type; Lustre's dirdata uses the high ones.
var direntTypes = [16]filesystem.Type{1: filesystem.Regular, 2: filesystem.Directory, 3: filesystem.CharDevice,
	4: filesystem.BlockDevice, 5: filesystem.FIFO, 6: filesystem.Socket, 7: filesystem.Symlink}

// dirReader walks one directory. Index blocks need no care: to a linear reader each
// looks like an entry that is not in use.
type dirReader struct {
	f       *FS
	in      *inode
	yield   func(filesystem.Dirent, error) bool
	stopped bool
	entries int
}

// ReadDir gives a directory's names, in the order in which they lie on disk. Blocks
// and entries that cannot be read come as *evidence.Damage between them. Names in
// directories that are encrypted are given as they stand, encrypted.
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
		if gone, added := f.fast.dir(in.number); len(gone) > 0 {
			d.changed(gone, added)
			if f.fast.created[in.number] {
				return // it has no block yet that could be read
			}
		}
		if in.flags&flagInline != 0 {
			d.inline()
			return
		}
		d.blocks()
	}
}

// changed gives the names that fast commits added, and keeps those away that they took.
func (d *dirReader) changed(gone map[string]bool, added []fastName) {
	for _, x := range added {
		d.give(filesystem.Dirent{Name: []byte(x.name), Inode: filesystem.Inode(x.inode)}, nil)
	}
	yield := d.yield
	d.yield = func(e filesystem.Dirent, err error) bool {
		if err == nil && gone[string(e.Name)] {
			return true
		}
		return yield(e, err)
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

func (d *dirReader) blocks() {
	buf := d.f.bufs.Get().(*[]byte)
	defer d.f.bufs.Put(buf)
	m := d.f.mapOf(d.in)
	if m.damage != nil {
		d.give(filesystem.Dirent{}, m.damage)
	}
	end := (d.in.size + d.f.blockSize - 1) / d.f.blockSize
	at := int64(0)
	for _, r := range m.runs {
		if d.stopped {
			return
		}
		if at < min(int64(r.first), end) {
			d.bad(d.in.off, len(d.in.raw), "hole at block %d", at)
		}
		if r.end() > end && end >= 0 { // the kernel does not show these names
			d.bad(d.in.off, len(d.in.raw), "size is %d, but it has blocks behind that: they are read too", d.in.size)
			end = -1
		}
		if r.phys >= 0 {
			d.run(*buf, r, int64(r.count))
		} else if r.phys == unwritten {
			d.bad(d.in.off, len(d.in.raw), "block %d was never written", r.first)
		}
		at = r.end()
	}
	if at < end && !d.stopped {
		d.bad(d.in.off, len(d.in.raw), "hole at block %d", at)
	}
}

// run reads count blocks that lie in a row, many at once; where that fails, each.
func (d *dirReader) run(buf []byte, r run, count int64) {
	size := d.f.blockSize
	for i := int64(0); i < count && !d.stopped; {
		n := min(count-i, dirBuffer/size)
		at := (r.phys + i) * size
		b := buf[:n*size]
		if err := d.f.readAt(b, at); err != nil {
			if n, b = 1, buf[:size]; d.f.readAt(b, at) != nil {
				d.give(filesystem.Dirent{}, fmt.Errorf("directory inode %d: %w", d.in.number, err))
				i++
				continue
			}
		}
		for j := range n {
			d.block(b[j*size:(j+1)*size], at+j*size, int64(r.first)+i+j == 0)
		}
		i += n
	}
}

// block reads the entries of one block.
func (d *dirReader) block(b []byte, at int64, first bool) {
	if d.stopped {
		return
	}
	if d.f.sb.ro&roMetadataCsum != 0 && !d.checksumOK(b, first) {
		d.f.bad.Add(dirStructure, at)
		d.bad(at, len(b), "block does not match its checksum; it is read all the same")
	}
	d.list(b, at, first)
}

// list reads entries. dots tells that the first two may be "." and "..".
func (d *dirReader) list(b []byte, at int64, dots bool) {
	for off, i := 0, 0; off < len(b) && !d.stopped; i++ {
		c := bin.Little(b).Seek(off)
		ino, length, nameLen, kind := c.U32(), int(c.U16()), int(c.U8()), c.U8()
		if length = d.recordLength(length); c.Err() != nil || length < direntHead || length%4 != 0 || length > len(b)-off || ino != 0 && nameLen > length-direntHead {
			d.bad(at+int64(off), len(b)-off, "entry of %d bytes with a name of %d: the rest of the block is not read", length, nameLen)
			return
		}
		if ino != 0 {
			d.entry(ino, c.Bytes(nameLen), kind, at+int64(off), dots && i < 2)
		}
		off += length
	}
}

// recordLength undoes how lengths of 64 KiB blocks are folded into 16 bits
// (ext4_rec_len_from_disk).
func (d *dirReader) recordLength(n int) int {
	if d.f.blockSize < dirBuffer {
		return n
	}
	if n == 0xffff || n == 0 {
		return dirBuffer
	}
	return n&0xfffc | n&3<<16
}

func (d *dirReader) entry(ino uint32, name []byte, kind uint8, at int64, dots bool) {
	switch {
	case d.entries >= limit.Entries:
		d.bad(at, direntHead, "more than %d entries: the rest is not read", limit.Entries)
		d.stopped = true
		return
	case len(name) == 0:
		d.bad(at, direntHead, "entry for inode %d has no name", ino)
		return
	case string(name) == "." || string(name) == "..":
		if !dots { // the kernel would show it, and whoever lists the directory would not notice
			d.bad(at, direntHead+len(name), "entry %q for inode %d stands where none belongs", name, ino)
		}
		return
	case uint64(ino) > d.f.groupCount*uint64(d.f.sb.inodesPerGroup):
		d.bad(at, direntHead+len(name), "entry %q names inode %d, which there is not", name, ino)
		return
	}
	d.entries++
	e := filesystem.Dirent{Name: name, Inode: filesystem.Inode(ino)}
	if d.f.sb.incompat&incompatFiletype != 0 {
		e.Type = direntTypes[kind&0xf]
	}
	d.give(e, nil)
}

// checksumOK checks a block's tail: a hidden last entry in a leaf, a place behind the
// last possible entry in an index block. An index root that was once a leaf ends in
// what looks like a leaf's tail, so index blocks are asked for first.
func (d *dirReader) checksumOK(b []byte, first bool) bool {
	seed := d.in.seed(d.f)
	if at := d.indexAt(b, first); at > 0 {
		c := bin.Little(b).Seek(at)
		most, count := int(c.U16()), int(c.U16())
		if count > most || at+most*dxEntry+8 > len(b) {
			return false
		}
		sum := crc32c(seed, b[:at+count*dxEntry])
		c.Seek(at + most*dxEntry)
		sum = crc32c(sum, c.Bytes(4)) // dt_reserved
		return crc32c32(sum, 0) == c.U32()
	}
	tail := len(b) - direntTail
	c := bin.Little(b).Seek(tail)
	return c.U32() == 0 && c.U16() == direntTail && c.U8() == 0 && c.U8() == tailType && crc32c(seed, b[:tail]) == c.U32()
}

// indexAt gives where an index block keeps its limit and count, 0 in a leaf.
func (d *dirReader) indexAt(b []byte, first bool) int {
	if d.in.flags&flagIndex == 0 {
		return 0
	}
	c := bin.Little(b)
	ino, length := c.U32(), d.recordLength(int(c.U16()))
	switch {
	case first && d.recordLength(int(c.Seek(direntTail+4).U16())) == len(b)-direntTail:
		return dxRootCount // behind ".", which has twelve bytes, and "..", which has the rest
	case !first && ino == 0 && length == len(b):
		return dxNodeCount
	}
	return 0
}

// inline reads a directory that lies in its inode: the parent's number, entries, and
// more entries in the tail.
func (d *dirReader) inline() {
	const parent = 4 // bytes of the parent's inode number
	if d.in.damage != nil {
		d.give(filesystem.Dirent{}, d.in.damage)
	}
	d.list(d.in.iblock()[parent:], d.in.off+iBlockAt+parent, false)
	off, tail := d.f.inlineTail(d.in)
	if want := d.in.size - iBlockSize; want > int64(len(tail)) {
		d.bad(d.in.off, len(d.in.raw), "%d bytes of inline entries, not %d", len(tail), want)
	}
	d.list(tail, d.in.off+int64(off), false)
}
