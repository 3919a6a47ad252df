package pkgdb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"telltale/internal/bin"
)

// Berkeley DB (5.3 src/dbinc/db_page.h). The access structure is not followed: every page of records is read, whatever the
// buckets say, so that records which an intruder unhooked are seen. Pages that were freed are of another type.
const (
	bdbHashMagic  = 0x061561
	bdbBtreeMagic = 0x053162
	bdbHashOld    = 2 // P_HASH_UNSORTED
	bdbHash       = 13
	bdbLeaf       = 5 // P_LBTREE
	bdbOverflow   = 7
	bdbPageHead   = 26 // bytes, sizeof(PAGE) without the index

	hKeyData  = 1 // H_KEYDATA
	hOffPage  = 3 // H_OFFPAGE
	bKeyData  = 1 // B_KEYDATA
	bOverflow = 3 // B_OVERFLOW
	bDelete   = 0x80

	bdbMaxPages = 1 << 24
)

var (
	errBDB     = errors.New("no sound Berkeley DB")
	errDeleted = errors.New("deleted")
)

// bdbOrder gives the byte order that a Berkeley DB was written in, nil where it is none.
func bdbOrder(head []byte) binary.ByteOrder {
	if len(head) < 72 {
		return nil
	}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := o.Uint32(head[12:]); m == bdbHashMagic || m == bdbBtreeMagic {
			return o
		}
	}
	return nil
}

// bdb reads one file.
type bdb struct {
	r     io.ReaderAt
	order binary.ByteOrder
	page  int64 // bytes
	pages int64
	left  int64  // bytes of overflow pages that may still be read: sound records share none
	over  []byte // a page's room
}

func bdbBlobs(ctx context.Context, r io.ReaderAt, size int64) iter.Seq2[blob, error] {
	return func(yield func(blob, error) bool) {
		d, err := openBDB(r, size)
		if err != nil {
			yield(blob{}, err)
			return
		}
		page := make([]byte, d.page)
		for p := int64(1); p < d.pages; p++ {
			if ctx.Err() != nil {
				yield(blob{}, ctx.Err())
				return
			}
			err := readAt(r, page, p*d.page)
			if err != nil {
				err = fmt.Errorf("page %d: %w", p, err)
			}
			if err != nil && !yield(blob{}, err) || err == nil && !d.records(page, p, yield) {
				return
			}
		}
	}
}

func openBDB(r io.ReaderAt, size int64) (*bdb, error) {
	head := make([]byte, 72)
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	d := &bdb{r: r, order: bdbOrder(head), left: size}
	if d.order == nil {
		return nil, errBDB
	}
	d.page = int64(d.order.Uint32(head[20:]))
	if d.page < 512 || d.page > 64<<10 || d.page&(d.page-1) != 0 {
		return nil, fmt.Errorf("pages of %d bytes: %w", d.page, errBDB)
	}
	if head[24] != 0 {
		return nil, fmt.Errorf("encrypted: %w", errBDB)
	}
	d.pages = min(size/d.page, bdbMaxPages)
	d.over = make([]byte, d.page)
	return d, nil
}

// records gives the records of one page: items are keys and data by turns.
func (d *bdb) records(page []byte, p int64, yield func(blob, error) bool) bool {
	kind := page[25]
	if kind != bdbHash && kind != bdbHashOld && kind != bdbLeaf {
		return true
	}
	n := int(d.order.Uint16(page[20:]))
	if n > (len(page)-bdbPageHead)/2 {
		return yield(blob{}, fmt.Errorf("page %d says that it has %d items: %w", p, n, errBDB))
	}
	for i := 0; i+1 < n; i += 2 {
		key, err := d.item(page, kind, i)
		var b blob
		if err == nil {
			b, err = d.item(page, kind, i+1)
		}
		if errors.Is(err, errDeleted) {
			continue
		}
		if b.off >= 0 {
			b.off += p * d.page
		}
		if len(key.b) == 4 {
			b.key = d.order.Uint32(key.b)
		}
		if err == nil && b.key == 0 && len(b.b) <= 4 { // not a package: the highest number given
			continue
		}
		if err != nil {
			err = fmt.Errorf("page %d, record %d: %w", p, b.key, err)
		}
		if !yield(b, err) {
			return false
		}
	}
	return true
}

// item gives one item of a page; off is within the page, -1 where the item lies on others.
func (d *bdb) item(page []byte, kind byte, i int) (blob, error) {
	at := func(i int) int { return int(d.order.Uint16(page[bdbPageHead+2*i:])) }
	off, end := at(i), len(page)
	if i > 0 && kind != bdbLeaf {
		end = at(i - 1) // items of a hash page lie from its end to its beginning
	}
	if off < bdbPageHead || end > len(page) || off >= end {
		return blob{}, fmt.Errorf("item %d lies at %d to %d: %w", i, off, end, errBDB)
	}
	c := bin.Little(page[off:end])
	if d.order == binary.BigEndian {
		c = bin.Big(page[off:end])
	}
	if kind == bdbLeaf {
		return d.leafItem(c, off)
	}
	switch t := c.U8(); t {
	case hKeyData:
		return blob{off: int64(off + 1), b: append([]byte(nil), c.Bytes(c.Left())...)}, c.Err()
	case hOffPage:
		c.Skip(3)
		return d.overflow(c)
	default:
		return blob{}, fmt.Errorf("item of type %d: %w", t, errBDB)
	}
}

func (d *bdb) leafItem(c *bin.Cursor, off int) (blob, error) {
	n := int(c.U16())
	switch t := c.U8(); {
	case t&bDelete != 0:
		return blob{}, errDeleted
	case t == bKeyData:
		return blob{off: int64(off + 3), b: append([]byte(nil), c.Bytes(n)...)}, c.Err()
	case t == bOverflow:
		c.Skip(1)
		return d.overflow(c)
	default:
		return blob{}, fmt.Errorf("item of type %d: %w", t, errBDB)
	}
}

// overflow puts together an item that lies on pages of its own.
func (d *bdb) overflow(c *bin.Cursor) (blob, error) {
	next, n := c.U32(), int64(c.U32())
	if err := c.Err(); err != nil {
		return blob{}, err
	}
	if n > maxHeader || n > d.left {
		return blob{}, fmt.Errorf("%d bytes on pages of its own: %w", n, errBDB)
	}
	var out []byte
	for int64(len(out)) < n {
		if int64(next) >= d.pages || next == 0 || d.left < d.page {
			return blob{}, fmt.Errorf("%d of %d bytes, then page %d: %w", len(out), n, next, errBDB)
		}
		d.left -= d.page
		if err := readAt(d.r, d.over, int64(next)*d.page); err != nil {
			return blob{}, err
		}
		room := int(d.order.Uint16(d.over[22:])) // hf_offset: the length of what lies here
		if d.over[25] != bdbOverflow || room == 0 || room > len(d.over)-bdbPageHead {
			return blob{}, fmt.Errorf("page %d of type %d with %d bytes: %w", next, d.over[25], room, errBDB)
		}
		out = append(out, d.over[bdbPageHead:bdbPageHead+room]...)
		next = d.order.Uint32(d.over[16:])
	}
	return blob{off: -1, b: out[:n]}, nil
}
