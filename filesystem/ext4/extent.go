package ext4

import "telltale/internal/bin"

const (
	extentMagic    = 0xf30a
	extentSize     = 12 // bytes of header, index and leaf entry alike
	extentDepth    = 5  // EXT4_MAX_EXTENT_DEPTH
	maxExtentCount = 32768
)

// extents reads the tree whose root is in the inode.
func (w *mapper) extents() {
	w.extentNode(w.in.iblock(), w.in.off+iBlockAt, -1, 0, maxLogical)
}

// extentNode reads a node that stands for the file's blocks from first to end. depth
// is what its header must say, -1 in the root.
func (w *mapper) extentNode(b []byte, at int64, depth int, first, end int64) {
	c := bin.Little(b)
	magic, count, most, height := c.U16(), int(c.U16()), int(c.U16()), int(c.U16())
	if magic != extentMagic || count > most || (most+1)*extentSize > len(b) || height > extentDepth || depth >= 0 && height != depth {
		if w.in.size > 0 || depth >= 0 { // nothing is lost of an empty file
			w.bad(damage(at, extentSize, "inode %d: extent header is %04x, %d of %d entries, depth %d", w.in.number, magic, count, most, height), first, end)
		}
		return
	}
	if depth >= 0 && !w.extentChecksumOK(b, most) {
		w.f.bad.Add(extentStructure, at)
		if w.m.damage == nil {
			w.m.damage = damage(at, len(b), "inode %d: extent block does not match its checksum; it is followed all the same", w.in.number)
		}
	}
	for i := range count {
		at := at + int64(i+1)*extentSize
		c := bin.Little(b).Seek((i + 1) * extentSize)
		from := int64(c.U32())
		if from < max(first, w.last()) || from >= end {
			w.disorder(damage(at, extentSize, "inode %d: extent for block %d is out of order", w.in.number, from))
		}
		if from >= end {
			continue
		}
		if w.full() {
			w.bad(damage(at, extentSize, "inode %d: block map is out of proportion (%d runs): cut here", w.in.number, len(w.m.runs)), from, maxLogical)
			return
		}
		if height == 0 {
			w.extent(c, at, from, max(first, w.last()), end)
			continue
		}
		to := end
		if i+1 < count {
			if next := int64(bin.Little(b).Seek((i + 2) * extentSize).U32()); next > from && next < end {
				to = next
			}
		}
		w.extentIndex(c, height, max(from, w.last()), to)
	}
}

func (w *mapper) extentIndex(c *bin.Cursor, height int, from, to int64) {
	block := int64(c.U32())
	block |= int64(c.U16()) << 32
	child, d := w.visit(block)
	if d != nil {
		w.bad(d, from, to)
		return
	}
	w.extentNode(child, block*w.f.blockSize, height-1, from, to)
}

// extent adds a leaf entry for the file's blocks behind from, as far as they lie
// between first and end.
func (w *mapper) extent(c *bin.Cursor, at, from, first, end int64) {
	n, high, low := int64(c.U16()), int64(c.U16()), int64(c.U32())
	phys := high<<32 | low
	if n > maxExtentCount {
		n -= maxExtentCount
		if w.reserved != nil {
			w.reserved(from, n, phys)
		}
		phys = unwritten
	}
	if n == 0 || n > end-from {
		w.disorder(damage(at, extentSize, "inode %d: extent for block %d has %d blocks", w.in.number, from, n))
		n = min(n, end-from)
	}
	if cut := first - from; cut > 0 { // an overlap, which has been told
		from, n = first, n-cut
		if phys >= 0 {
			phys += cut
		}
	}
	if n <= 0 {
		return
	}
	w.add(run{uint32(from), uint32(n), phys})
}

// extentChecksumOK checks the tail that stands behind the last possible entry.
func (w *mapper) extentChecksumOK(b []byte, most int) bool {
	if w.f.sb.ro&roMetadataCsum == 0 {
		return true
	}
	tail := (most + 1) * extentSize
	c := bin.Little(b).Seek(tail)
	want := c.U32()
	return c.Err() == nil && crc32c(w.in.seed(w.f), b[:tail]) == want
}
