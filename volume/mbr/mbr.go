// Package mbr reads the partition table of a DOS master boot record with its logical
// partitions (the chain of extended boot records). It is not for protective MBRs:
// those belong to package gpt. Offsets and lengths are in bytes, LBAs in sectors of
// 512 bytes: the table does not say its sector size, and disks of other sizes carry
// GPT in practice.
//
// Source: UEFI specification 2.10, section 5.2 (legacy MBR); the chain as in the
// kernel's block/partitions/msdos.c.
package mbr

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"telltale/internal/bin"
	"telltale/internal/limit"
	"telltale/volume"
)

const (
	sectorSize     = 512
	tableOffset    = 446
	entrySize      = 16
	entries        = 4
	signature      = 0xaa55 // at 510, little endian
	typeProtective = 0xee   // the disk is a GPT disk
	maxLogical     = 256    // the kernel stops at 100 and at its minor numbers
	firstLogical   = 5
)

// ErrNoTable says that the first sector is not a partition table.
var ErrNoTable = errors.New("no MBR partition table")

type entry struct {
	status, kind uint8
	start, count uint32 // sectors
}

func (e entry) extended() bool { return e.kind == 0x05 || e.kind == 0x0f || e.kind == 0x85 }

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
	return volume.Format{
		Name:  "mbr",
		Doc:   "DOS partition table (master boot record) with logical partitions",
		Probe: func(head []byte) bool { return check(head) == nil },
		Open:  open,
	}
}

func open(r io.ReaderAt, size int64, _ *limit.Budget) (volume.Table, error) {
	head := make([]byte, 4096)
	n, err := r.ReadAt(head, 0)
	if n < sectorSize {
		return nil, fmt.Errorf("read master boot record: %w", err)
	}
	if err := check(head[:n]); err != nil {
		return nil, err
	}
	list, _ := decode(head)
	t := &table{}
	for i, e := range list {
		if e.kind != 0 && e.count != 0 && !e.extended() {
			t.add(i+1, e, int64(e.start)*sectorSize, size)
		}
	}
	index := firstLogical
	for _, e := range list {
		if e.extended() && e.count != 0 {
			index = t.logical(r, size, e, index)
		}
	}
	t.overlaps()
	return t, nil
}

// check tells whether head is a partition table. The signature alone says nothing:
// every FAT and NTFS boot sector bears it too, with code where the entries would be.
func check(head []byte) error {
	list, ok := decode(head)
	if !ok {
		return fmt.Errorf("no signature 55 aa: %w", ErrNoTable)
	}
	if what := bareFilesystem(head); what != "" {
		return fmt.Errorf("boot sector of %s: %w", what, ErrNoTable)
	}
	used := 0
	for i, e := range list {
		switch {
		case e.kind == typeProtective:
			return fmt.Errorf("protective MBR of a GPT disk: %w", ErrNoTable)
		case e.status != 0 && e.status != 0x80:
			return fmt.Errorf("entry %d has status 0x%02x: %w", i+1, e.status, ErrNoTable)
		case e.kind == 0 || e.count == 0:
		case e.start == 0:
			return fmt.Errorf("entry %d begins at the table itself: %w", i+1, ErrNoTable)
		default:
			used++
		}
	}
	if used == 0 {
		return fmt.Errorf("no entry in use: %w", ErrNoTable)
	}
	return nil
}

// decode gives the four entries of a boot record, and whether it has the signature.
func decode(sector []byte) (list [entries]entry, ok bool) {
	c := bin.Little(sector).Seek(tableOffset)
	for i := range list {
		e := &list[i]
		e.status = c.U8()
		c.Skip(3) // CHS of the beginning: void on any disk of this century
		e.kind = c.U8()
		c.Skip(3)
		e.start, e.count = c.U32(), c.U32()
	}
	return list, c.U16() == signature && c.Err() == nil
}

// bareFilesystem names the filesystem that begins in the first sector, "" if none.
func bareFilesystem(head []byte) string {
	for _, m := range []struct {
		off  int
		mark string
	}{{3, "NTFS    "}, {3, "EXFAT   "}, {0x36, "FAT"}, {0x52, "FAT32"}, {0, "XFSB"}, {0, "LUKS\xba\xbe"}} {
		if len(head) >= m.off+len(m.mark) && bytes.Equal(head[m.off:m.off+len(m.mark)], []byte(m.mark)) {
			return m.mark
		}
	}
	// ext2/3/4 leave the first KiB to a boot loader, and to whatever stood there before.
	c := bin.Little(head).Seek(1024 + 0x18)
	logBlock := c.U32()
	magic := c.Seek(1024 + 0x38).U16()
	revision := c.Seek(1024 + 0x4c).U32()
	if c.Err() == nil && magic == 0xef53 && logBlock <= 6 && revision <= 1 {
		return "ext2/3/4"
	}
	return ""
}

// add lists a partition; what goes beyond the source is cut off and noted.
func (t *table) add(index int, e entry, off, size int64) {
	length := int64(e.count) * sectorSize
	if off < 0 || off >= size {
		t.note("partition %d (type 0x%02x) begins at byte %d, beyond the end of the source at %d: not listed", index, e.kind, off, size)
		return
	}
	if length > size-off {
		t.note("partition %d (type 0x%02x) goes %d bytes beyond the end of the source: cut", index, e.kind, length-(size-off))
		length = size - off
	}
	t.parts = append(t.parts, volume.Part{Index: index, Type: fmt.Sprintf("0x%02x", e.kind), Off: off, Length: length})
}

// logical follows the chain of extended boot records. Each holds one partition,
// counted from the record itself, and a link, counted from the extended partition.
func (t *table) logical(r io.ReaderAt, size int64, ext entry, index int) int {
	base := int64(ext.start) * sectorSize
	seen := make(map[int64]bool)
	sector := make([]byte, sectorSize)
	for at := base; ; {
		if seen[at] || len(seen) == maxLogical {
			t.note("chain of logical partitions runs in a circle or is longer than %d: stopped at byte %d", maxLogical, at)
			return index
		}
		seen[at] = true
		if at < 0 || at > size-sectorSize {
			t.note("extended boot record at byte %d lies beyond the end of the source: logical partitions may be missing", at)
			return index
		}
		if _, err := r.ReadAt(sector, at); err != nil && !errors.Is(err, io.EOF) {
			t.note("extended boot record at byte %d cannot be read (%v): logical partitions may be missing", at, err)
			return index
		}
		list, ok := decode(sector)
		if !ok {
			t.note("extended boot record at byte %d has no signature: logical partitions may be missing", at)
			return index
		}
		next := int64(0)
		for _, e := range list {
			switch {
			case e.kind == 0 || e.count == 0:
			case !e.extended():
				t.add(index, e, at+int64(e.start)*sectorSize, size)
				index++
			case next == 0:
				next = base + int64(e.start)*sectorSize
			}
		}
		if next == 0 {
			return index
		}
		at = next
	}
}

// overlaps notes partitions that share bytes: a table edited by hand, or a trick.
func (t *table) overlaps() {
	for i, a := range t.parts {
		for _, b := range t.parts[i+1:] {
			if a.Off < b.Off+b.Length && b.Off < a.Off+a.Length {
				t.note("partitions %d and %d overlap", a.Index, b.Index)
			}
		}
	}
}
