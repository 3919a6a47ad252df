// Package vdi reads VirtualBox's disk images (version 1.1), fixed and growing ones. A differencing
// image names its parent by an id alone, by which no file is searched for: what lies in the parent is
// damage. Offsets and sizes are in bytes.
//
// Sources: VirtualBox VDICore.h; the comments of QEMU block/vdi.c.
package vdi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	signature    = 0xbeda107f
	signatureAt  = 64
	headerSize   = 512 // bytes that are looked at
	version      = 0x00010001
	typeDynamic  = 1
	typeFixed    = 2
	typeUndo     = 3
	typeDiff     = 4
	blockFree    = 0xffffffff // never written
	blockZero    = 0xfffffffe // discarded
	maxMap       = 128 << 20  // bytes of the block map
	maxBlock     = 256 << 20  // bytes; 1 MiB is usual
	entrySize    = 4
	descriptions = 256
)

// Format describes the member.
func Format() image.Format {
	return image.Format{Name: "vdi", Doc: "VirtualBox disk image (VDI)", Probe: probe, Open: open}
}

func probe(head, _ []byte) bool {
	return len(head) >= signatureAt+4 && binary.LittleEndian.Uint32(head[signatureAt:]) == signature
}

type disk struct {
	extent.Disk
	file         image.File
	block, extra int64
	dataAt       int64
	blocks       []byte // the block map, entries of 4 bytes
	parent       string // the id of the parent; "": none
	info         image.Info
}

var _ image.Describer = (*disk)(nil)

// Info gives the header's words.
func (d *disk) Info() image.Info {
	return image.Info{Facts: slices.Clone(d.info.Facts), Notes: slices.Clone(d.info.Notes)}
}

func (d *disk) fact(name, value string) {
	if value != "" {
		d.info.Facts = append(d.info.Facts, image.Fact{Name: name, Value: value})
	}
}

func (d *disk) note(format string, a ...any) {
	d.info.Notes = append(d.info.Notes, fmt.Sprintf(format, a...))
}

func open(_ context.Context, f image.File, b *limit.Budget) (image.Disk, error) {
	d := &disk{file: f}
	if err := d.open(b); err != nil {
		return nil, fmt.Errorf("open VDI %q: %w", f.Name, err)
	}
	return d, nil
}

func (d *disk) open(b *limit.Budget) error {
	h, err := extent.Bytes(d.file, 0, headerSize, headerSize, "header")
	if err != nil {
		return err
	}
	c := bin.Little(h)
	text := c.CString(signatureAt)
	if c.Seek(signatureAt); c.U32() != signature {
		return errors.New("no VDI signature")
	}
	if v := c.U32(); v != version {
		return fmt.Errorf("version %d.%d: %w", v>>16, v&0xffff, image.ErrNotSupported)
	}
	kind := c.Skip(4).U32()
	described := c.Skip(4).CString(descriptions)
	mapAt, dataAt := int64(c.U32()), int64(c.U32())
	sector := c.Skip(12).U32()
	size := int64(c.Skip(4).U64())
	d.block, d.extra = int64(c.U32()), int64(c.U32())
	count, used := int64(c.U32()), c.U32()
	id := c.Bytes(16)
	parent := c.Skip(32).Bytes(16)
	if err := c.Err(); err != nil {
		return err
	}
	switch {
	case kind < typeDynamic || kind > typeDiff || kind == typeUndo:
		return fmt.Errorf("image type %d: %w", kind, image.ErrNotSupported)
	case size < 0 || size > 1<<60:
		return fmt.Errorf("size %d", size)
	case sector != 512 && sector != 0:
		return fmt.Errorf("sectors of %d bytes: %w", sector, image.ErrNotSupported)
	case d.block < 512 || d.block > maxBlock || d.block%512 != 0 || d.extra > maxBlock:
		return fmt.Errorf("blocks of %d bytes with %d more", d.block, d.extra)
	}
	d.dataAt = dataAt
	if err := d.readMap(mapAt, (size+d.block-1)/d.block, count, b); err != nil {
		return err
	}
	d.fact("made by", string(bytes.TrimRight(text, "\n ")))
	d.fact("description", string(described))
	d.fact("type", [...]string{typeDynamic: "growing", typeFixed: "fixed", typeDiff: "differencing"}[kind])
	d.fact("block size", fmt.Sprintf("%d bytes", d.block))
	d.fact("blocks in use", fmt.Sprintf("%d of %d", used, count))
	d.fact("id", uuid(id))
	if d.parent = uuid(parent); d.parent != "" || kind == typeDiff {
		d.parent = "{" + d.parent + "}"
		d.fact("parent", d.parent)
		d.note("a differencing image, whose parent %s is known by its id alone: what lies in the parent cannot be read", d.parent)
	}
	d.Disk = extent.Disk{Name: d.file.Name, Bytes: size, Unit: 1, Map: d.piece}
	return nil
}

// readMap reads as many entries of the block map as the disk's size needs.
func (d *disk) readMap(at, need, count int64, b *limit.Budget) (err error) {
	if need > count {
		d.note("the block map has %d entries, the disk's size needs %d: the rest cannot be read", count, need)
		need = count
	}
	if err := b.Take(need*entrySize, "block map"); err != nil {
		return err
	}
	d.blocks, err = extent.Bytes(d.file, at, need*entrySize, maxMap, "block map")
	return err
}

// uuid writes an id as VirtualBox does; "" for none.
func uuid(b []byte) string {
	if bytes.Equal(b, make([]byte, 16)) {
		return ""
	}
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

func (d *disk) piece(off, n int64) extent.Piece { return extent.Join(d.one, off, n) }

func (d *disk) one(off int64) extent.Piece {
	i, into := off/d.block, off%d.block
	if i >= int64(len(d.blocks)/entrySize) {
		return extent.Piece{Kind: extent.Lost, Len: max(0, d.Bytes-off), Why: "the block map ends before"}
	}
	p := extent.Piece{Kind: extent.Zero, Len: d.block - into}
	switch e := binary.LittleEndian.Uint32(d.blocks[i*entrySize:]); {
	case e == blockFree && d.parent != "":
		p.Kind, p.Why = extent.Lost, fmt.Sprintf("lies in the parent %s, which the image does not name by a file", d.parent)
	case e < blockZero:
		p.Kind, p.Src, p.Off = extent.Data, d.file, d.dataAt+int64(e)*(d.block+d.extra)+d.extra+into
	}
	return p
}
