// Package iso9660 reads ISO 9660 filesystems: CDs, DVDs and the images that virtual machines are installed from. Names,
// owners and links come from Rock Ridge where it is there, else names from Joliet, else from the plain directories. It
// reads no UDF, no interleaved files, no earlier sessions, and refuses zisofs by name. Blocks are logical blocks.
//
// An inode's number is the offset in bytes of the file's first directory record. Times are as recorded, with their zone.
//
// Source: ECMA-119 (4th edition), SUSP 1.12, RRIP 1.12, Joliet specification (1995), kernel fs/isofs (6.12).
package iso9660

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/cache"
	"telltale/internal/limit"
)

// Volume descriptors (ECMA-119 8): one a sector, from the sixteenth on.
const (
	sectorSize     = 2048 // bytes
	firstSector    = 16
	maxDescriptors = 64

	primaryType       = 1
	supplementaryType = 2
	endType           = 255

	rootRecordAt = 156 // in a descriptor
	rootRecord   = 34  // bytes
)

// descriptor is a volume descriptor that names a tree.
type descriptor struct {
	at     int64 // bytes
	block  int64 // bytes of a logical block
	blocks int64
	label  string
	made   evidence.Time
	system string
	root   int64 // offset of the root's record
}

// FS is an open filesystem. It is safe for concurrent use where its source is.
type FS struct {
	src    io.ReaderAt
	size   int64
	d      descriptor
	joliet bool
	rock   bool
	skip   int // bytes before a record's system use entries (SUSP LEN_SKP)
	has    []string
	notes  []string
	seen   *cache.Cache[filesystem.Inode, *file]
}

var _ filesystem.FS = (*FS)(nil)

const fileCacheBytes = 4 << 20

// Format is the member of the family.
func Format() filesystem.Format {
	return filesystem.Format{
		Name: "iso9660", Doc: "ISO 9660: CDs, DVDs and their images",
		Probe: probe,
		Open: func(r io.ReaderAt, size int64, _ *limit.Budget) (filesystem.FS, error) {
			return Open(r, size)
		},
	}
}

func probe(head []byte) bool {
	const at = firstSector * sectorSize
	return len(head) >= at+8 && string(head[at+1:at+6]) == "CD001" && !partitioned(head)
}

// partitioned tells a disk with a table of partitions of its own from an image that can be written to one: on a stick
// that once held an image, its descriptors lie before the first partition still. In the image's own table a partition
// begins with the image, or right behind the descriptors' sixteen sectors.
func partitioned(head []byte) bool {
	const sector = 512
	if head[510] != 0x55 || head[511] != 0xaa {
		return false
	}
	some := false
	own := func(lba uint64) bool { some = true; return lba == 0 || lba == firstSector*sectorSize/sector }
	if string(head[sector:sector+8]) == "EFI PART" {
		for at := 2 * sector; at+128 <= firstSector*sectorSize; at += 128 {
			if e := head[at:]; binary.LittleEndian.Uint64(e)|binary.LittleEndian.Uint64(e[8:]) != 0 && own(binary.LittleEndian.Uint64(e[32:])) {
				return false
			}
		}
	}
	for at := 446; at < 510; at += 16 {
		if e := head[at:]; binary.LittleEndian.Uint32(e[12:]) != 0 && own(uint64(binary.LittleEndian.Uint32(e[8:]))) {
			return false
		}
	}
	return some
}

// Open reads the volume descriptors and chooses the tree that tells most.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	f := &FS{src: r, size: size, seen: cache.New[filesystem.Inode, *file](fileCacheBytes)}
	primary, joliet, err := f.descriptors()
	if err != nil {
		return nil, err
	}
	switch {
	case primary != nil:
		f.d = *primary
		if f.rock = f.rockRidge(); f.rock {
			f.has = append(f.has, "rock-ridge")
		}
		if joliet != nil {
			f.has = append(f.has, "joliet")
		}
		if f.rock || joliet == nil {
			break
		}
		fallthrough
	case joliet != nil:
		f.d, f.joliet = *joliet, true
	default:
		return nil, &evidence.Damage{Ref: evidence.Ref{Off: firstSector * sectorSize}, Reason: "iso9660: no volume descriptor that names a tree"}
	}
	if end := f.d.blocks * f.d.block; end > size {
		f.notes = append(f.notes, fmt.Sprintf("the image ends at byte %d of %d: what lies behind is lost", size, end))
	}
	return f, nil
}

// descriptors gives the primary one and Joliet's.
func (f *FS) descriptors() (primary, joliet *descriptor, err error) {
	b := make([]byte, sectorSize)
	for i := int64(firstSector); i < firstSector+maxDescriptors; i++ {
		if err := f.readAt(b, i*sectorSize); err != nil {
			if i == firstSector {
				return nil, nil, fmt.Errorf("iso9660 volume descriptor: %w", err)
			}
			f.notes = append(f.notes, "volume descriptors: "+err.Error())
			break
		}
		id := string(b[1:6])
		if id == "BEA01" || id == "NSR02" || id == "NSR03" || id == "TEA01" {
			f.has = append(f.has, "udf")
			f.notes = append(f.notes, "it has a UDF tree beside, which is not read")
			break
		}
		if id != "CD001" || b[0] == endType {
			if b[0] == endType && id == "CD001" {
				continue // UDF's descriptors follow
			}
			break
		}
		d := parseDescriptor(b, i*sectorSize)
		switch {
		case d == nil:
		case b[0] == primaryType && primary == nil:
			primary = d
		case b[0] == supplementaryType && joliet == nil && b[88] == '%' && b[89] == '/' && strings.IndexByte("@CE", b[90]) >= 0:
			d.label = ucs2(b[40:72])
			joliet = d
		}
	}
	return primary, joliet, nil
}

func parseDescriptor(b []byte, at int64) *descriptor {
	if b[0] != primaryType && b[0] != supplementaryType {
		return nil
	}
	c := bin.Little(b)
	d := &descriptor{at: at, root: at + rootRecordAt}
	d.blocks = int64(c.Seek(80).U32())
	d.block = int64(c.Seek(128).U16())
	if d.block != 512 && d.block != 1024 && d.block != 2048 {
		return nil
	}
	d.system = strings.TrimRight(string(b[8:40]), " \x00")
	d.label = strings.TrimRight(string(b[40:72]), " \x00")
	d.made = longTime(b[813:830])
	return d
}

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return filesystem.Inode(f.d.root) }

// Info describes the filesystem.
func (f *FS) Info() filesystem.Info {
	return filesystem.Info{Kind: "iso9660", Label: f.d.label, Features: f.has, Created: f.d.made, Notes: f.notes}
}

// readAt fills p from off. What fails is damage, with its place.
func (f *FS) readAt(p []byte, off int64) error {
	if off < 0 || off > f.size || int64(len(p)) > f.size-off {
		return damage(0, 0, "%d bytes at %d lie beyond the end of the source at %d", len(p), off, f.size)
	}
	if n, err := f.src.ReadAt(p, off); n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return damage(off, int64(len(p)), "cannot be read: %v", err)
	}
	return nil
}

func damage(off, length int64, format string, a ...any) *evidence.Damage {
	return &evidence.Damage{Ref: evidence.Ref{Off: off, Len: length}, Reason: fmt.Sprintf(format, a...)}
}
