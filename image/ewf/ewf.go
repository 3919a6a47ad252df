// Package ewf reads disk images of the Expert Witness Compression Format, version 1 (EnCase
// .E01, SMART .s01, as EnCase 1 to 7, FTK Imager, linen and libewf write it) and version 2
// (.Ex01), and writes version 1 as EnCase 6 does. Logical evidence files (.L01, .Lx01), which
// hold files and no disk, and encrypted images are refused. A chunk whose checksum fails is
// damage; its neighbours are read. Offsets and sizes are in bytes.
//
// Sources: libewf's documentation "Expert Witness Compression Format (EWF)" and "Expert Witness
// Compression Format 2 (EWF2)" (Joachim Metz).
package ewf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"telltale/evidence"
	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/limit"
)

const (
	signature1 = "EVF\x09\x0d\x0a\xff\x00"
	signature2 = "EVF2\x0d\x0a\x81\x00"
	logical1   = "LVF\x09\x0d\x0a\xff\x00"
	logical2   = "LEF2\x0d\x0a\x81\x00"

	maxChunk       = 64 << 20 // bytes; EnCase goes to 32768 sectors, 16 MiB
	maxSectorSize  = 64 << 10 // bytes
	maxTableChunks = 2 << 20  // entries of one table; 65,534 is the most that is known
	maxNotes       = 200
)

// Format describes the member.
func Format() image.Format {
	return image.Format{
		Name:  "ewf",
		Doc:   "Expert Witness Compression Format: E01, s01, Ex01",
		Probe: probe,
		Open:  open,
	}
}

// Logical files are taken, too, so that they are refused with a reason.
func probe(head, _ []byte) bool {
	for _, s := range []string{signature1, signature2, logical1, logical2} {
		if strings.HasPrefix(string(head), s) {
			return true
		}
	}
	return false
}

// disk is an opened set of segments.
type disk struct {
	extent.Disk
	budget   *limit.Budget
	segments []image.File
	tables   []*table // by first chunk, not overlapping
	entries  *extent.LRU[*table, []entry]
	unpack   unpacker

	geometry
	compression uint16 // the EWF2 header's method
	facts       []image.Fact
	extended    []image.Fact // what an xheader says
	header      headerRank
	made        evidence.Time
	md5, sha1   []byte
	errors      []sectors // what could not be read at acquisition

	mu    sync.Mutex
	notes []string
}

// geometry is what the volume section or the device information say.
type geometry struct {
	chunks          int64
	sectorsPerChunk int64
	sectorSize      int64
	sectorCount     int64
}

type sectors struct{ first, count int64 }

var (
	_ image.Describer = (*disk)(nil)
	_ image.Verifier  = (*disk)(nil)
)

func open(ctx context.Context, f image.File, b *limit.Budget) (image.Disk, error) {
	head, err := extent.Bytes(f, 0, min(f.Size, segmentHeader2), segmentHeader2, "file header")
	if err != nil {
		return nil, err
	}
	d := &disk{budget: b, entries: extent.NewLRU[*table, []entry](extent.CacheBytes)}
	if err := b.Take(2*extent.CacheBytes, "caches of an EWF image"); err != nil {
		return nil, err
	}
	switch s := string(head[:min(8, len(head))]); s {
	case signature1:
		err = d.readSet(ctx, f, d.segment1)
	case signature2:
		err = d.readSet(ctx, f, d.segment2)
	case logical1, logical2:
		return nil, fmt.Errorf("open %q: logical evidence file, holds files and no disk: %w", f.Name, image.ErrNotSupported)
	default:
		return nil, fmt.Errorf("open %q: no EWF signature", f.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", f.Name, err)
	}
	if err := d.finish(f.Name); err != nil {
		return nil, fmt.Errorf("open %q: %w", f.Name, err)
	}
	return d, nil
}

// finish checks the geometry, without which no chunk has a place, and sets the reader up.
func (d *disk) finish(name string) error {
	g := &d.geometry
	if g.sectorSize == 0 && g.sectorsPerChunk == 0 {
		return errors.New("no volume section or device information that can be read")
	}
	if g.sectorSize < 1 || g.sectorSize > maxSectorSize || g.sectorsPerChunk < 1 || g.sectorsPerChunk > maxChunk/g.sectorSize {
		return fmt.Errorf("chunks of %d sectors of %d bytes", g.sectorsPerChunk, g.sectorSize)
	}
	unit := g.sectorSize * g.sectorsPerChunk
	if g.sectorCount < 0 || g.sectorCount > (1<<62)/g.sectorSize {
		return fmt.Errorf("%d sectors of %d bytes", g.sectorCount, g.sectorSize)
	}
	if have := d.chunksInTables(); g.sectorCount == 0 && have > 0 {
		if have > (1<<62)/unit {
			return fmt.Errorf("%d chunks of %d bytes", have, unit)
		}
		d.note("the number of sectors is not stored: it was taken from the %d chunks that are there", have)
		g.sectorCount = have * g.sectorsPerChunk
	}
	d.Disk = extent.Disk{Name: name, Bytes: g.sectorCount * g.sectorSize, Unit: unit, Map: d.piece, Decode: d.decode}
	if need := (d.Bytes + unit - 1) / unit; g.chunks != 0 && g.chunks != need {
		d.note("%d chunks are declared, the disk's %d bytes need %d", g.chunks, d.Bytes, need)
	}
	d.noteMissing()
	return nil
}

func (d *disk) note(format string, a ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := fmt.Sprintf(format, a...); len(d.notes) < maxNotes && !slices.Contains(d.notes, n) {
		d.notes = append(d.notes, n)
	}
}

// noteMissing says once, for the whole disk, what has no chunk.
func (d *disk) noteMissing() {
	missing, at := int64(0), int64(0)
	need := (d.Bytes + d.Unit - 1) / d.Unit
	for _, t := range d.tables {
		if t.first >= need {
			break
		}
		missing += max(0, t.first-at)
		at = max(at, min(need, t.first+t.count))
	}
	if missing += need - at; missing > 0 {
		d.note("%d of %d chunks are not in the segments that are here: their bytes cannot be read", missing, need)
	}
}

// Info gives the acquisition's own words, and what is stored of its digests and errors.
func (d *disk) Info() image.Info {
	i := image.Info{Facts: append([]image.Fact(nil), d.facts...), Made: d.made}
	add := func(name, value string) { i.Facts = append(i.Facts, image.Fact{Name: name, Value: value}) }
	for _, x := range d.extended {
		if !slices.ContainsFunc(i.Facts, func(f image.Fact) bool { return f.Name == x.Name }) {
			i.Facts = append(i.Facts, x)
		}
	}
	add("segments", fmt.Sprint(len(d.segments)))
	add("sectors", fmt.Sprintf("%d of %d bytes", d.sectorCount, d.sectorSize))
	add("chunk size", fmt.Sprintf("%d bytes", d.Unit))
	if d.md5 != nil {
		add("MD5", fmt.Sprintf("%x", d.md5))
	}
	if d.sha1 != nil {
		add("SHA1", fmt.Sprintf("%x", d.sha1))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	i.Notes = append(i.Notes, d.notes...)
	for n, e := range d.errors {
		if n == 50 {
			i.Notes = append(i.Notes, fmt.Sprintf("%d more ranges could not be read at acquisition", len(d.errors)-n))
			break
		}
		i.Notes = append(i.Notes, fmt.Sprintf("%d sectors from %d on could not be read at acquisition", e.count, e.first))
	}
	return i
}
