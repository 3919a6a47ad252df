package ewf

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
)

// Section types of EWF2.
const (
	typeDevice      = 0x01
	typeCase        = 0x02
	typeSectorTable = 0x04
	typeErrors      = 0x05
	typeMD5         = 0x08
	typeSHA1        = 0x09
	typeKeys        = 0x0b
	typeDone        = 0x0f
	typeLast        = 0x23 // the highest that is known

	descriptorSize2 = 64
	flagHashed      = 1
	flagEncrypted   = 2
	maxCheckedData  = 16 << 20 // bytes of a section whose integrity hash is held against it when opening
	backScan        = 64 << 20 // bytes of a cut segment that are searched for a section's end
)

// segment2 walks the sections of an EWF2 segment, whose descriptors stand behind their data and lead back.
func (d *disk) segment2(f image.File, want int) (last bool, err error) {
	b, err := extent.Bytes(f, 0, segmentHeader2, segmentHeader2, "file header")
	if err != nil {
		return false, err
	}
	c := bin.Little(b)
	if s := string(c.Bytes(8)); s != signature2 {
		return false, fmt.Errorf("signature %q", s)
	}
	if major, minor := c.U8(), c.U8(); major != 2 {
		return false, fmt.Errorf("version %d.%d: %w", major, minor, image.ErrNotSupported)
	}
	method := c.U16()
	if method > methodBzip2 {
		return false, fmt.Errorf("compression method %d: %w", method, image.ErrNotSupported)
	}
	if err := d.checkNumber(f, c.U32(), want); err != nil {
		return false, err
	}
	if want == 1 {
		d.compression = method
		d.fact("set identifier", fmt.Sprintf("%x", c.Bytes(16)))
	} else if method != d.compression {
		return false, fmt.Errorf("compression method %d, the first segment has %d", method, d.compression)
	}
	list, err := d.sections2(f)
	if err != nil {
		return false, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		if err := d.section2(list[i]); errors.Is(err, image.ErrEncrypted) {
			return false, err
		} else if err != nil {
			d.note("%q: section of type %#x at byte %d: %v", f.Name, list[i].kind, list[i].off, err)
		}
		last = last || list[i].kind == typeDone
	}
	return last, nil
}

type section2 struct {
	f         image.File
	kind      uint32
	flags     uint32
	off, size int64 // of the data
	hash      []byte
}

// sections2 gives a segment's sections, last first.
func (d *disk) sections2(f image.File) ([]section2, error) {
	at := f.Size - descriptorSize2
	s, prev, err := descriptor2(f, at)
	if err != nil {
		d.note("%q does not end with a section descriptor (%v): it is cut", f.Name, err)
		if at = lastDescriptor(f); at < 0 {
			return nil, errors.New("no section descriptor")
		}
		if s, prev, err = descriptor2(f, at); err != nil {
			return nil, err
		}
	}
	var list []section2
	for range maxSections {
		list = append(list, s)
		if err := d.budget.Take(96, "sections"); err != nil {
			return nil, err
		}
		if prev == 0 {
			return list, nil
		}
		if prev < segmentHeader2 || prev > at-descriptorSize2 {
			d.note("%q: the section descriptor at byte %d leads to %d: what is before it is not read", f.Name, at, prev)
			return list, nil
		}
		at = prev
		if s, prev, err = descriptor2(f, at); err != nil {
			d.note("%q: section descriptor at byte %d: %v: what is before it is not read", f.Name, at, err)
			return list, nil
		}
	}
	return nil, fmt.Errorf("more than %d sections", maxSections)
}

func descriptor2(f image.File, at int64) (s section2, prev int64, err error) {
	b, err := extent.Bytes(f, at, descriptorSize2, descriptorSize2, "section descriptor")
	if err != nil {
		return s, 0, err
	}
	if !checked(b) {
		return s, 0, errors.New("wrong checksum")
	}
	c := bin.Little(b)
	s = section2{f: f, kind: c.U32(), flags: c.U32()}
	prev = int64(c.U64())
	s.size = int64(c.U64())
	if s.size < 0 || s.size > at-segmentHeader2 {
		return s, 0, fmt.Errorf("%d bytes of data before byte %d", s.size, at)
	}
	s.off = at - s.size
	s.hash = c.Skip(8).Bytes(16)
	return s, prev, c.Err()
}

// lastDescriptor searches a cut segment from its end for what looks like a section descriptor; -1: none.
func lastDescriptor(f image.File) int64 {
	const block = 1 << 20
	end := f.Size &^ 15
	for stop := max(segmentHeader2, end-backScan); end > stop; {
		start := max(segmentHeader2, end-block)
		b, err := extent.Bytes(f, start, min(f.Size, end+descriptorSize2)-start, block+descriptorSize2, "segment")
		if err != nil {
			return -1
		}
		for i := (len(b) - descriptorSize2) &^ 15; i >= 0; i -= 16 {
			p := b[i : i+descriptorSize2]
			if kind := binary.LittleEndian.Uint32(p); kind > 0 && kind <= typeLast && binary.LittleEndian.Uint32(p[24:]) == descriptorSize2 &&
				binary.LittleEndian.Uint32(p[60:]) == adler32.Checksum(p[:60]) {
				return start + int64(i)
			}
		}
		end = start
	}
	return -1
}

func (d *disk) section2(s section2) error {
	if s.flags&flagEncrypted != 0 || s.kind == typeKeys {
		return fmt.Errorf("EWF2 image, section of type %#x: %w", s.kind, image.ErrEncrypted)
	}
	if s.flags&flagHashed != 0 && s.size <= maxCheckedData && s.kind != typeSectors {
		b, err := extent.Bytes(s.f, s.off, s.size, maxCheckedData, "section")
		if err != nil {
			return err
		}
		if sum := md5.Sum(b); !bytes.Equal(sum[:], s.hash) {
			d.note("%q: the section of type %#x at byte %d does not match its integrity hash", s.f.Name, s.kind, s.off)
		}
	}
	switch s.kind {
	case typeDevice:
		return d.object2(s, deviceNames)
	case typeCase:
		return d.object2(s, caseNames)
	case typeSectorTable:
		return d.sectorTable(s)
	case typeErrors:
		return d.errors2(s)
	case typeMD5:
		b, err := digest2(s, 16)
		if err == nil {
			d.md5 = b
		}
		return err
	case typeSHA1:
		b, err := digest2(s, 20)
		if err == nil {
			d.sha1 = b
		}
		return err
	}
	return nil
}

func digest2(s section2, n int64) ([]byte, error) {
	b, err := extent.Bytes(s.f, s.off, n+4, n+4, "hash")
	if err != nil {
		return nil, err
	}
	if !checked(b) {
		return nil, errors.New("wrong checksum")
	}
	return b[:n], nil
}

const tableHeader2 = 32 // bytes, with the padding

func (d *disk) errors2(s section2) error {
	b, err := extent.Bytes(s.f, s.off, tableHeader2, tableHeader2, "error table")
	if err != nil {
		return err
	}
	if !checked(b[:20]) {
		return errors.New("wrong checksum")
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n > (s.size-tableHeader2)/16 {
		return fmt.Errorf("%d entries in %d bytes", n, s.size)
	}
	if b, err = extent.Bytes(s.f, s.off+tableHeader2, n*16, maxHeader, "error table"); err != nil {
		return err
	}
	for c := bin.Little(b); c.Left() > 0; c.Skip(4) {
		d.errors = append(d.errors, sectors{int64(c.U64()), int64(c.U32())})
	}
	return nil
}
