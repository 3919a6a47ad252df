package lvm

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"

	"telltale/internal/bin"
	"telltale/internal/limit"
	"telltale/volume"
)

const (
	sector     = 512        // bytes
	labelID    = "LABELONE" // label_header.id
	labelType  = "LVM2 001" // label_header.type
	labelScan  = 4          // sectors among which the label stands
	crcInitial = 0xf597a6cf // INITIAL_CRC
	mdaMagic   = " LVM2 x[5A%r0N*>"
	mdaHeader  = 512       // bytes, MDA_HEADER_SIZE: the ring begins behind it
	maxMda     = 256 << 20 // bytes of one metadata area
	maxPast    = 64 << 20  // bytes of older texts that are looked at in one area
	maxAreas   = 16        // data and metadata areas of one physical volume; LVM makes at most three
	ignored    = 1         // RAW_LOCN_IGNORED
)

var (
	errNone     = errors.New("no LVM label")
	errChecksum = errors.New("it does not match its checksum")
)

// extent is a run of bytes of a source.
type extent struct{ off, size int64 }

// physical is a member with its label.
type physical struct {
	volume.Member
	uuid  string
	areas []extent // with metadata
}

// sum is LVM's checksum: CRC-32 with an own start, and not inverted at the end.
func sum(b []byte) uint32 {
	initial := uint32(crcInitial)
	return ^crc32.Update(^initial, crc32.IEEETable, b)
}

// readLabel finds the label and reads the physical volume's header. A label that does not match its
// checksum is given together with the error.
func readLabel(m volume.Member) (*physical, error) {
	b := make([]byte, labelScan*sector)
	n, _ := m.ReadAt(b, 0) // a short source has fewer sectors; one that cannot be read has none
	for b = b[:n]; len(b) >= sector; b = b[sector:] {
		s := b[:sector]
		if string(s[:8]) != labelID || string(s[24:32]) != labelType {
			continue
		}
		p, err := parseLabel(m, s)
		if err == nil && sum(s[20:]) != bin.Little(s[16:]).U32() {
			err = fmt.Errorf("the label: %w", errChecksum)
		}
		return p, err
	}
	return nil, errNone
}

func parseLabel(m volume.Member, s []byte) (*physical, error) {
	c := bin.Little(s).Seek(20)
	at := c.U32()
	if at > sector {
		return nil, fmt.Errorf("the label's contents stand at %d", at)
	}
	c.Seek(int(at))
	p := &physical{Member: m, uuid: string(c.Bytes(32))}
	c.Skip(8)
	for list := 0; list < 2; { // data areas, then metadata areas
		off, size := c.U64(), c.U64()
		switch {
		case c.Err() != nil:
			return p, fmt.Errorf("the list of areas does not end: %w", c.Err())
		case off == 0:
			list++
		case list == 1 && len(p.areas) < maxAreas && off < uint64(m.Size) && size <= uint64(m.Size)-off:
			p.areas = append(p.areas, extent{int64(off), int64(size)})
		case list == 1:
			return p, fmt.Errorf("a metadata area of %d bytes at %d lies beyond the end at %d", size, off, m.Size)
		}
	}
	return p, nil
}

// ring is a metadata area read whole.
type ring struct {
	b    []byte // from the header on
	text []byte // the one in force; nil where the area is unused
}

// readRing reads a metadata area and cuts the text in force out of its ring.
func readRing(p *physical, e extent, b *limit.Budget) (*ring, error) {
	if e.size < 2*mdaHeader || e.size > maxMda {
		return nil, fmt.Errorf("a metadata area of %d bytes: %w", e.size, limit.ErrLimit)
	}
	if err := b.Take(e.size, "metadata area"); err != nil {
		return nil, err
	}
	r := &ring{b: make([]byte, e.size)}
	if n, err := p.ReadAt(r.b, e.off); n < len(r.b) {
		return nil, fmt.Errorf("read the metadata area at %d: %w", e.off, err)
	}
	h := r.b[:mdaHeader]
	c := bin.Little(h)
	check := c.U32()
	if string(c.Bytes(len(mdaMagic))) != mdaMagic {
		return r, errors.New("the metadata area has no header")
	}
	if check != sum(h[4:]) {
		return r, fmt.Errorf("the metadata area's header: %w", errChecksum)
	}
	if v := c.U32(); v != 1 {
		return r, fmt.Errorf("the metadata area has version %d: %w", v, errRefused)
	}
	c.Skip(16) // where it says that it is, and how long
	off, size, want, flags := c.U64(), c.U64(), c.U32(), c.U32()
	if off == 0 || flags&ignored != 0 {
		return r, nil
	}
	if off < mdaHeader || off >= uint64(len(r.b)) || size == 0 || size > min(maxText, uint64(len(r.b)-mdaHeader)) {
		return r, fmt.Errorf("the metadata text of %d bytes at %d does not lie in its area of %d", size, off, len(r.b))
	}
	text := r.cut(int(off), int(size))
	if sum(text) != want {
		return r, fmt.Errorf("the metadata text: %w", errChecksum)
	}
	r.text = bytes.TrimRight(text, "\x00")
	return r, nil
}

// cut gives size bytes of the ring, round its end where they go on at its start.
func (r *ring) cut(off, size int) []byte {
	if size <= len(r.b)-off {
		return r.b[off : off+size]
	}
	text := append([]byte(nil), r.b[off:]...)
	return append(text, r.b[mdaHeader:mdaHeader+size-len(text)]...)
}

// older gives the other texts that the ring still holds, the one in force among them. Each begins at a
// sector and ends at a zero byte; one whose start was overwritten does not parse. In a crafted ring texts may
// overlap, and so be many times its size: as much as left is looked at.
func (r *ring) older() (texts [][]byte) {
	left := min(4*len(r.b), maxPast)
	for off := mdaHeader; off+sector <= len(r.b) && left > 0; off += sector {
		head := r.b[off : off+sector]
		brace := bytes.IndexByte(head, '{')
		if brace < 2 || head[brace-1] != ' ' || !bytes.HasPrefix(head[brace+1:], []byte("\nid = \"")) || !allWord(head[:brace-1]) {
			continue
		}
		text, seen := r.textAt(off)
		if left -= seen; text != nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// textAt gives the text that begins at off, nil where it does not end, and how much was looked at.
func (r *ring) textAt(off int) (text []byte, seen int) {
	room := min(maxText, len(r.b)-mdaHeader)
	first := r.b[off:min(off+room, len(r.b))]
	if size := bytes.IndexByte(first, 0); size >= 0 {
		return first[:size], size
	}
	rest := r.b[mdaHeader : mdaHeader+room-len(first)] // it goes on at the ring's start
	if end := bytes.IndexByte(rest, 0); end >= 0 {
		return append(bytes.Clone(first), rest[:end]...), len(first) + end
	}
	return nil, room
}

func allWord(b []byte) bool {
	for _, c := range b {
		if !word(c) {
			return false
		}
	}
	return len(b) > 0
}
