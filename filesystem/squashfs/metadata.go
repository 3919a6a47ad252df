package squashfs

import (
	"encoding/binary"

	"telltale/evidence"
)

// The header of a metadata block: its packed length, and a bit for "not packed".
const (
	metaHeader   = 2 // bytes
	metaUnpacked = 0x8000
)

// metaBlock is a metadata block, unpacked.
type metaBlock struct {
	b    []byte
	next int64 // offset of the next
}

// metadata gives the block at an offset, which must not be changed.
func (f *FS) metadata(at int64) (metaBlock, error) {
	if m, ok := f.meta.Get(at); ok {
		return m, nil
	}
	var buf [metaHeader + metadataSize]byte
	if err := f.readAt(buf[:metaHeader], at); err != nil {
		return metaBlock{}, err
	}
	h := binary.LittleEndian.Uint16(buf[:])
	n := int64(h &^ metaUnpacked)
	if n == 0 || n > metadataSize {
		return metaBlock{}, damage(at, metaHeader, "metadata block of %d bytes", n)
	}
	p := buf[metaHeader : metaHeader+n]
	if err := f.readAt(p, at+metaHeader); err != nil {
		return metaBlock{}, err
	}
	m := metaBlock{next: at + metaHeader + n}
	if h&metaUnpacked != 0 {
		m.b = append([]byte(nil), p...)
	} else {
		out := make([]byte, metadataSize)
		got, err := f.pack.unpack(out, p)
		if err != nil {
			return metaBlock{}, damage(at, metaHeader+n, "metadata block: %v", err)
		}
		m.b = out[:got]
	}
	f.meta.Put(at, m, metadataSize)
	return m, nil
}

// cursor reads records that go on from one metadata block to the next. As bin.Cursor, it sticks at the first failure.
type cursor struct {
	f     *FS
	b     []byte // what is left of the block
	next  int64
	at    int64 // of the block that was begun with
	err   error
	total int64
}

// metaAt gives a cursor at a place in a table: the offset of a block from the table's beginning, and one within the block.
func (f *FS) metaAt(table, block uint64, off int) *cursor {
	c := &cursor{f: f}
	if table > uint64(f.size) || block > uint64(f.size)-table {
		c.err = damage(0, 0, "metadata at %d of a table at %d lies beyond the end at %d", block, table, f.size)
		return c
	}
	c.at = int64(table + block)
	m, err := f.metadata(c.at)
	if err == nil && off > len(m.b) {
		err = damage(c.at, m.next-c.at, "record at %d in a metadata block of %d bytes", off, len(m.b))
	}
	if c.err = err; err == nil {
		c.b, c.next = m.b[off:], m.next
	}
	return c
}

// read fills p.
func (c *cursor) read(p []byte) {
	for len(p) > 0 && c.err == nil {
		if len(c.b) == 0 {
			m, err := c.f.metadata(c.next)
			if err == nil && len(m.b) == 0 {
				err = damage(c.next, metaHeader, "metadata block without content")
			}
			if err != nil {
				c.err = err
				break
			}
			c.b, c.next = m.b, m.next
		}
		n := copy(p, c.b)
		p, c.b, c.total = p[n:], c.b[n:], c.total+int64(n)
	}
	if c.err != nil {
		clear(p)
	}
}

func (c *cursor) u16() uint16 {
	var b [2]byte
	c.read(b[:])
	return binary.LittleEndian.Uint16(b[:])
}

func (c *cursor) u32() uint32 {
	var b [4]byte
	c.read(b[:])
	return binary.LittleEndian.Uint32(b[:])
}

func (c *cursor) u64() uint64 {
	var b [8]byte
	c.read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// ref tells where the block lies that was begun with.
func (c *cursor) ref() evidence.Ref {
	if m, ok := c.f.meta.Get(c.at); ok {
		return evidence.Ref{Off: c.at, Len: m.next - c.at}
	}
	return evidence.Ref{Off: c.at, Len: metaHeader}
}
