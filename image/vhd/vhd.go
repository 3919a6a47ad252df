// Package vhd reads Microsoft's virtual hard disks of version 1 (VHD): fixed, dynamic and
// differencing ones. A parent is opened by its base name beside the image and nowhere else, and only
// if it has the id that the image names; without it, what lies in it is damage. Offsets and sizes are
// in bytes, numbers big-endian, a sector is 512 bytes.
//
// Source: Microsoft "Virtual Hard Disk Image Format Specification" 1.0.
package vhd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf16"

	"telltale/evidence"
	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	sector          = 512
	footerCookie    = "conectix"
	headerCookie    = "cxsparse"
	headerSize      = 1024
	oldFooterSize   = 511 // bytes, before Virtual PC 2004
	versionMajor    = 1
	typeFixed       = 2
	typeDynamic     = 3
	typeDiff        = 4
	blockFree       = 0xffffffff
	entrySize       = 4
	maxTable        = 64 << 20  // bytes of the block allocation table
	maxBlock        = 256 << 20 // bytes; 2 MiB is usual
	maxChain        = 64
	maxNotes        = 100
	epoch2000       = 946684800 // the format's times count from 2000-01-01
	locatorRelative = "W2ru"    // a path relative to the image, UTF-16 little-endian
	locatorAbsolute = "W2ku"
	maxLocator      = 64 << 10
)

// Format describes the member.
func Format() image.Format {
	return image.Format{
		Name:  "vhd",
		Doc:   "virtual hard disk (VHD)",
		Probe: probe,
		Open: func(ctx context.Context, f image.File, b *limit.Budget) (image.Disk, error) {
			return open(ctx, f, b, nil)
		},
	}
}

// Fixed disks begin with the disk's own bytes: only the end tells.
func probe(head, tail []byte) bool {
	for _, n := range []int{sector, oldFooterSize} {
		if len(tail) >= n && bytes.HasPrefix(tail[len(tail)-n:], []byte(footerCookie)) {
			return true
		}
	}
	return bytes.HasPrefix(head, []byte(footerCookie))
}

type disk struct {
	extent.Disk
	file    image.File // without the footer
	foot    footer
	table   []byte // entries of 4 bytes
	block   int64
	maps    *extent.LRU[int64, []byte]
	missing string // why what is not allocated cannot be had
	notes   []string
	facts   []image.Fact
}

type footer struct {
	dataAt, size int64
	kind         uint32
	made         uint32
	creator      string
	version      uint32
	host         string
	id           [16]byte
}

var _ image.Describer = (*disk)(nil)

func (d *disk) note(format string, a ...any) {
	if len(d.notes) < maxNotes {
		d.notes = append(d.notes, fmt.Sprintf(format, a...))
	}
}

// Info gives the footer's facts and what had to be done to read the disk.
func (d *disk) Info() image.Info {
	i := image.Info{Facts: slices.Clone(d.facts), Notes: slices.Clone(d.notes)}
	if d.foot.made != 0 {
		i.Made = evidence.Unix(int64(d.foot.made)+epoch2000, 0, time.Second)
	}
	return i
}

func open(ctx context.Context, f image.File, b *limit.Budget, chain []string) (*disk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := &disk{file: f}
	if err := d.readFooter(); err != nil {
		return nil, fmt.Errorf("open VHD %q: %w", f.Name, err)
	}
	d.describe()
	if d.foot.kind == typeFixed {
		d.Disk = extent.Disk{Name: f.Name, Bytes: d.foot.size, Unit: 1, Map: d.fixed}
		if d.file.Size < d.foot.size {
			d.note("the file holds %d bytes of the disk's %d: it is cut", d.file.Size, d.foot.size)
		}
		return d, nil
	}
	cache := extent.CacheFor(len(chain))
	if err := b.Take(int64(cache), "caches of a VHD"); err != nil {
		return nil, err
	}
	d.maps = extent.NewLRU[int64, []byte](cache)
	if err := d.readDynamic(ctx, b, append(slices.Clone(chain), f.Name)); err != nil {
		return nil, fmt.Errorf("open VHD %q: %w", f.Name, err)
	}
	d.Disk = extent.Disk{Name: f.Name, Bytes: d.foot.size, Unit: 1, Map: d.piece, Parent: d.Parent, ParentSize: d.ParentSize}
	return d, nil
}

// readFooter takes the footer at the end, or the copy that dynamic disks begin with.
func (d *disk) readFooter() error {
	f := d.file
	var why error
	for _, at := range []int64{f.Size - sector, f.Size - oldFooterSize, 0} {
		b, err := extent.Bytes(f, at, min(sector, f.Size-at), sector, "footer")
		if err != nil || len(b) < oldFooterSize || string(b[:8]) != footerCookie {
			continue
		}
		foot, sound, err := parseFooter(b)
		if err == nil && !sound && at != 0 && d.foot.kind == 0 {
			why = errors.New("the footer has a wrong checksum")
			// Nothing but the footer says how big a fixed disk is; a dynamic one has a copy.
			if foot.kind != typeFixed {
				continue
			}
			d.note("%v; its numbers are used all the same", why)
		}
		if err != nil {
			why = err
			continue
		}
		if at == 0 && foot.kind == typeFixed {
			continue // the disk's own bytes
		}
		if at == 0 {
			d.note("the file does not end with a sound footer: it is cut or damaged; the copy at its beginning is used")
		} else {
			d.file.Size = at
		}
		d.foot = foot
		return nil
	}
	if why != nil {
		return why
	}
	return errors.New("no VHD footer")
}

func parseFooter(b []byte) (foot footer, sound bool, err error) {
	c := bin.Big(b).Skip(12)
	version := c.U32()
	foot.dataAt = int64(c.U64())
	foot.made = c.U32()
	foot.creator, foot.version, foot.host = string(c.CString(4)), c.U32(), string(c.CString(4))
	foot.size = int64(c.Skip(8).U64())
	foot.kind = c.Skip(4).U32()
	sum := c.U32()
	copy(foot.id[:], c.Bytes(16))
	switch {
	case c.Err() != nil:
		return foot, false, c.Err()
	case version>>16 != versionMajor:
		return foot, false, fmt.Errorf("version %d.%d: %w", version>>16, version&0xffff, image.ErrNotSupported)
	case foot.kind < typeFixed || foot.kind > typeDiff:
		return foot, false, fmt.Errorf("disk type %d: %w", foot.kind, image.ErrNotSupported)
	case foot.size < 0 || foot.size > 1<<60:
		return foot, false, fmt.Errorf("size %d", foot.size)
	}
	return foot, sum == checksum(b, 64), nil
}

// checksum is the complement of the sum of all bytes but those of the checksum itself.
func checksum(b []byte, at int) (sum uint32) {
	for i, x := range b {
		if i < at || i >= at+4 {
			sum += uint32(x)
		}
	}
	return ^sum
}

func (d *disk) describe() {
	d.facts = []image.Fact{
		{Name: "type", Value: [...]string{typeFixed: "fixed", typeDynamic: "dynamic", typeDiff: "differencing"}[d.foot.kind]},
		{Name: "made by", Value: fmt.Sprintf("%s %d.%d on %s", d.foot.creator, d.foot.version>>16, d.foot.version&0xffff, d.foot.host)},
		{Name: "id", Value: uuid(d.foot.id)},
	}
}

func uuid(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (d *disk) fixed(off, _ int64) extent.Piece {
	if off >= d.file.Size {
		return extent.Piece{Kind: extent.Lost, Len: d.Bytes - off, Why: "the file ends before it"}
	}
	return extent.Piece{Kind: extent.Data, Len: min(d.Bytes, d.file.Size) - off, Src: d.file, Off: off}
}

// readDynamic reads the dynamic header and the block allocation table, and opens the parent.
func (d *disk) readDynamic(ctx context.Context, b *limit.Budget, chain []string) error {
	h, err := extent.Bytes(d.file, d.foot.dataAt, headerSize, headerSize, "dynamic header")
	if err != nil {
		return err
	}
	if string(h[:8]) != headerCookie {
		return errors.New("no dynamic header")
	}
	c := bin.Big(h).Skip(16)
	tableAt := int64(c.U64())
	version, entries := c.U32(), int64(c.U32())
	d.block = int64(c.U32())
	if sum := c.U32(); sum != checksum(h, 36) {
		d.note("the dynamic header has a wrong checksum; its numbers are used all the same")
	}
	switch {
	case version>>16 != versionMajor:
		return fmt.Errorf("dynamic header of version %#x: %w", version, image.ErrNotSupported)
	case d.block < sector || d.block > maxBlock || d.block&(d.block-1) != 0:
		return fmt.Errorf("blocks of %d bytes", d.block)
	}
	need := (d.foot.size + d.block - 1) / d.block
	if need > entries {
		d.note("the block table has %d entries, the disk's size needs %d: the rest cannot be read", entries, need)
		need = entries
	}
	if err := b.Take(min(need, maxTable)*entrySize, "block table"); err != nil {
		return err
	}
	if d.table, err = extent.Bytes(d.file, tableAt, need*entrySize, maxTable, "block table"); err != nil {
		return err
	}
	if d.foot.kind == typeDiff {
		return d.openParent(ctx, b, h, chain)
	}
	return nil
}

// parentNames gives the paths that the dynamic header names the parent by.
func (d *disk) parentNames(h []byte) (names []string) {
	add := func(b []byte, order binary.ByteOrder) {
		var u []uint16
		for ; len(b) >= 2 && order.Uint16(b) != 0; b = b[2:] {
			u = append(u, order.Uint16(b))
		}
		if s := string(utf16.Decode(u)); s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	for _, want := range []string{locatorRelative, locatorAbsolute} {
		for c := bin.Big(h[576:768]); c.Left() > 0; {
			code := string(c.Bytes(4))
			n, at := int64(c.Skip(4).U32()), int64(c.Skip(4).U64())
			if b, err := extent.Bytes(d.file, at, n, maxLocator, "parent locator"); code == want && err == nil {
				add(b, binary.LittleEndian)
			}
		}
	}
	add(h[64:576], binary.BigEndian)
	return names
}

func (d *disk) openParent(ctx context.Context, b *limit.Budget, h []byte, chain []string) error {
	id := [16]byte(h[40:56])
	d.facts = append(d.facts, image.Fact{Name: "parent", Value: uuid(id)})
	names := d.parentNames(h)
	why := "the image does not name it"
	found := false
	for _, name := range names {
		base, folder := extent.BaseName(name)
		if slices.Contains(chain, base) || len(chain) > maxChain {
			return fmt.Errorf("the chain of parents leads back to %q or has more than %d", base, maxChain)
		}
		f, err := extent.Beside(d.file, name)
		if err != nil {
			if !found {
				why = fmt.Sprintf("%q is not beside the image (%v)", base, err)
			}
			continue
		}
		found = true
		p, err := open(ctx, f, b, chain)
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, limit.ErrLimit)):
			return err
		case err != nil:
			why = fmt.Sprintf("%q cannot be opened (%v)", base, err)
			continue
		case p.foot.id != id:
			why = fmt.Sprintf("%q has the id %s: it is another disk", base, uuid(p.foot.id))
			continue
		}
		if folder {
			d.note("the image names its parent %q; %q beside it was taken", name, f.Name)
		}
		for _, n := range p.notes {
			d.note("parent %q: %s", f.Name, n)
		}
		d.Parent, d.ParentSize = p, p.Size()
		return nil
	}
	d.missing = fmt.Sprintf("lies in the parent %s: %s", uuid(id), why)
	d.note("the parent %s: %s: what lies in it cannot be read", uuid(id), why)
	return nil
}

func (d *disk) piece(off, n int64) extent.Piece { return extent.Join(d.one, off, n) }

func (d *disk) unallocated(n int64) extent.Piece {
	switch {
	case d.missing != "":
		return extent.Piece{Kind: extent.Lost, Len: n, Why: d.missing}
	case d.Parent != nil:
		return extent.Piece{Kind: extent.Under, Len: n}
	}
	return extent.Piece{Kind: extent.Zero, Len: n}
}

// one gives what lies at off, as far as the sectors of its block are of one kind.
func (d *disk) one(off int64) extent.Piece {
	i, into := off/d.block, off%d.block
	if i >= int64(len(d.table)/entrySize) {
		return extent.Piece{Kind: extent.Lost, Len: max(0, d.Bytes-off), Why: "the block table ends before"}
	}
	e := binary.BigEndian.Uint32(d.table[i*entrySize:])
	if e == blockFree {
		return d.unallocated(d.block - into)
	}
	bits, data, err := d.sectors(int64(e) * sector)
	if err != nil {
		return extent.Piece{Kind: extent.Lost, Len: d.block - into, Why: fmt.Sprintf("block %d: %v", i, err)}
	}
	first := into / sector
	end := first + 1
	set := bits[first/8]<<(first%8)&0x80 != 0
	for end < d.block/sector && (bits[end/8]<<(end%8)&0x80 != 0) == set {
		if end%8 == 0 && (bits[end/8] == 0xff || bits[end/8] == 0) && end+8 <= d.block/sector {
			end += 8
		} else {
			end++
		}
	}
	n := end*sector - into
	if !set {
		return d.unallocated(n)
	}
	return extent.Piece{Kind: extent.Data, Len: n, Src: d.file, Off: data + into}
}

// sectors gives a block's bitmap, one bit for each sector that was written, and where its data begin.
func (d *disk) sectors(at int64) (bits []byte, data int64, err error) {
	size := (d.block/sector + 7) / 8
	data = at + (size+sector-1)&^(sector-1)
	if b, ok := d.maps.Get(at); ok {
		return b, data, nil
	}
	b, err := extent.Bytes(d.file, at, size, maxBlock/sector/8, "sector bitmap")
	if err != nil {
		return nil, 0, err
	}
	d.maps.Put(at, b, len(b))
	return b, data, nil
}
