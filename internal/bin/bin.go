// Package bin is the checked cursor: all decoders take their bytes through it.
// A cursor never panics; the first read beyond the end makes it stick with
// ErrShort, all further reads give zero, and the decoder asks Err once at the end
// of a structure. Offsets and lengths are in bytes.
package bin

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrShort says that a structure goes beyond the bytes that are there.
var ErrShort = errors.New("structure goes beyond its bytes")

// Cursor reads structures out of a byte slice.
type Cursor struct {
	b     []byte
	off   int
	order binary.ByteOrder
	err   error
}

// Little gives a little-endian cursor over b.
func Little(b []byte) *Cursor { return &Cursor{b: b, order: binary.LittleEndian} }

// Big gives a big-endian cursor over b.
func Big(b []byte) *Cursor { return &Cursor{b: b, order: binary.BigEndian} }

// Err gives the first failure, nil if there was none.
func (c *Cursor) Err() error { return c.err }

// Off gives the offset of the next byte.
func (c *Cursor) Off() int { return c.off }

// Left gives how many bytes there are behind the cursor.
func (c *Cursor) Left() int { return len(c.b) - c.off }

// Seek moves to an absolute offset.
func (c *Cursor) Seek(off int) *Cursor {
	if off < 0 || off > len(c.b) {
		c.fail(off, 0)
		return c
	}
	c.off = off
	return c
}

// Skip moves n bytes on.
func (c *Cursor) Skip(n int) *Cursor { c.take(n); return c }

// Bytes gives the next n bytes, not copied; nil if they are not there.
func (c *Cursor) Bytes(n int) []byte { return c.take(n) }

// U8 gives the next byte.
func (c *Cursor) U8() uint8 {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// U16 gives the next two bytes.
func (c *Cursor) U16() uint16 {
	if b := c.take(2); b != nil {
		return c.order.Uint16(b)
	}
	return 0
}

// U32 gives the next four bytes.
func (c *Cursor) U32() uint32 {
	if b := c.take(4); b != nil {
		return c.order.Uint32(b)
	}
	return 0
}

// U64 gives the next eight bytes.
func (c *Cursor) U64() uint64 {
	if b := c.take(8); b != nil {
		return c.order.Uint64(b)
	}
	return 0
}

// CString gives the next n bytes up to their first NUL.
func (c *Cursor) CString(n int) []byte {
	b := c.take(n)
	for i, x := range b {
		if x == 0 {
			return b[:i]
		}
	}
	return b
}

func (c *Cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.b)-c.off {
		c.fail(c.off, n)
		return nil
	}
	b := c.b[c.off : c.off+n : c.off+n]
	c.off += n
	return b
}

func (c *Cursor) fail(off, n int) {
	if c.err == nil {
		c.err = fmt.Errorf("%d bytes at %d of %d: %w", n, off, len(c.b), ErrShort)
	}
}
