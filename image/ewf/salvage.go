package ewf

import (
	"bufio"
	"encoding/binary"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/zlib"

	"telltale/image"
)

// A segment that was cut while it was written - the examiner's disk was full - holds chunks whose table never came. They follow each
// other without a gap, and each tells where it ends: a compressed one by its own end, a stored one by its length and checksum. So they
// are found again from the first one on, up to the first that is not whole.

// maxSalvaged bounds the chunks of one section that are found so: 128 GiB of 32 KiB.
const maxSalvaged = 4 << 20

// counted reads byte by byte where it is asked to, so that a decompressor takes no more than its stream, and knows how far it is.
type counted struct {
	r *bufio.Reader
	n int64
}

func (c *counted) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// salvage takes the chunks of a sectors section that no table follows.
func (d *disk) salvage(f image.File, from int64) {
	unit := d.sectorSize * d.sectorsPerChunk
	if d.sectorSize < 1 || d.sectorSize > maxSectorSize || d.sectorsPerChunk < 1 || unit > maxChunk {
		return
	}
	t := &table{f: f, end: f.Size, entrySize: entrySize1, salvaged: []entry{}}
	c := &counted{r: bufio.NewReaderSize(nil, 256<<10)}
	chunk := make([]byte, unit+4)
	var z io.ReadCloser
	for at := from; at < f.Size && len(t.salvaged) < maxSalvaged; {
		size, ok := int64(0), false
		if size, z, ok = packedAt(f, at, unit, c, z, chunk); ok {
			t.salvaged = append(t.salvaged, entry{off: uint64(at), size: uint32(size), flags: flagPacked})
		} else if size = unit + 4; storedAt(f, at, chunk) {
			t.salvaged = append(t.salvaged, entry{off: uint64(at), size: uint32(size), flags: flagChecked})
		} else {
			break
		}
		at += size
	}
	if t.count = int64(len(t.salvaged)); t.count == 0 || d.budget.Take(tableCost+16*t.count, "chunks without a table") != nil {
		return
	}
	d.tables = append(d.tables, t)
	d.note("%q: no table follows the chunks from byte %d on: %d of them were found one behind the other", f.Name, from, t.count)
}

// packedAt tells whether a compressed chunk begins at a place, and how long it is.
func packedAt(f image.File, at, unit int64, c *counted, z io.ReadCloser, buf []byte) (int64, io.ReadCloser, bool) {
	c.r.Reset(io.NewSectionReader(f, at, f.Size-at))
	c.n = 0
	var err error
	if z == nil {
		if z, err = zlib.NewReader(c); err != nil {
			return 0, nil, false
		}
	} else if err = z.(zlib.Resetter).Reset(c, nil); err != nil {
		return 0, z, false
	}
	if _, err := io.ReadFull(z, buf[:unit]); err != nil {
		return 0, z, false
	}
	if n, err := z.Read(buf[unit:]); n != 0 || err != io.EOF { // the checksum is compared at the end of the stream
		return 0, z, false
	}
	return c.n, z, true
}

// storedAt tells whether a chunk that is not compressed begins at a place.
func storedAt(f image.File, at int64, buf []byte) bool {
	if n, err := f.ReadAt(buf, at); n < len(buf) || err != nil && err != io.EOF {
		return false
	}
	data := buf[:len(buf)-4]
	return binary.LittleEndian.Uint32(buf[len(data):]) == adler32.Checksum(data)
}
