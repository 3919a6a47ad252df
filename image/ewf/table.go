package ewf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"math"
	"sort"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
)

const (
	tableHeader1 = 24
	entrySize1   = 4
	entrySize2   = 16
	packedBit    = 1 << 31 // of an entry: the chunk is compressed

	flagPacked  = 1
	flagChecked = 2
	flagPattern = 4
)

// table is where a row of chunks lies. Its entries are read when they are wanted: those of a
// big disk do not fit in memory.
type table struct {
	f         image.File
	first     int64 // number of the first chunk
	count     int64
	at        int64 // of the entries
	second    int64 // of the copy in table2; 0: none
	base      int64 // added to each offset
	end       int64 // where the last chunk ends at the latest
	entrySize int64
	footer    bool    // a checksum follows the entries
	broken    string  // why no entry can be had
	salvaged  []entry // of chunks that were found without a table; else nil
}

// entry is where one chunk lies.
type entry struct {
	off   uint64 // or the pattern
	size  uint32 // at most; compressed chunks end by themselves
	flags uint32
}

const tableCost = 160 // bytes of a table in memory, about

// tableHead reads a version 1 table's header.
func tableHead(s section) (count, base int64, err error) {
	b, err := extent.Bytes(s.f, s.off, tableHeader1, tableHeader1, s.kind)
	if err != nil {
		return 0, 0, err
	}
	if !checked(b) {
		return 0, 0, errors.New("the header has a wrong checksum")
	}
	c := bin.Little(b)
	count = int64(c.U32())
	base = int64(c.Skip(4).U64())
	if count > maxTableChunks || count > (s.size-tableHeader1)/entrySize1 || base < 0 || base > s.f.Size {
		return 0, 0, fmt.Errorf("%d chunks from byte %d on in a section of %d bytes", count, base, s.size)
	}
	return count, base, nil
}

// table1 takes a table section. sectorsEnd is 0 where the chunks lie in the section itself.
func (d *disk) table1(s section, sectorsEnd int64) (*table, error) {
	if err := d.budget.Take(tableCost, "chunk tables"); err != nil {
		return nil, err
	}
	t := &table{f: s.f, at: s.off + tableHeader1, end: sectorsEnd, entrySize: entrySize1, footer: sectorsEnd != 0}
	if sectorsEnd == 0 {
		t.end = s.off + s.size
	}
	count, base, err := tableHead(s)
	if err != nil {
		t.broken = err.Error()
		if sectorsEnd != 0 {
			// Nothing but entries and their checksum fills the section: its size still tells how many
			// chunks there are, and what follows keeps its place.
			count = max(0, min(maxTableChunks, (s.size-tableHeader1-4)/entrySize1))
		}
		d.note("%q: the table at byte %d is broken: %v", s.f.Name, s.off-descriptorSize1, err)
	}
	t.count, t.base = count, base
	d.tables = append(d.tables, t)
	return t, nil
}

// table2 takes the copy of the table before it, or uses it alone where the table is broken.
func (d *disk) table2(s section, seg *segmentState) error {
	count, base, err := tableHead(s)
	if err != nil {
		return err
	}
	t := seg.table
	if t == nil || seg.sectorsEnd == 0 {
		t, err = d.table1(s, seg.sectorsEnd)
		seg.table = t
		return err
	}
	if t.broken != "" {
		d.note("%q: table2 at byte %d is used for the broken table before it", s.f.Name, s.off-descriptorSize1)
		t.at, t.count, t.base, t.broken = s.off+tableHeader1, count, base, ""
	} else if count == t.count && base == t.base {
		t.second = s.off + tableHeader1
	} else {
		return errors.New("it is no copy of the table before it")
	}
	return nil
}

// sectorTable takes an EWF2 sector table.
func (d *disk) sectorTable(s section2) error {
	b, err := extent.Bytes(s.f, s.off, tableHeader2, tableHeader2, "sector table")
	if err != nil {
		return err
	}
	if !checked(b[:20]) {
		return errors.New("the header has a wrong checksum")
	}
	c := bin.Little(b)
	first, count := int64(c.U64()), int64(c.U32())
	if first < 0 || first > 1<<50 || count > maxTableChunks || count > (s.size-tableHeader2)/entrySize2 {
		return fmt.Errorf("%d chunks from %d on in a section of %d bytes", count, first, s.size)
	}
	if err := d.budget.Take(tableCost, "chunk tables"); err != nil {
		return err
	}
	d.tables = append(d.tables, &table{f: s.f, first: first, count: count, at: s.off + tableHeader2, end: s.f.Size, entrySize: entrySize2, footer: true})
	return nil
}

// chunksInTables is one more than the highest number of a chunk that has a place.
func (d *disk) chunksInTables() (n int64) {
	for _, t := range d.tables {
		n = max(n, t.first+t.count)
	}
	return n
}

// tableOf gives the table of a chunk, or how many chunks from c on have none (0: all).
func (d *disk) tableOf(c int64) (t *table, gap int64) {
	i := sort.Search(len(d.tables), func(i int) bool { return d.tables[i].first > c })
	if i > 0 && c < d.tables[i-1].first+d.tables[i-1].count {
		return d.tables[i-1], 0
	}
	if i < len(d.tables) {
		return nil, d.tables[i].first - c
	}
	return nil, 0
}

// piece is the map of the disk: all chunks of a table are packed, what has no table is lost.
func (d *disk) piece(off, _ int64) extent.Piece {
	c := off / d.Unit
	into := off - c*d.Unit
	t, gap := d.tableOf(c)
	switch {
	case t == nil && gap == 0:
		return extent.Piece{Kind: extent.Lost, Len: d.Bytes - off, Why: fmt.Sprintf("chunk %d and those behind it are in no segment that is here", c)}
	case t == nil:
		return extent.Piece{Kind: extent.Lost, Len: gap*d.Unit - into, Why: fmt.Sprintf("the chunks %d to %d are in no segment that is here", c, c+gap-1)}
	case t.broken != "":
		return extent.Piece{Kind: extent.Lost, Len: (t.first+t.count)*d.Unit - off, Why: fmt.Sprintf("chunk %d: the table of its chunks in %q is broken: %s", c, t.f.Name, t.broken)}
	}
	return extent.Piece{Kind: extent.Packed, Len: (t.first+t.count)*d.Unit - off}
}

// lookup gives where a chunk lies.
func (d *disk) lookup(c int64) (*table, entry, error) {
	t, _ := d.tableOf(c)
	if t == nil {
		return nil, entry{}, errors.New("no table")
	}
	if t.salvaged != nil {
		return t, t.salvaged[c-t.first], nil
	}
	list, ok := d.entries.Get(t)
	if !ok {
		var err error
		if list, err = d.readEntries(t); err != nil {
			return nil, entry{}, err
		}
		d.entries.Put(t, list, len(list)*16)
	}
	return t, list[c-t.first], nil
}

// readEntries reads a table, or its copy where the checksum is wrong. Where both are wrong the first is
// used: each chunk still has a checksum of its own.
func (d *disk) readEntries(t *table) ([]entry, error) {
	b, sound, err := t.raw(t.at)
	if (err != nil || !sound) && t.second != 0 {
		if b2, sound2, err2 := t.raw(t.second); err2 == nil && (sound2 || err != nil) {
			b, sound, err = b2, sound2, nil
			d.note("%q: the table of the chunks from %d on is broken, its copy is used", t.f.Name, t.first)
		}
	}
	if err != nil {
		return nil, err
	}
	if !sound {
		d.note("%q: the table of the chunks from %d on has a wrong checksum", t.f.Name, t.first)
	}
	if t.entrySize == entrySize2 {
		return entries2(b), nil
	}
	return t.entries1(b), nil
}

func (t *table) raw(at int64) (b []byte, sound bool, err error) {
	n := t.count * t.entrySize
	if b, err = extent.Bytes(t.f, at, n, maxTableChunks*entrySize2, "chunk table"); err != nil || !t.footer {
		return b, true, err
	}
	sum, err := extent.Bytes(t.f, at+n, 4, 4, "chunk table's checksum")
	return b, err == nil && binary.LittleEndian.Uint32(sum) == adler32.Checksum(b), nil
}

// entries1 takes the compressed bit off, and the sizes from where the next chunk begins. EnCase 6.7
// writes segments over 2 GiB, whose offsets need the bit: from there on no chunk is compressed.
func (t *table) entries1(b []byte) []entry {
	list := make([]entry, t.count)
	over := false
	for i := range list {
		raw := binary.LittleEndian.Uint32(b[i*4:])
		off, flags := uint64(raw), uint32(flagChecked)
		if !over {
			off = uint64(raw &^ packedBit)
			if raw&packedBit != 0 {
				flags = flagPacked
			}
		}
		next := uint64(t.end) - min(uint64(t.end), uint64(t.base))
		if i+1 < len(list) {
			n := binary.LittleEndian.Uint32(b[i*4+4:])
			next = uint64(n)
			if clear := uint64(n &^ packedBit); !over && clear >= off {
				next = clear
			}
		}
		size := uint64(0)
		if next > off {
			size = min(next-off, math.MaxUint32)
		}
		if !over && off+size > math.MaxInt32 {
			over, flags = true, flagChecked
		}
		list[i] = entry{off: off + uint64(t.base), size: uint32(size), flags: flags}
	}
	return list
}

func entries2(b []byte) []entry {
	list := make([]entry, len(b)/entrySize2)
	for i := range list {
		p := b[i*entrySize2:]
		list[i] = entry{binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint32(p[8:]), binary.LittleEndian.Uint32(p[12:])}
	}
	return list
}
