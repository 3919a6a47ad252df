package vfat

import (
	"encoding/binary"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

// Kinds of exFAT's entries (6.2). The highest bit is taken off when an entry is deleted.
const (
	inUse       = 0x80
	bitmapEntry = 0x81
	labelEntry  = 0x83
	fileEntry   = 0x85
	streamEntry = 0xc0
	nameEntry   = 0xc1

	noChain   = 0x02 // of a stream's flags: the clusters lie in a row
	nameChars = 15
	maxParts  = 18 // entries behind a file's first
	maxSplits = 1 << 20
)

// set reads a file's entry and the stream behind it (7.4, 7.6).
func (f *FS) set(file, stream []byte, at int64) *entry {
	e := &entry{first: uint32(le32(stream, 20)), contiguous: stream[1]&noChain != 0}
	size, valid := binary.LittleEndian.Uint64(stream[24:]), binary.LittleEndian.Uint64(stream[8:])
	most := uint64(f.g.clusters) * uint64(f.g.cluster)
	e.meta = filesystem.Meta{Inode: filesystem.Inode(at), Links: 1, Size: int64(min(size, most)), Ref: evidence.Ref{Off: at, Len: entrySize},
		Crtime: zoned(file[8:], file[20], file[22]), Mtime: zoned(file[12:], file[21], file[23]), Atime: zoned(file[16:], 0, file[24])}
	e.valid = int64(min(valid, size, most))
	dirSize := e.meta.Size
	e.attributes(file[4])
	if e.meta.Type == filesystem.Directory {
		e.meta.Size = dirSize
	}
	if file[0]&inUse == 0 {
		e.meta.State = filesystem.Deleted
	}
	return e
}

// zoned reads a stamp with hundredths, and its offset from UTC in quarters of an hour where that is told.
func zoned(b []byte, hundredths, offset byte) evidence.Time {
	step := 10 * time.Millisecond
	if hundredths == 0 {
		step = 2 * time.Second
	}
	t := stamp(le16(b, 2), le16(b, 0), hundredths, step)
	if !t.Known() || offset&0x80 == 0 {
		return t
	}
	quarters := int8(offset<<1) >> 1
	return t.Add(-time.Duration(quarters) * 15 * time.Minute)
}

// sets collects the entries of a directory of exFAT.
type sets struct {
	f      *FS
	file   [entrySize]byte
	stream [entrySize]byte
	at     int64 // of the file's entry
	second int64
	left   int // parts that are still to come
	units  []uint16
}

// part takes one entry; it gives the file when it is whole.
func (s *sets) part(b []byte, at int64) *entry {
	switch b[0] | inUse {
	case fileEntry:
		copy(s.file[:], b)
		s.at, s.second, s.units = at, 0, nil
		if s.left = int(b[1]); s.left < 2 || s.left > maxParts {
			s.left = 0
		}
		return nil
	case streamEntry:
		if s.left == 0 || s.second != 0 || (b[0]^s.file[0])&inUse != 0 {
			s.left = 0
			return nil
		}
		copy(s.stream[:], b)
		s.second = at
		s.left--
	case nameEntry:
		if s.left == 0 || s.second == 0 {
			s.left = 0
			return nil
		}
		for i := range nameChars {
			s.units = append(s.units, binary.LittleEndian.Uint16(b[2+2*i:]))
		}
		s.left--
	default:
		if s.left--; s.left <= 0 || s.second == 0 { // vendors' entries may stand behind the name
			s.left = 0
			return nil
		}
	}
	if s.left > 0 {
		return nil
	}
	e := s.f.set(s.file[:], s.stream[:], s.at)
	e.name = decode(s.units[:min(len(s.units), int(s.stream[3]))])
	s.f.remember(filesystem.Inode(s.at), s.second)
	return e
}

// remember notes where the second part of an entry lies when a cluster's end is between them.
func (f *FS) remember(n filesystem.Inode, second int64) {
	if second == int64(n)+entrySize {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.split) < maxSplits {
		f.split[n] = second
	}
}
