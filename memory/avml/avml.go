// Package avml reads dumps that AVML compressed: version 2 of its format, blocks of memory behind each other, each a header of 32 bytes, a
// stream in the framing format of snappy, and the stream's length in eight bytes (github.com/microsoft/avml, src/image.rs).
// Uncompressed, AVML writes LiME's format.
package avml

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"sort"

	"github.com/klauspost/compress/snappy"

	"telltale/evidence"
	"telltale/internal/bin"
	"telltale/internal/cache"
	"telltale/internal/limit"
	"telltale/memory"
)

const (
	magic      = 0x4C4D5641 // "AVML"
	version    = 2
	headerSize = 32
	maxBlocks  = 1 << 20
	maxChunk   = 64 << 10 // bytes of a chunk's content, by the framing format
	maxPacked  = 80 << 10 // bytes of a chunk
	kept       = 8 << 20  // bytes of content in each half of the cache
)

// The chunks of google/snappy, framing_format.txt.
const (
	chunkPacked = 0x00
	chunkPlain  = 0x01
	chunkBegin  = 0xff
	sumSize     = 4 // bytes of the checksum before the content
)

// Format describes the member.
func Format() memory.Format {
	return memory.Format{Name: "avml", Doc: "AVML, version 2, compressed", Probe: probe, Open: open}
}

func probe(head []byte) bool {
	c := bin.Little(head)
	return c.U32() == magic && c.U32() == version
}

// dump is an opened dump: where each chunk lies, and which memory it holds.
type dump struct {
	r      io.ReaderAt
	chunks []chunk // by address
	ranges []memory.Range
	facts  memory.Facts
	cache  *cache.Cache[int, []byte]
}

// chunk is up to 64 KiB of memory.
type chunk struct {
	start uint64
	off   int64 // of the content in the file
	size  int32 // of the content there
	holds int32 // bytes of memory
	plain bool
}

func open(ctx context.Context, r io.ReaderAt, size int64, b *limit.Budget) (memory.Dump, error) {
	d := &dump{r: r, cache: cache.New[int, []byte](kept)}
	head := make([]byte, headerSize)
	for off, n := int64(0), 0; off+headerSize <= size; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if got, err := r.ReadAt(head, off); got < len(head) {
			return nil, fmt.Errorf("read the header at %d: %w", off, err)
		}
		c := bin.Little(head)
		m, v, start, end := c.U32(), c.U32(), c.U64(), c.U64()
		if m != magic || v != version || end < start || end >= memory.MaxAddress || n == maxBlocks {
			d.damaged(off, "no header of a block stands here: the rest of the dump cannot be read")
			break
		}
		length := end - start // some versions give the end, some the last byte's address
		if end%memory.PageSize != 0 {
			length++
		}
		next, err := d.block(off+headerSize, size, start, length, b)
		if err != nil {
			d.damaged(off, err.Error())
		}
		if next <= off {
			break
		}
		off = next
	}
	if len(d.chunks) == 0 {
		return nil, fmt.Errorf("a dump of AVML that holds nothing: %w", memory.ErrNotSupported)
	}
	d.order()
	return d, nil
}

func (d *dump) damaged(off int64, reason string) {
	d.facts.Damage = append(d.facts.Damage, evidence.Damage{Ref: evidence.Ref{Off: off, Len: headerSize}, Reason: reason})
}

// block notes the chunks of one block, whose stream begins at off, and gives where the next block begins; 0 where that is not known.
func (d *dump) block(off, size int64, start, length uint64, b *limit.Budget) (int64, error) {
	left, head := length, make([]byte, 4+sumSize+8)
	for left > 0 {
		n, _ := d.r.ReadAt(head[:min(int64(len(head)), max(0, size-off))], off)
		if n < 4 {
			return 0, fmt.Errorf("the block of %#x ends early, %d bytes of memory are missing: %w", start, left, io.ErrUnexpectedEOF)
		}
		long := int64(head[1]) | int64(head[2])<<8 | int64(head[3])<<16
		c := chunk{start: start + length - left, off: off + 4 + sumSize, size: int32(long - sumSize), plain: head[0] == chunkPlain}
		switch {
		case head[0] == chunkPlain:
			c.holds = c.size
		case head[0] == chunkPacked && n > 4+sumSize:
			holds, err := snappy.DecodedLen(head[4+sumSize : n])
			if err != nil || holds > maxChunk {
				return 0, fmt.Errorf("the block of %#x: a chunk that is not formed: %w", start, memory.ErrNotSupported)
			}
			c.holds = int32(holds)
		case head[0] == chunkBegin, head[0] >= 0x80:
			off += 4 + long
			continue
		default:
			return 0, fmt.Errorf("the block of %#x: a chunk of kind %#x: %w", start, head[0], memory.ErrNotSupported)
		}
		if c.size <= 0 || c.size > maxPacked || c.holds <= 0 || c.holds > maxChunk || uint64(c.holds) > left || c.off+int64(c.size) > size {
			return 0, fmt.Errorf("the block of %#x: a chunk of %d bytes, %d bytes of memory are missing: %w", start, long, left, io.ErrUnexpectedEOF)
		}
		if err := b.Take(32, "the list of chunks"); err != nil {
			return 0, err
		}
		d.chunks = append(d.chunks, c)
		left -= uint64(c.holds)
		off += 4 + long
	}
	return d.end(off, size), nil
}

// end gives where the next block begins: behind chunks without content and the stream's length.
func (d *dump) end(off, size int64) int64 {
	head := make([]byte, 12)
	for off+12 <= size {
		if n, _ := d.r.ReadAt(head, off); n < 12 {
			return 0
		}
		if string(head[8:]) == "AVML" || head[0] < 0x80 { // behind the length; its first byte may look like a chunk's
			return off + 8
		}
		off += 4 + (int64(head[1]) | int64(head[2])<<8 | int64(head[3])<<16)
	}
	return size
}

// order brings the chunks in order, leaves out what two of them hold, and joins them to ranges.
func (d *dump) order() {
	sort.SliceStable(d.chunks, func(i, j int) bool { return d.chunks[i].start < d.chunks[j].start })
	out, end := d.chunks[:0], uint64(0)
	for _, c := range d.chunks {
		if c.start < end {
			continue
		}
		if n := len(d.ranges); n > 0 && c.start == end {
			d.ranges[n-1].Size += uint64(c.holds)
		} else {
			d.ranges = append(d.ranges, memory.Range{Start: c.start, Size: uint64(c.holds), Off: c.off})
		}
		out, end = append(out, c), c.start+uint64(c.holds)
	}
	d.chunks = out
}

// Ranges gives what the dump holds.
func (d *dump) Ranges() []memory.Range { return d.ranges }

// Facts gives what the dump says of itself.
func (d *dump) Facts() memory.Facts { return d.facts }

func (d *dump) find(addr uint64) int {
	i := sort.Search(len(d.chunks), func(i int) bool { return d.chunks[i].start > addr }) - 1
	if i < 0 || addr-d.chunks[i].start >= uint64(d.chunks[i].holds) {
		return -1
	}
	return i
}

// Where gives the offset of the chunk that holds an address.
func (d *dump) Where(addr uint64) int64 {
	if i := d.find(addr); i >= 0 {
		return d.chunks[i].off
	}
	return -1
}

// ReadPhys reads at a physical address.
func (d *dump) ReadPhys(p []byte, addr uint64) (int, error) {
	done := 0
	for done < len(p) {
		i := d.find(addr)
		if i < 0 {
			return done, fmt.Errorf("address %#x: %w", addr, memory.ErrHole)
		}
		b, err := d.content(i)
		if err != nil {
			return done, err
		}
		n := copy(p[done:], b[addr-d.chunks[i].start:])
		done, addr = done+n, addr+uint64(n)
	}
	return done, nil
}

// content unpacks a chunk.
func (d *dump) content(i int) ([]byte, error) {
	if b, ok := d.cache.Get(i); ok {
		return b, nil
	}
	c := &d.chunks[i]
	b := make([]byte, sumSize+c.size)
	if n, err := d.r.ReadAt(b, c.off-sumSize); n < len(b) {
		return nil, fmt.Errorf("read the chunk at %d: %w", c.off, err)
	}
	sum, b := bin.Little(b).U32(), b[sumSize:]
	var err error
	if !c.plain {
		b, err = snappy.Decode(nil, b)
	}
	if err != nil || len(b) != int(c.holds) || checksum(b) != sum {
		return nil, &evidence.Damage{Ref: evidence.Ref{Off: c.off, Len: int64(c.size)}, Reason: fmt.Sprintf("the chunk of address %#x cannot be unpacked, or its checksum is another", c.start)}
	}
	d.cache.Put(i, b, len(b))
	return b, nil
}

// checksum gives the masked CRC-32C of framing_format.txt, section 3.
func checksum(b []byte) uint32 {
	c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (c>>15 | c<<17) + 0xa282ead8
}
