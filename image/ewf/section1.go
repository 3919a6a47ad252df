package ewf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
)

const (
	descriptorSize1 = 76
	maxSections     = 4 << 20 // of one segment
	maxHeader       = 16 << 20
	volumeSize      = 1052 // bytes of the volume, disk and data sections behind their descriptor
	volumeSizeSMART = 94
)

// section is one section of version 1: its data are size bytes at off.
type section struct {
	f         image.File
	kind      string
	off, size int64
}

// segment1 walks the sections of a version 1 segment.
func (d *disk) segment1(f image.File, want int) (last bool, err error) {
	number, err := fileNumber1(f)
	if err != nil {
		return false, err
	}
	if err := d.checkNumber(f, number, want); err != nil {
		return false, err
	}
	var seg segmentState
	at, broken := int64(segmentHeader1), false
	for range maxSections {
		s, next, sound, err := descriptor1(f, at)
		switch {
		case err != nil:
			d.note("%q ends at byte %d without a last section: %v", f.Name, at, err)
			return false, nil
		case !sound && broken:
			d.note("%q: two section descriptors in a row are broken, at byte %d: what follows is not read", f.Name, at)
			return false, nil
		case !sound:
			d.note("%q: the section descriptor at byte %d has a wrong checksum", f.Name, at)
		}
		broken = !sound
		if done, err := d.section1(s, &seg); done || err != nil {
			return s.kind == "done", err
		}
		if next <= at || next >= f.Size {
			d.note("%q: the section %q at byte %d leads to byte %d of %d: the segment is cut or broken", f.Name, s.kind, at, next, f.Size)
			if s.kind == "sectors" {
				d.salvage(f, s.off)
			}
			return false, nil
		}
		at = next
	}
	return false, fmt.Errorf("more than %d sections", maxSections)
}

func descriptor1(f image.File, at int64) (s section, next int64, sound bool, err error) {
	b, err := extent.Bytes(f, at, descriptorSize1, descriptorSize1, "section descriptor")
	if err != nil {
		return s, 0, false, err
	}
	c := bin.Little(b)
	s = section{f: f, kind: string(c.CString(16)), off: at + descriptorSize1}
	next = int64(c.U64())
	size := int64(c.U64())
	sound = binary.LittleEndian.Uint32(b[72:]) == adler32.Checksum(b[:72])
	// Expert Witness 1.35 and the last sections leave the size out; where the next one starts says the same.
	end := next
	if size >= descriptorSize1 && size <= f.Size-at {
		end = at + size
	}
	s.size = max(0, min(end, f.Size)-s.off)
	return s, next, sound, nil
}

// segmentState is what sections of a segment need to know of those before them.
type segmentState struct {
	sectorsEnd int64  // where the chunks of the table to come end; 0: they lie in the table section
	table      *table // the last table, for the table2 that follows it
}

func (d *disk) section1(s section, seg *segmentState) (done bool, err error) {
	switch s.kind {
	case "done", "next":
		return true, nil
	case "header", "header2", "xheader":
		err = d.header1(s)
	case "volume", "disk":
		err = d.volume(s)
	case "data":
		if d.sectorSize == 0 || d.sectorCount == 0 {
			err = d.volume(s)
		}
	case "sectors":
		seg.sectorsEnd, seg.table = s.off+s.size, nil
	case "table":
		seg.table, err = d.table1(s, seg.sectorsEnd)
	case "table2":
		err = d.table2(s, seg)
	case "error2":
		err = d.errors1(s)
	case "hash", "digest":
		err = d.digest1(s)
	case "xhash":
		err = d.xhash(s)
	case "ltree", "ltypes":
		return false, fmt.Errorf("section %q of a logical evidence file: %w", s.kind, image.ErrNotSupported)
	}
	if err != nil {
		d.note("%q: section %q at byte %d: %v", s.f.Name, s.kind, s.off-descriptorSize1, err)
	}
	return false, nil
}

// volume reads a volume, disk or data section; SMART and EnCase 1 have a short one.
func (d *disk) volume(s section) error {
	size := min(s.size, volumeSize)
	if size < volumeSizeSMART {
		return fmt.Errorf("has %d bytes", s.size)
	}
	if size < volumeSize {
		size = volumeSizeSMART
	}
	b, err := extent.Bytes(s.f, s.off, size, volumeSize, s.kind)
	if err != nil {
		return err
	}
	sound := checked(b)
	if !sound && d.sectorSize != 0 {
		return errors.New("wrong checksum")
	} else if !sound {
		d.note("%q: the section %q has a wrong checksum; its numbers are used all the same", s.f.Name, s.kind)
	}
	c := bin.Little(b).Skip(4)
	g := geometry{chunks: int64(c.U32()), sectorsPerChunk: int64(c.U32()), sectorSize: int64(c.U32())}
	if size == volumeSizeSMART {
		g.sectorCount = int64(c.U32())
		d.geometry = g
		return c.Err()
	}
	g.sectorCount = int64(c.U64())
	d.geometry = g
	d.fact("media type", mediaType(b[0]))
	c.Skip(12)
	d.fact("media", mediaFlags(c.U8()))
	c.Skip(15)
	d.fact("compression level", compressionLevel(c.U8()))
	c.Skip(3)
	d.fact("error granularity", fmt.Sprintf("%d sectors", c.U32()))
	c.Skip(4)
	if id := c.Bytes(16); !zero(id) {
		d.fact("set identifier", fmt.Sprintf("%x", id))
	}
	return c.Err()
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

func mediaType(v byte) string {
	switch v {
	case 0:
		return "removable"
	case 1:
		return "fixed"
	case 3:
		return "optical"
	case 0x0e:
		return "logical evidence"
	case 0x10:
		return "memory"
	}
	return fmt.Sprintf("%#x", v)
}

func mediaFlags(v byte) string {
	text := "logical"
	if v&2 != 0 {
		text = "physical"
	}
	if v&4 != 0 {
		text += ", fastbloc write blocker"
	}
	if v&8 != 0 {
		text += ", tableau write blocker"
	}
	return text
}

func compressionLevel(v byte) string {
	switch v {
	case 0:
		return "none"
	case 1:
		return "good"
	case 2:
		return "best"
	}
	return fmt.Sprintf("%#x", v)
}

// checked tells whether the last four bytes are the Adler-32 of those before them.
func checked(b []byte) bool {
	n := len(b) - 4
	return n >= 0 && binary.LittleEndian.Uint32(b[n:]) == adler32.Checksum(b[:n])
}

// errors1 reads which sectors could not be read when the image was made.
func (d *disk) errors1(s section) error {
	const head, entry = 520, 8
	b, err := extent.Bytes(s.f, s.off, min(s.size, head), head, "error2")
	if err != nil {
		return err
	}
	if len(b) < head || !checked(b) {
		return errors.New("wrong checksum")
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n > (s.size-head)/entry {
		return fmt.Errorf("%d entries in %d bytes", n, s.size)
	}
	b, err = extent.Bytes(s.f, s.off+head, n*entry, maxHeader, "error2")
	if err != nil {
		return err
	}
	for c := bin.Little(b); c.Left() > 0; {
		d.errors = append(d.errors, sectors{int64(c.U32()), int64(c.U32())})
	}
	return nil
}

// digest1 reads a hash section (MD5) or a digest section (MD5 and SHA1).
func (d *disk) digest1(s section) error {
	want := int64(36)
	if s.kind == "digest" {
		want = 80
	}
	b, err := extent.Bytes(s.f, s.off, want, want, s.kind)
	if err != nil {
		return err
	}
	if !checked(b) {
		return errors.New("wrong checksum")
	}
	if !zero(b[:16]) {
		d.md5 = b[:16]
	}
	if want == 80 && !zero(b[16:36]) {
		d.sha1 = b[16:36]
	}
	return nil
}
