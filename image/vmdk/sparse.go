package vmdk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/image/internal/zchunk"
	"telltale/internal/bin"
)

// Flags of a sparse header.
const (
	flagRedundant = 1 << 1 // the redundant grain tables are used
	flagZeroGrain = 1 << 2 // an entry of 1 is a grain of zeros
	flagPacked    = 1 << 16
	flagMarkers   = 1 << 17

	directoryAtEnd = -1 // gdOffset of a stream: a copy of the header at the end says where
	maxGrain       = 8 << 20
	maxTable       = 1 << 16  // entries of a grain table; VMDK has 512, COWD 4096
	maxDirectory   = 32 << 20 // bytes
	tableCOWD      = 4096
	markerSize     = 12 // bytes before a compressed grain: sector of the disk, size
	entrySize      = 4
)

// sparse is a sparse extent: grains that a directory of tables finds.
type sparse struct {
	f               image.File
	kind            string // magicVMDK or magicCOWD
	size            int64  // bytes of the disk
	grain           int64  // bytes
	perTable        int64  // entries of a grain table
	flags           uint32
	packed          bool
	directory, copy []byte  // entries of 4 bytes: where the tables lie, in sectors
	walked          []int64 // by grain: where it lies, for a stream whose directory is lost
	walkedTo        int64   // the highest grain that was found so
	descriptorAt    int64
	descriptorSize  int64
}

type tableKey struct {
	s  *sparse
	at int64
}

func (d *disk) openSparse(f image.File) (*sparse, error) {
	b, err := extent.Bytes(f, 0, sector, sector, "header")
	if err != nil {
		return nil, err
	}
	switch string(b[:4]) {
	case magicVMDK:
		return d.openVMDK(f, b)
	case magicCOWD:
		return d.openCOWD(f, b)
	}
	return nil, errors.New("no signature of a sparse extent")
}

func (d *disk) openVMDK(f image.File, b []byte) (*sparse, error) {
	s, gd, rgd, err := header(f, b)
	if err != nil {
		return nil, err
	}
	if b[72] != 0 {
		d.note("%q was not closed cleanly", f.Name)
	}
	if gd == directoryAtEnd {
		if b, err := extent.Bytes(f, f.Size-2*sector, sector, sector, "footer"); err == nil && string(b[:4]) == magicVMDK {
			if foot, at, _, err := header(f, b); err == nil && foot.size == s.size && foot.grain == s.grain {
				gd = at
			}
		}
		if gd == directoryAtEnd {
			d.note("%q is a stream without its end: its grains were found by reading their markers in order", f.Name)
			return s, d.walk(s, int64(binary.LittleEndian.Uint64(b[64:])))
		}
		rgd = 0
	}
	return s, d.directories(s, gd, rgd)
}

// header reads a VMDK sparse header; gd and rgd are in sectors.
func header(f image.File, b []byte) (s *sparse, gd, rgd int64, err error) {
	c := bin.Little(b).Skip(4)
	version := c.U32()
	s = &sparse{f: f, kind: magicVMDK, flags: c.U32()}
	capacity, grain := c.U64(), c.U64()
	descAt, descSize := c.U64(), c.U64()
	s.perTable = int64(c.U32())
	rgd, gd = int64(c.U64()), int64(c.U64())
	c.Skip(8 + 5)
	algorithm := c.U16()
	s.packed = s.flags&flagPacked != 0
	switch {
	case c.Err() != nil:
		return nil, 0, 0, c.Err()
	case version < 1 || version > 3:
		return nil, 0, 0, fmt.Errorf("version %d: %w", version, image.ErrNotSupported)
	case s.packed && algorithm != 1:
		return nil, 0, 0, fmt.Errorf("compression algorithm %d: %w", algorithm, image.ErrNotSupported)
	case capacity > maxSectors || grain < 1 || grain > maxGrain/sector || s.perTable < 1 || s.perTable > maxTable:
		return nil, 0, 0, fmt.Errorf("%d sectors in grains of %d, %d to a table", capacity, grain, s.perTable)
	}
	s.size, s.grain = int64(capacity)*sector, int64(grain)*sector
	if descAt < maxSectors && descSize <= maxDescriptor/sector {
		s.descriptorAt, s.descriptorSize = int64(descAt)*sector, int64(descSize)*sector
	}
	return s, gd, rgd, nil
}

// openCOWD opens an ESX sparse extent.
func (d *disk) openCOWD(f image.File, b []byte) (*sparse, error) {
	c := bin.Little(b).Skip(4)
	version, _ := c.U32(), c.U32()
	capacity, grain, gd := int64(c.U32()), int64(c.U32()), int64(c.U32())
	if version != 1 {
		return nil, fmt.Errorf("COWD version %d: %w", version, image.ErrNotSupported)
	}
	if grain < 1 || grain > maxGrain/sector {
		return nil, fmt.Errorf("grains of %d sectors", grain)
	}
	s := &sparse{f: f, kind: magicCOWD, size: capacity * sector, grain: grain * sector, perTable: tableCOWD}
	return s, d.directories(s, gd, 0)
}

// directories reads the grain directory, and the redundant one, which stands in for what is broken in the first.
func (d *disk) directories(s *sparse, gd, rgd int64) error {
	span := s.grain * s.perTable
	n := (s.size + span - 1) / span * entrySize
	read := func(at int64) ([]byte, error) {
		if at <= 0 || at > maxSectors {
			return nil, fmt.Errorf("the grain directory stands at sector %d", at)
		}
		if err := d.budget.Take(min(n, maxDirectory+1), "grain directory"); err != nil {
			return nil, err
		}
		return extent.Bytes(s.f, at*sector, n, maxDirectory, "grain directory")
	}
	var err error
	if rgd != 0 && s.flags&flagRedundant != 0 {
		if s.copy, err = read(rgd); err != nil {
			d.note("the redundant grain directory of %q: %v", s.f.Name, err)
		}
	}
	if s.directory, err = read(gd); err != nil {
		if s.copy == nil {
			return err
		}
		d.note("%v: the redundant one is used", err)
		s.directory = s.copy
	}
	return nil
}

// descriptor reads the embedded descriptor.
func (s *sparse) descriptor(f image.File) (descriptor, error) {
	if s.descriptorSize == 0 {
		return descriptor{}, nil
	}
	text, err := extent.Bytes(f, s.descriptorAt, s.descriptorSize, maxDescriptor, "descriptor")
	if err != nil {
		return descriptor{}, err
	}
	return parse(text)
}

// walk finds the grains of a stream by their markers, which stand in order from sector at on.
func (d *disk) walk(s *sparse, at int64) error {
	grains := (s.size + s.grain - 1) / s.grain
	if err := d.budget.Take(min(grains, 1<<40)*8, "grains of a stream"); err != nil {
		return err
	}
	s.walked = make([]int64, grains)
	if at < 1 || at > maxSectors {
		at = 1
	}
	for at *= sector; at <= s.f.Size-sector; {
		b, err := extent.Bytes(s.f, at, 16, 16, "marker")
		if err != nil {
			return nil // as far as it can be read
		}
		c := bin.Little(b)
		lba, size, kind := int64(c.U64()), int64(c.U32()), c.U32()
		next := at + sector
		switch {
		case size > 0:
			if i := lba * sector / s.grain; lba >= 0 && lba < maxSectors && i < grains && lba*sector%s.grain == 0 {
				s.walked[i], s.walkedTo = at, max(s.walkedTo, i)
			}
			next = at + (markerSize+size+sector-1)/sector*sector
		case kind == 1 || kind == 2: // a grain table or directory of lba sectors follows
			if lba < 0 || lba > maxSectors {
				return nil
			}
			next = at + (lba+1)*sector
		}
		at = next
	}
	return nil
}

// entry gives the sector where a grain lies; none says that there is no table, for so many grains.
func (d *disk) entry(s *sparse, grain int64) (e uint32, none int64, err error) {
	if s.walked != nil {
		return uint32(min(1<<32-1, s.walked[grain]/sector)), 0, nil
	}
	for i, dir := range [][]byte{s.directory, s.copy} {
		if dir == nil {
			continue
		}
		if e, none, err = d.entryOf(s, dir, grain); err == nil {
			if i == 1 || e <= 1 || int64(e) < (s.f.Size+sector-1)/sector {
				return e, none, nil
			}
			err = fmt.Errorf("grain %d lies at sector %d, beyond the end of %q", grain, e, s.f.Name)
		}
	}
	return 0, 0, err
}

func (d *disk) entryOf(s *sparse, dir []byte, grain int64) (e uint32, none int64, err error) {
	i := grain / s.perTable
	at := int64(binary.LittleEndian.Uint32(dir[i*entrySize:])) * sector
	if at == 0 {
		return 0, s.perTable - grain%s.perTable, nil
	}
	key := tableKey{s, at}
	t, ok := d.tables.Get(key)
	if !ok {
		if t, err = extent.Bytes(s.f, at, s.perTable*entrySize, maxTable*entrySize, "grain table"); err != nil {
			return 0, 0, err
		}
		d.tables.Put(key, t, len(t))
	}
	return binary.LittleEndian.Uint32(t[grain%s.perTable*entrySize:]), 0, nil
}

// grain gives what lies at off of the disk, to the end of the grain or of what has no table.
func (d *disk) grain(p *part, off int64) extent.Piece {
	s, in := p.sparse, off-p.start
	if in >= s.size {
		return extent.Piece{Kind: extent.Lost, Len: p.end - off, Why: fmt.Sprintf("the extent %q ends before", s.f.Name)}
	}
	g, into := in/s.grain, in%s.grain
	left := min(s.grain-into, s.size-in)
	e, none, err := d.entry(s, g)
	switch {
	case err != nil:
		return extent.Piece{Kind: extent.Lost, Len: left, Why: err.Error()}
	case none > 0:
		return d.unallocated(min(none*s.grain-into, s.size-in))
	case e == 0 && s.walked != nil && g > s.walkedTo: // a stream is written in order
		return extent.Piece{Kind: extent.Lost, Len: left, Why: fmt.Sprintf("%q is cut before this grain", s.f.Name)}
	case e == 0:
		return d.unallocated(left)
	case e == 1 && s.flags&flagZeroGrain != 0:
		return extent.Piece{Kind: extent.Zero, Len: left}
	case s.packed:
		return extent.Piece{Kind: extent.Packed, Len: left}
	}
	return extent.Piece{Kind: extent.Data, Len: left, Src: s.f, Off: int64(e)*sector + into}
}

// inflater keeps what decoding needs between grains.
type inflater struct {
	zlib zchunk.Inflater
	raw  sync.Pool
}

func (d *disk) decode(u int64, dst []byte) error {
	p := d.part(u * d.Unit)
	if p == nil || p.sparse == nil {
		return errors.New("no sparse extent")
	}
	s := p.sparse
	g := (u*d.Unit - p.start) / s.grain
	e, _, err := d.entry(s, g)
	if err != nil {
		return err
	}
	if err := d.inflate.grain(s, int64(e)*sector, g, dst); err != nil {
		return fmt.Errorf("grain %d of %q, at byte %d: %w", g, s.f.Name, int64(e)*sector, err)
	}
	return nil
}

func (x *inflater) grain(s *sparse, at, g int64, dst []byte) error {
	head, err := extent.Bytes(s.f, at, markerSize, markerSize, "marker")
	if err != nil {
		return err
	}
	lba, size := int64(binary.LittleEndian.Uint64(head)), int64(binary.LittleEndian.Uint32(head[8:]))
	if lba != g*(s.grain/sector) {
		return fmt.Errorf("the marker says sector %d", lba)
	}
	if size > 2*s.grain || size > s.f.Size-at-markerSize {
		return fmt.Errorf("%d compressed bytes", size)
	}
	buf, ok := x.raw.Get().(*[]byte)
	if !ok || int64(cap(*buf)) < size {
		b := make([]byte, size)
		buf = &b
	}
	defer x.raw.Put(buf)
	raw := (*buf)[:size]
	if n, err := s.f.ReadAt(raw, at+markerSize); n < len(raw) {
		return fmt.Errorf("read: %w", err)
	}
	return x.zlib.Inflate(raw, dst, s.grain)
}
