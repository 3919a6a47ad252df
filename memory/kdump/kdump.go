// Package kdump reads dumps that makedumpfile and QEMU compress page by page: the format of diskdump with the signature "KDUMP   ", as it lies
// or flattened (makedumpfile, IMPLEMENTATION and diskdump_mod.h; QEMU, include/sysemu/dump.h). Pages are packed by zlib, zstd, snappy or LZO, or
// not at all; pages that the maker left out (free ones, those of programs) are holes, of which nothing can be told.
package kdump

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/bits"
	"sync"

	lzo "github.com/anchore/go-lzo"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"telltale/evidence"
	"telltale/internal/bin"
	"telltale/internal/cache"
	"telltale/internal/limit"
	"telltale/memory"
)

// Places and numbers of struct disk_dump_header and struct kdump_sub_header.
const (
	signature   = "KDUMP   "
	headerSize  = 464
	statusAt    = 424 // status, block_size, sub_hdr_size, bitmap_blocks, max_mapnr
	subSize     = 104
	noteAt      = 32 // offset_vmcoreinfo, size_vmcoreinfo, offset_note, size_note
	maxMapnrAt  = 96
	descSize    = 24 // struct page_desc
	rankUnit    = 64 // bytes of the bitmap between two counts
	kept        = 8 << 20
	maxNote     = 1 << 20
	maxBitmap   = 32 << 20 // bytes: a terabyte of pages of 4 KiB
	maxRanges   = 1 << 20
	maxFileSize = 1 << 62
)

// How a page is packed.
const (
	packedZlib   = 0x1
	packedLZO    = 0x2
	packedSnappy = 0x4
	packedZstd   = 0x20
)

// Format describes the member.
func Format() memory.Format {
	return memory.Format{Name: "kdump", Doc: "kdump, compressed by page", Probe: probe, Open: open}
}

func probe(head []byte) bool {
	return bytes.HasPrefix(head, []byte(signature)) || bytes.HasPrefix(head, []byte(flatSignature))
}

// dump is an opened dump.
type dump struct {
	r      io.ReaderAt
	where  func(off int64) int64 // from the format's own offset to the file's
	page   int64                 // bytes
	bitmap []byte                // of the pages that are in the dump
	rank   []uint32              // pages before each rankUnit of the bitmap
	descs  int64                 // where the descriptions of pages begin
	ranges []memory.Range
	facts  memory.Facts
	cache  *cache.Cache[uint64, []byte]

	mu   sync.Mutex // of the unpackers, which are made when they are needed
	zstd *zstd.Decoder
	zlib io.ReadCloser
}

func open(ctx context.Context, r io.ReaderAt, size int64, b *limit.Budget) (memory.Dump, error) {
	d := &dump{r: r, where: func(off int64) int64 { return off }, cache: cache.New[uint64, []byte](kept)}
	head := make([]byte, headerSize)
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if bytes.HasPrefix(head, []byte(flatSignature)) {
		f, err := unflatten(ctx, r, size, b)
		if err != nil {
			return nil, err
		}
		d.r, d.where, d.facts.Damage, size = f, f.where, f.damage, maxFileSize
		if n, err := f.ReadAt(head, 0); n < len(head) || !bytes.HasPrefix(head, []byte(signature)) {
			return nil, fmt.Errorf("a flattened dump without a header (%v): %w", err, memory.ErrNotSupported)
		}
	}
	if err := d.header(head, size, b); err != nil {
		return nil, err
	}
	d.layout()
	return d, nil
}

// header reads what is to be known before pages can be read.
func (d *dump) header(head []byte, size int64, b *limit.Budget) error {
	c := bin.Little(head).Seek(statusAt + 4)
	d.page = int64(c.U32())
	sub, blocks, pages := int64(c.U32()), int64(c.U32()), uint64(c.U32())
	if d.page < 512 || d.page > 64<<10 || d.page&(d.page-1) != 0 || sub < 1 || sub > 1<<20 || blocks < 1 || blocks > 1<<28 {
		return fmt.Errorf("blocks of %d bytes, %d of them for bitmaps: %w", d.page, blocks, memory.ErrNotSupported)
	}
	s := make([]byte, subSize)
	if n, err := d.r.ReadAt(s, d.page); n < len(s) {
		return fmt.Errorf("read the second header: %w", err)
	}
	if version := bin.Little(head).Seek(8).U32(); version >= 6 {
		if n := bin.Little(s).Seek(maxMapnrAt).U64(); n != 0 {
			pages = n
		}
	}
	if split := bin.Little(s).Seek(12).U32(); split != 0 {
		return fmt.Errorf("one of several files that a dump was split into: join them by makedumpfile --reassemble: %w", memory.ErrNotSupported)
	}
	half := (blocks / 2) * d.page
	need := int64(min(pages, memory.MaxAddress/memory.PageSize)+7) / 8
	if need = min(need, half); need > maxBitmap {
		d.facts.Notes = append(d.facts.Notes, fmt.Sprintf("the dump announces %d pages: of those behind the first %d nothing is read", pages, maxBitmap*8))
		need = maxBitmap
	}
	if err := b.Take(need+need/rankUnit*4, "the bitmap of pages"); err != nil {
		return err
	}
	at := (1+sub)*d.page + half
	d.descs = (1 + sub + blocks) * d.page
	if at > size {
		return fmt.Errorf("the dump ends before its bitmap: %w", io.ErrUnexpectedEOF)
	}
	d.bitmap = make([]byte, need)
	if n, err := d.r.ReadAt(d.bitmap, at); n < len(d.bitmap) {
		return fmt.Errorf("read the bitmap of pages: %w", err)
	}
	d.notes(s)
	return nil
}

// notes reads the kernel's own note.
func (d *dump) notes(s []byte) {
	c := bin.Little(s).Seek(noteAt)
	off, size := c.U64(), c.U64()
	if off == 0 || off > maxFileSize || size == 0 || size > maxNote {
		return
	}
	b := make([]byte, size)
	if n, _ := d.r.ReadAt(b, int64(off)); n == len(b) {
		d.facts.VMCoreInfo = b
	}
}

// layout counts the pages and tells the ranges that they make.
func (d *dump) layout() {
	n, page := uint32(0), uint64(d.page)
	for i, x := range d.bitmap {
		if i%rankUnit == 0 {
			d.rank = append(d.rank, n)
		}
		n += uint32(bits.OnesCount8(x))
		for bit := range 8 {
			if x>>bit&1 == 0 {
				continue
			}
			start := (uint64(i)*8 + uint64(bit)) * page
			if k := len(d.ranges) - 1; k >= 0 && (d.ranges[k].Start+d.ranges[k].Size == start || k == maxRanges) {
				d.ranges[k].Size = start + page - d.ranges[k].Start // the last one may have holes in it
			} else {
				d.ranges = append(d.ranges, memory.Range{Start: start, Size: page})
			}
		}
	}
}

// Ranges gives what the dump holds.
func (d *dump) Ranges() []memory.Range { return d.ranges }

// Facts gives what the dump says of itself.
func (d *dump) Facts() memory.Facts { return d.facts }

// number gives which of the dump's pages the page of an address is.
func (d *dump) number(addr uint64) (int64, bool) {
	pfn := addr / uint64(d.page)
	i := pfn / 8
	if i >= uint64(len(d.bitmap)) || d.bitmap[i]>>(pfn%8)&1 == 0 {
		return 0, false
	}
	n := int64(d.rank[i/rankUnit])
	for _, x := range d.bitmap[i/rankUnit*rankUnit : i] {
		n += int64(bits.OnesCount8(x))
	}
	return n + int64(bits.OnesCount8(d.bitmap[i]&(1<<(pfn%8)-1))), true
}

// desc reads where a page lies and how it is packed.
func (d *dump) desc(n int64) (off int64, size, flags uint32, err error) {
	b := make([]byte, descSize)
	at := d.descs + n*descSize
	if got, err := d.r.ReadAt(b, at); got < len(b) {
		return 0, 0, 0, fmt.Errorf("read the description of page %d: %w", n, err)
	}
	c := bin.Little(b)
	o, size, flags := c.U64(), c.U32(), c.U32()
	if o > maxFileSize || size == 0 || int64(size) > d.page {
		return 0, 0, 0, &evidence.Damage{Ref: evidence.Ref{Off: d.where(at), Len: descSize}, Reason: fmt.Sprintf("page %d is said to be %d bytes at %d", n, size, o)}
	}
	return int64(o), size, flags, nil
}

// Where gives the offset of the packed page that holds an address.
func (d *dump) Where(addr uint64) int64 {
	n, ok := d.number(addr)
	if !ok {
		return -1
	}
	off, _, _, err := d.desc(n)
	if err != nil {
		return -1
	}
	return d.where(off)
}

// ReadPhys reads at a physical address.
func (d *dump) ReadPhys(p []byte, addr uint64) (int, error) {
	done := 0
	for done < len(p) {
		b, err := d.content(addr / uint64(d.page))
		if err != nil {
			return done, err
		}
		n := copy(p[done:], b[addr%uint64(d.page):])
		done, addr = done+n, addr+uint64(n)
	}
	return done, nil
}

// content unpacks a page.
func (d *dump) content(pfn uint64) ([]byte, error) {
	if b, ok := d.cache.Get(pfn); ok {
		return b, nil
	}
	n, ok := d.number(pfn * uint64(d.page))
	if !ok {
		return nil, fmt.Errorf("page %#x: %w", pfn, memory.ErrHole)
	}
	off, size, flags, err := d.desc(n)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if got, err := d.r.ReadAt(b, off); got < len(b) {
		return nil, fmt.Errorf("read page %#x: %w", pfn, err)
	}
	if b, err = d.unpack(b, flags); err != nil || int64(len(b)) != d.page {
		return nil, &evidence.Damage{Ref: evidence.Ref{Off: d.where(off), Len: int64(size)}, Reason: fmt.Sprintf("page %#x cannot be unpacked (%v)", pfn, err)}
	}
	d.cache.Put(pfn, b, len(b))
	return b, nil
}

func (d *dump) unpack(b []byte, flags uint32) ([]byte, error) {
	out := make([]byte, d.page)
	switch {
	case int64(len(b)) == d.page && flags&(packedZlib|packedLZO|packedSnappy|packedZstd) == 0:
		return b, nil
	case flags&packedZlib != 0:
		return out, d.unzlib(b, out)
	case flags&packedSnappy != 0:
		if n, err := snappy.DecodedLen(b); err != nil || int64(n) != d.page {
			return nil, memory.ErrNotSupported
		}
		return snappy.Decode(out, b)
	case flags&packedLZO != 0:
		n, err := lzo.Decompress(b, out)
		return out[:max(0, min(n, len(out)))], err
	case flags&packedZstd != 0:
		return d.unzstd(b)
	}
	return nil, fmt.Errorf("packed in a way that is not known (%#x): %w", flags, memory.ErrNotSupported)
}

// unzlib unpacks by one decoder: to make one costs more than a page.
func (d *dump) unzlib(b, out []byte) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.zlib == nil {
		d.zlib, err = zlib.NewReader(bytes.NewReader(b))
	} else {
		err = d.zlib.(zlib.Resetter).Reset(bytes.NewReader(b), nil)
	}
	if err != nil {
		d.zlib = nil
		return err
	}
	_, err = io.ReadFull(d.zlib, out)
	return err
}

func (d *dump) unzstd(b []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.zstd == nil {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<20))
		if err != nil {
			return nil, err
		}
		d.zstd = z
	}
	return d.zstd.DecodeAll(b, make([]byte, 0, d.page))
}
