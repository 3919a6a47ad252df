// Package vhdx reads Microsoft's virtual hard disks of version 2 (VHDX): fixed, dynamic and
// differencing ones. A log that was not played back is played back in memory. A parent is opened by
// its base name beside the image and nowhere else, and only if it has the id that the image names;
// without it, what lies in it is damage. Offsets and sizes are in bytes, numbers little-endian.
//
// Source: [MS-VHDX] Virtual Hard Disk v2 (VHDX) File Format.
package vhdx

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
	"telltale/internal/limit"
)

const (
	signature      = "vhdxfile"
	headerSize     = 4 << 10
	regionSize     = 64 << 10 // of a region table
	maxRegions     = 2047
	mib            = 1 << 20
	maxTable       = 128 << 20 // bytes of the block allocation table
	maxMetadata    = 16 << 20  // bytes of one item
	maxChain       = 64
	maxNotes       = 100
	sectorsPerMap  = 1 << 23 // sectors that one sector bitmap block covers
	maxVirtualSize = 64 << 40
)

// The first header, the second, the first region table, the second.
var (
	headersAt = []int64{64 << 10, 128 << 10}
	regionsAt = []int64{192 << 10, 256 << 10}
)

// Regions and metadata items, as the specification writes their ids.
const (
	regionBAT      = "2dc27766-f623-4200-9d64-115e9bfd4a08"
	regionMetadata = "8b7ca206-4790-4b9a-b8fe-575f050f886e"
	itemParameters = "caa16737-fa36-4d43-b3b6-33f0aa44e76b"
	itemSize       = "2fa54224-cd1b-4876-b211-5dbed83bf4b8"
	itemDiskID     = "beca12ab-b2e6-4523-93ef-c309e000c746"
	itemSector     = "8141bf1d-a96f-4709-ba47-f233a8faab5f"
	itemPhysical   = "cda348c7-445d-4471-9cc9-e9885251c556"
	itemParent     = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c"
)

// States of a block, the lowest three bits of an entry; those of a sector bitmap are the first and the last but one.
const (
	stateAbsent    = 0
	stateUndefined = 1
	stateZero      = 2
	stateUnmapped  = 3
	statePresent   = 6
	statePartly    = 7
	stateMask      = 7
	offsetMask     = ^uint64(mib - 1)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Format describes the member.
func Format() image.Format {
	return image.Format{
		Name:  "vhdx",
		Doc:   "virtual hard disk, version 2 (VHDX)",
		Probe: func(head, _ []byte) bool { return strings.HasPrefix(string(head), signature) },
		Open: func(ctx context.Context, f image.File, b *limit.Budget) (image.Disk, error) {
			return open(ctx, f, b, nil)
		},
	}
}

type disk struct {
	extent.Disk
	file      image.File // with the log played back
	dataID    string     // of the header: what a child knows its parent by
	regions   map[string]region
	items     map[string]region
	block     int64
	sector    int64
	size      int64
	ratio     int64 // blocks that one sector bitmap block covers
	hasParent bool
	table     []byte // entries of 8 bytes
	maps      *extent.LRU[int64, []byte]
	missing   string
	notes     []string
	facts     []image.Fact
}

type region struct{ off, size int64 }

var _ image.Describer = (*disk)(nil)

func (d *disk) note(format string, a ...any) {
	if len(d.notes) < maxNotes {
		d.notes = append(d.notes, fmt.Sprintf(format, a...))
	}
}

func (d *disk) fact(name, format string, a ...any) {
	d.facts = append(d.facts, image.Fact{Name: name, Value: fmt.Sprintf(format, a...)})
}

// Info gives the header's and the metadata's facts, and what had to be done to read the disk.
func (d *disk) Info() image.Info {
	return image.Info{Facts: slices.Clone(d.facts), Notes: slices.Clone(d.notes)}
}

func open(ctx context.Context, f image.File, b *limit.Budget, chain []string) (*disk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cache := extent.CacheFor(len(chain))
	d := &disk{file: f, maps: extent.NewLRU[int64, []byte](cache)}
	if err := b.Take(int64(cache), "caches of a VHDX"); err != nil {
		return nil, err
	}
	for _, step := range []func(*limit.Budget) error{d.readHeader, d.readRegions, d.readMetadata, d.readTable} {
		if err := step(b); err != nil {
			return nil, fmt.Errorf("open VHDX %q: %w", f.Name, err)
		}
	}
	if d.hasParent {
		if err := d.openParent(ctx, b, append(slices.Clone(chain), f.Name)); err != nil {
			return nil, fmt.Errorf("open VHDX %q: %w", f.Name, err)
		}
	}
	d.Disk = extent.Disk{Name: f.Name, Bytes: d.size, Unit: 1, Map: d.piece, Parent: d.Parent, ParentSize: d.ParentSize}
	return d, nil
}

// guid writes an id as the specification does.
func guid(b []byte) string {
	if len(b) < 16 {
		return ""
	}
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// sound tells whether the CRC-32C at byte 4 is that of the bytes with zeros in its place.
func sound(b []byte) bool {
	sum := crc32.Update(0, castagnoli, b[:4])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, b[8:]) == binary.LittleEndian.Uint32(b[4:])
}

// readHeader takes the sound header with the higher sequence number, and plays its log back.
func (d *disk) readHeader(b *limit.Budget) error {
	if s, err := extent.Bytes(d.file, 0, 8+512, 8+512, "file identifier"); err != nil {
		return err
	} else if string(s[:8]) != signature {
		return errors.New("no VHDX signature")
	} else if creator := wide(s[8:]); creator != "" {
		d.fact("made by", "%s", creator)
	}
	var best []byte
	for i, at := range headersAt {
		h, err := extent.Bytes(d.file, at, headerSize, headerSize, "header")
		if err != nil || string(h[:4]) != "head" || !sound(h) {
			if err != nil || i == 0 || string(h) != string(make([]byte, headerSize)) {
				d.note("header %d is broken", i+1)
			}
			continue
		}
		if best == nil || binary.LittleEndian.Uint64(h[8:]) > binary.LittleEndian.Uint64(best[8:]) {
			best = h
		}
	}
	if best == nil {
		return errors.New("both headers are broken")
	}
	c := bin.Little(best).Skip(32)
	d.dataID = guid(c.Bytes(16))
	logID := c.Bytes(16)
	logVersion, version := c.U16(), c.U16()
	logSize, logAt := int64(c.U32()), int64(c.U64())
	d.fact("data id", "%s", d.dataID)
	switch {
	case c.Err() != nil:
		return c.Err()
	case version != 1:
		return fmt.Errorf("version %d: %w", version, image.ErrNotSupported)
	case string(logID) == string(make([]byte, 16)):
		return nil
	case logVersion != 0:
		return fmt.Errorf("log of version %d: %w", logVersion, image.ErrNotSupported)
	}
	return d.replay(logAt, logSize, logID, b)
}

func (d *disk) readRegions(*limit.Budget) error {
	var t []byte
	for i, at := range regionsAt {
		b, err := extent.Bytes(d.file, at, regionSize, regionSize, "region table")
		if err == nil && string(b[:4]) == "regi" && sound(b) {
			t = b
			break
		}
		d.note("region table %d is broken", i+1)
	}
	if t == nil {
		return errors.New("both region tables are broken")
	}
	d.regions = map[string]region{}
	c := bin.Little(t).Skip(8)
	count := c.U32()
	if count > maxRegions {
		return fmt.Errorf("%d regions", count)
	}
	c.Skip(4)
	for range count {
		id := guid(c.Bytes(16))
		r := region{int64(c.U64()), int64(c.U32())}
		required := c.U32()&1 != 0
		switch {
		case id == regionBAT || id == regionMetadata:
			if r.off < 0 || r.off > d.file.Size {
				return fmt.Errorf("region %s lies at byte %d of %d", id, r.off, d.file.Size)
			}
			d.regions[id] = r
		case required:
			return fmt.Errorf("required region %s: %w", id, image.ErrNotSupported)
		}
	}
	return c.Err()
}

func (d *disk) readMetadata(*limit.Budget) error {
	r, ok := d.regions[regionMetadata]
	if !ok {
		return errors.New("no metadata region")
	}
	b, err := extent.Bytes(d.file, r.off, regionSize, regionSize, "metadata table")
	if err != nil {
		return err
	}
	if string(b[:8]) != "metadata" {
		return errors.New("no metadata table")
	}
	d.items = map[string]region{}
	c := bin.Little(b).Skip(10)
	count := c.U16()
	c.Skip(20)
	for range min(count, maxRegions) {
		id := guid(c.Bytes(16))
		at, size, flags := int64(c.U32()), int64(c.U32()), c.U32()
		c.Skip(4)
		switch id {
		case itemParameters, itemSize, itemDiskID, itemSector, itemPhysical, itemParent:
			d.items[id] = region{r.off + at, size}
		default:
			if flags&4 != 0 {
				return fmt.Errorf("required metadata item %s: %w", id, image.ErrNotSupported)
			}
		}
	}
	if c.Err() != nil {
		return c.Err()
	}
	return d.readItems()
}

func (d *disk) item(id string, size int64) ([]byte, error) {
	r, ok := d.items[id]
	if !ok || r.size < size {
		return nil, fmt.Errorf("no metadata item %s of %d bytes", id, size)
	}
	return extent.Bytes(d.file, r.off, size, size, "metadata item")
}

func (d *disk) readItems() error {
	le := binary.LittleEndian
	params, err := d.item(itemParameters, 8)
	if err != nil {
		return err
	}
	size, err := d.item(itemSize, 8)
	if err != nil {
		return err
	}
	sector, err := d.item(itemSector, 4)
	if err != nil {
		return err
	}
	d.block, d.size, d.sector = int64(le.Uint32(params)), int64(le.Uint64(size)), int64(le.Uint32(sector))
	flags := le.Uint32(params[4:])
	d.hasParent = flags&2 != 0
	switch {
	case d.block < mib || d.block > 256*mib || d.block&(d.block-1) != 0:
		return fmt.Errorf("blocks of %d bytes", d.block)
	case d.sector != 512 && d.sector != 4096:
		return fmt.Errorf("sectors of %d bytes", d.sector)
	case d.size < 0 || d.size > maxVirtualSize || d.size%d.sector != 0:
		return fmt.Errorf("size %d", d.size)
	}
	d.ratio = sectorsPerMap * d.sector / d.block
	kind := "dynamic"
	if d.hasParent {
		kind = "differencing"
	} else if flags&1 != 0 {
		kind = "fixed"
	}
	d.fact("type", "%s", kind)
	d.fact("block size", "%d bytes", d.block)
	d.fact("sector size", "%d bytes", d.sector)
	if id, err := d.item(itemDiskID, 16); err == nil {
		d.fact("disk id", "%s", guid(id))
	}
	return nil
}

// readTable reads the block allocation table: after each ratio blocks of data it has one of sector bitmaps.
func (d *disk) readTable(b *limit.Budget) error {
	r, ok := d.regions[regionBAT]
	if !ok {
		return errors.New("no block allocation table")
	}
	blocks := (d.size + d.block - 1) / d.block
	need := blocks + max(0, blocks-1)/d.ratio
	if d.hasParent {
		need = (blocks + d.ratio - 1) / d.ratio * (d.ratio + 1)
	}
	if need*8 > r.size {
		d.note("the block table has %d entries, the disk's size needs %d: the rest cannot be read", r.size/8, need)
		need = r.size / 8
	}
	if err := b.Take(min(need*8, maxTable+1), "block table"); err != nil {
		return err
	}
	var err error
	d.table, err = extent.Bytes(d.file, r.off, need*8, maxTable, "block table")
	return err
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

// one gives what lies at off to the end of its block, or of sectors of one kind.
func (d *disk) one(off int64) extent.Piece {
	i, into := off/d.block, off%d.block
	at := i + i/d.ratio
	if at >= int64(len(d.table)/8) {
		return extent.Piece{Kind: extent.Lost, Len: max(0, d.Bytes-off), Why: "the block table ends before"}
	}
	e := binary.LittleEndian.Uint64(d.table[at*8:])
	left := d.block - into
	switch e & stateMask {
	case stateAbsent:
		return d.unallocated(left)
	case stateUndefined, stateZero, stateUnmapped: // of a child, too: the parent must not be asked
		return extent.Piece{Kind: extent.Zero, Len: left}
	case statePresent:
		return d.stored(e, i, into, left)
	case statePartly:
		if !d.hasParent {
			break
		}
		return d.partly(e, i, into)
	}
	return extent.Piece{Kind: extent.Lost, Len: left, Why: fmt.Sprintf("block %d has the state %d, which it cannot have", i, e&stateMask)}
}

func (d *disk) stored(e uint64, i, into, n int64) extent.Piece {
	at := e & offsetMask
	if at > uint64(d.file.Size) {
		return extent.Piece{Kind: extent.Lost, Len: n, Why: fmt.Sprintf("block %d lies at byte %d, beyond the end of the file", i, at)}
	}
	return extent.Piece{Kind: extent.Data, Len: n, Src: d.file, Off: int64(at) + into}
}

// partly asks the sector bitmap which sectors of a block are the child's own.
func (d *disk) partly(e uint64, i, into int64) extent.Piece {
	lost := func(format string, a ...any) extent.Piece {
		return extent.Piece{Kind: extent.Lost, Len: d.block - into, Why: fmt.Sprintf("block %d: ", i) + fmt.Sprintf(format, a...)}
	}
	chunk := i / d.ratio
	at := chunk*(d.ratio+1) + d.ratio
	if at >= int64(len(d.table)/8) {
		return lost("the entry of its sector bitmap is beyond the block table")
	}
	m := binary.LittleEndian.Uint64(d.table[at*8:])
	if m&stateMask != statePresent || m&offsetMask > uint64(d.file.Size) {
		return lost("its sector bitmap is not there")
	}
	size := d.block / d.sector / 8 // bytes of the bitmap that are the block's
	from := int64(m&offsetMask) + i%d.ratio*size
	bits, ok := d.maps.Get(from)
	if !ok {
		var err error
		if bits, err = extent.Bytes(d.file, from, size, maxMetadata, "sector bitmap"); err != nil {
			return lost("%v", err)
		}
		d.maps.Put(from, bits, len(bits))
	}
	first, count := into/d.sector, d.block/d.sector
	set := bits[first/8]>>(first%8)&1 != 0
	end := first + 1
	for end < count && (bits[end/8]>>(end%8)&1 != 0) == set {
		if end%8 == 0 && (bits[end/8] == 0xff || bits[end/8] == 0) {
			end += 8
		} else {
			end++
		}
	}
	n := end*d.sector - into
	if !set {
		return d.unallocated(n)
	}
	return d.stored(e, i, into, n)
}
