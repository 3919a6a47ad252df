package pkgdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"telltale/internal/bin"
)

// ndb (rpm 4.18 lib/backend/ndb/rpmpkg.c): pages of slots, the first two of which are the header, then blobs of whole blocks. All numbers are
// little-endian.
const (
	ndbMagic     = "RpmP"
	ndbSlot      = "Slot"
	ndbHead      = "BlbS"
	ndbTail      = "BlbE"
	ndbSlotSize  = 16
	ndbBlock     = 16
	ndbPage      = 4096
	ndbHeadSize  = 16
	ndbTailSize  = 12
	ndbMaxPages  = 4096 // a million packages
	ndbSlotStart = 2
)

var errNDB = errors.New("no sound ndb")

func ndbBlobs(ctx context.Context, r io.ReaderAt, size int64) iter.Seq2[blob, error] {
	return func(yield func(blob, error) bool) {
		head := make([]byte, 32)
		if err := readAt(r, head, 0); err != nil {
			yield(blob{}, err)
			return
		}
		c := bin.Little(head).Skip(4)
		version, _, pages := c.U32(), c.U32(), c.U32()
		if version != 0 || pages == 0 || pages > ndbMaxPages {
			yield(blob{}, fmt.Errorf("version %d with %d pages of slots: %w", version, pages, errNDB))
			return
		}
		left := size // bytes that may still be read: sound blobs lie beside each other
		page := make([]byte, ndbPage)
		for p := range int64(pages) {
			if ctx.Err() != nil {
				yield(blob{}, ctx.Err())
				return
			}
			if err := readAt(r, page, p*ndbPage); err != nil {
				yield(blob{}, fmt.Errorf("page %d of slots: %w", p, err))
				return
			}
			if !ndbSlots(r, size, page, p, &left, yield) {
				return
			}
		}
	}
}

func ndbSlots(r io.ReaderAt, size int64, page []byte, p int64, left *int64, yield func(blob, error) bool) bool {
	c := bin.Little(page)
	for i := range ndbPage / ndbSlotSize {
		magic, key, off, n := c.Bytes(4), c.U32(), c.U32(), c.U32()
		if p == 0 && i < ndbSlotStart || off == 0 && string(magic) == ndbSlot {
			continue
		}
		b := blob{key: key, off: int64(off) * ndbBlock}
		err := errNDB
		if string(magic) == ndbSlot {
			b, err = ndbBlob(r, size, b, int64(n)*ndbBlock, left)
		}
		if err != nil {
			err = fmt.Errorf("slot %d of page %d, record %d: %w", i, p, key, err)
		}
		if !yield(b, err) {
			return false
		}
	}
	return true
}

// ndbBlob reads what a slot points to: a head, the record, and a tail at the end of the last block.
func ndbBlob(r io.ReaderAt, size int64, b blob, n int64, left *int64) (blob, error) {
	if b.off > size || n > size-b.off || n > *left || n > maxHeader || n < ndbHeadSize+ndbTailSize {
		return b, fmt.Errorf("%d bytes at %d of %d: %w", n, b.off, size, errNDB)
	}
	*left -= n
	buf := make([]byte, n)
	if err := readAt(r, buf, b.off); err != nil {
		return b, err
	}
	c := bin.Little(buf)
	magic, key, _, length := c.Bytes(4), c.U32(), c.U32(), c.U32()
	if string(magic) != ndbHead || key != b.key || int64(length) > n-ndbHeadSize-ndbTailSize {
		return b, fmt.Errorf("its head is that of record %d with %d bytes: %w", key, length, errNDB)
	}
	b.off += ndbHeadSize
	b.b = c.Bytes(int(length))
	if string(buf[n-4:]) != ndbTail {
		return b, fmt.Errorf("it has no tail: %w", errNDB)
	}
	return b, nil
}

// readAt reads all of p.
func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(p), off, err)
}
