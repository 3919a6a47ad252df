// Package gpt reads GUID partition tables. It checks both checksums, takes the
// backup table where the first is broken, and guesses the sector size (512 or 4096
// bytes) from where the header stands. Offsets and lengths are in bytes.
//
// Source: UEFI specification 2.10, section 5.3.
package gpt

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf16"

	"telltale/internal/bin"
	"telltale/internal/limit"
	"telltale/volume"
)

const (
	signature      = "EFI PART"
	headerSize     = 92 // bytes, smallest; HeaderSize may be up to the sector
	headerCRCAt    = 16
	entrySize      = 128 // bytes, smallest; 128 * 2^n
	maxEntrySize   = 4096
	maxEntryBytes  = 4 << 20 // bytes of one entry array; the usual one has 16 KiB
	nameUnits      = 36      // UTF-16 units of PartitionName
	typeProtective = 0xee    // OSType of the protective MBR
)

var sectorSizes = []int64{512, 4096}

// ErrNoTable says that there is no partition table that can be used.
var ErrNoTable = errors.New("no GUID partition table")

type header struct {
	sector                int64 // bytes
	myLBA, alternateLBA   uint64
	entriesLBA            uint64
	entryCount, entrySize uint32
	entriesCRC            uint32
	entries               []byte
}

type table struct {
	parts []volume.Part
	notes []string
}

var _ volume.Table = (*table)(nil)

func (t *table) Parts() []volume.Part { return t.parts }
func (t *table) Notes() []string      { return t.notes }

// maxNotes bounds what a hostile table makes us say.
const maxNotes = 200

func (t *table) note(format string, a ...any) {
	if len(t.notes) < maxNotes {
		t.notes = append(t.notes, fmt.Sprintf(format, a...))
	}
}

// Format describes the member.
func Format() volume.Format {
	return volume.Format{Name: "gpt", Doc: "GUID partition table", Probe: probe, Open: open}
}

// probe takes a protective MBR for enough: the first header may be broken.
func probe(head []byte) bool {
	for _, s := range sectorSizes {
		if b := bin.Little(head).Seek(int(s)).Bytes(len(signature)); string(b) == signature {
			return true
		}
	}
	c := bin.Little(head).Seek(446)
	for range 4 {
		if c.Skip(4).U8() == typeProtective {
			return c.Seek(510).U16() == 0xaa55
		}
		c.Skip(11)
	}
	return false
}

func open(r io.ReaderAt, size int64, b *limit.Budget) (volume.Table, error) {
	t := &table{}
	first, firstErr := t.first(r, size, b)
	last, lastErr := t.backup(r, size, b, first)
	h := first
	switch {
	case firstErr == nil && lastErr != nil:
		t.note("backup table is broken: %v", lastErr)
	case firstErr == nil && string(first.entries) != string(last.entries):
		t.note("first and backup table differ: one was changed without the other; the first is used")
	case firstErr != nil && lastErr == nil:
		h = last
		t.note("first table is broken, the backup is used: %v", firstErr)
	case firstErr != nil && first != nil && first.entries != nil:
		t.note("both tables are broken, the first is used all the same: %v; %v", firstErr, lastErr)
	case firstErr != nil:
		return nil, fmt.Errorf("%w: first: %w; backup: %w", ErrNoTable, firstErr, lastErr)
	}
	t.list(h, size)
	t.overlaps()
	return t, nil
}

// first reads the table behind the protective MBR, whichever the sector size.
func (t *table) first(r io.ReaderAt, size int64, b *limit.Budget) (*header, error) {
	var broken *header
	var first error
	for _, s := range sectorSizes {
		h, err := readTable(r, size, b, s, s)
		if err == nil {
			return h, nil
		}
		if first == nil || h != nil {
			broken, first = h, err
		}
		if h != nil {
			break // the header is there, but broken: the other size would be noise
		}
	}
	return broken, first
}

// backup reads the table at the end. Where the source is longer than the disk was
// (a copy to a bigger one), only the first header knows where that is.
func (t *table) backup(r io.ReaderAt, size int64, b *limit.Budget, first *header) (h *header, err error) {
	for _, s := range sectorSizes {
		if first != nil && first.sector != s {
			continue
		}
		if h, err = readTable(r, size, b, s, (size/s-1)*s); err == nil {
			return h, nil
		}
	}
	if first != nil && first.alternateLBA < uint64(size/first.sector) {
		return readTable(r, size, b, first.sector, int64(first.alternateLBA)*first.sector)
	}
	return h, err
}

// readTable reads the header at off and its entries. A header that has a signature
// is given together with the error; its entries too where only checksums fail.
func readTable(r io.ReaderAt, size int64, b *limit.Budget, sector, off int64) (*header, error) {
	if off < sector || off > size-sector {
		return nil, fmt.Errorf("header at byte %d: source ends at %d", off, size)
	}
	raw := make([]byte, sector)
	if n, err := r.ReadAt(raw, off); n < len(raw) {
		return nil, fmt.Errorf("read header at byte %d: %w", off, err)
	}
	c := bin.Little(raw)
	if string(c.Bytes(len(signature))) != signature {
		return nil, fmt.Errorf("header at byte %d has no signature", off)
	}
	h := &header{sector: sector}
	length, sum := c.Skip(4).U32(), c.U32()
	h.myLBA, h.alternateLBA = c.Skip(4).U64(), c.U64()
	h.entriesLBA = c.Skip(8 + 8 + 16).U64() // first and last usable LBA, disk GUID
	h.entryCount, h.entrySize, h.entriesCRC = c.U32(), c.U32(), c.U32()
	var bad error
	if length < headerSize || int64(length) > sector {
		bad = fmt.Errorf("header at byte %d has size %d", off, length)
	} else if headerCRC(raw[:length]) != sum {
		bad = fmt.Errorf("header at byte %d does not match its checksum", off)
	} else if h.myLBA != uint64(off/sector) {
		bad = fmt.Errorf("header at byte %d says that it stands at LBA %d", off, h.myLBA)
	}
	if err := h.readEntries(r, size, b); err != nil && bad == nil {
		bad = err
	}
	return h, bad
}

func headerCRC(raw []byte) uint32 {
	var zero [4]byte
	sum := crc32.ChecksumIEEE(raw[:headerCRCAt])
	sum = crc32.Update(sum, crc32.IEEETable, zero[:])
	return crc32.Update(sum, crc32.IEEETable, raw[headerCRCAt+4:])
}

func (h *header) readEntries(r io.ReaderAt, size int64, b *limit.Budget) error {
	if h.entrySize < entrySize || h.entrySize > maxEntrySize || h.entrySize%8 != 0 {
		return fmt.Errorf("entries have size %d", h.entrySize)
	}
	n := int64(h.entryCount) * int64(h.entrySize)
	if n > maxEntryBytes {
		return fmt.Errorf("%d entries of %d bytes: %w", h.entryCount, h.entrySize, limit.ErrLimit)
	}
	if h.entriesLBA > uint64(size/h.sector) || n > size-int64(h.entriesLBA)*h.sector {
		return fmt.Errorf("entries at LBA %d go beyond the end of the source", h.entriesLBA)
	}
	if err := b.Take(n, "partition entries"); err != nil {
		return err
	}
	defer b.Give(n) // the array lives as long as open does
	entries := make([]byte, n)
	if got, err := r.ReadAt(entries, int64(h.entriesLBA)*h.sector); got < len(entries) {
		return fmt.Errorf("read entries: %w", err)
	}
	h.entries = entries
	if crc32.ChecksumIEEE(entries) != h.entriesCRC {
		return errors.New("entries do not match their checksum")
	}
	return nil
}

func (t *table) list(h *header, size int64) {
	sectors := uint64(size / h.sector)
	for i := 0; (i+1)*int(h.entrySize) <= len(h.entries); i++ {
		c := bin.Little(h.entries[i*int(h.entrySize):])
		kind := c.Bytes(16)
		if string(kind) == string(make([]byte, 16)) {
			continue
		}
		start, end := c.Skip(16).U64(), c.U64() // both inclusive
		p := volume.Part{Index: i + 1, Type: guid(kind), Name: name(c.Skip(8))}
		switch {
		case end < start:
			t.note("partition %d ends (LBA %d) before it begins (LBA %d): not listed", p.Index, end, start)
			continue
		case start >= sectors:
			t.note("partition %d begins at LBA %d, beyond the end of the source at %d: not listed", p.Index, start, sectors)
			continue
		case end >= sectors:
			t.note("partition %d goes to LBA %d, beyond the end of the source at %d: cut", p.Index, end, sectors)
			end = sectors - 1
		}
		p.Off, p.Length = int64(start)*h.sector, int64(end-start+1)*h.sector
		t.parts = append(t.parts, p)
	}
}

// guid gives the text form; the first three fields are little endian.
func guid(b []byte) string {
	c := bin.Little(b)
	return fmt.Sprintf("%08X-%04X-%04X-%X-%X", c.U32(), c.U16(), c.U16(), b[8:10], b[10:16])
}

func name(c *bin.Cursor) string {
	units := make([]uint16, 0, nameUnits)
	for range nameUnits {
		u := c.U16()
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// overlaps notes partitions that share bytes. The parts are as many as the capped
// array holds, so each is compared only with the first few hundred.
func (t *table) overlaps() {
	const most = 256
	parts := t.parts[:min(len(t.parts), most)]
	for i, a := range parts {
		for _, b := range parts[i+1:] {
			if a.Off < b.Off+b.Length && b.Off < a.Off+a.Length {
				t.note("partitions %d and %d overlap", a.Index, b.Index)
			}
		}
	}
}
