// Package lime reads dumps in the LiME format, version 1: ranges of memory behind each other, each with a header of 32 bytes
// (github.com/jtsylve/LiME, src/lime.h; AVML and telltale write it too). LiME's format "raw" has no headers, and cannot be read at all.
package lime

import (
	"context"
	"fmt"
	"io"

	"telltale/evidence"
	"telltale/internal/bin"
	"telltale/internal/limit"
	"telltale/memory"
)

const (
	magic      = 0x4C694D45 // "EMiL"
	version    = 1
	headerSize = 32
	maxRanges  = 1 << 20
)

// Format describes the member.
func Format() memory.Format {
	return memory.Format{Name: "lime", Doc: "LiME, version 1", Probe: probe, Open: open}
}

func probe(head []byte) bool {
	c := bin.Little(head)
	return c.U32() == magic && c.U32() == version
}

func open(ctx context.Context, r io.ReaderAt, size int64, _ *limit.Budget) (memory.Dump, error) {
	var rs []memory.Range
	var f memory.Facts
	b := make([]byte, headerSize)
	for off := int64(0); off+headerSize <= size; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if n, err := r.ReadAt(b, off); n < len(b) {
			return nil, fmt.Errorf("read the header at %d: %w", off, err)
		}
		c := bin.Little(b)
		m, v, start, end := c.U32(), c.U32(), c.U64(), c.U64() // the end is the last byte's address
		if m != magic || v != version || end < start || end >= memory.MaxAddress || len(rs) == maxRanges {
			f.Damage = append(f.Damage, evidence.Damage{Ref: evidence.Ref{Off: off, Len: headerSize}, Reason: "no header of a range stands here: the rest of the dump cannot be read"})
			break
		}
		rs = append(rs, memory.Range{Start: start, Size: end - start + 1, Off: off + headerSize})
		if n := int64(end - start + 1); n > size-off-headerSize {
			break
		}
		off += headerSize + int64(end-start+1)
	}
	if len(rs) == 0 {
		return nil, fmt.Errorf("a LiME dump without ranges: %w", memory.ErrNotSupported)
	}
	return memory.NewPlain(r, size, rs, f), nil
}
