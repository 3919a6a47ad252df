package vfat

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"telltale/evidence"
	"telltale/filesystem"
)

// Directory entries.
const (
	entrySize = 32 // bytes

	attrReadOnly  = 0x01
	attrVolume    = 0x08
	attrDirectory = 0x10
	attrLong      = 0x0f // a piece of a long name
	attrMask      = 0x3f

	deletedMark = 0xe5
	escapedMark = 0x05 // stands for a name that begins with byte E5

	lowerBase = 0x08
	lowerExt  = 0x10

	longLast  = 0x40
	longChars = 13
	maxLong   = 20 // pieces of a long name
)

// entry is a file as its directory has it.
type entry struct {
	meta       filesystem.Meta
	first      uint32
	valid      int64
	contiguous bool // exFAT: the table has no chain of it
	name       string
	lost       bool // of a deleted file: the name's first letter
}

// entry reads the entry that an inode's number names.
func (f *FS) entry(n filesystem.Inode) (*entry, error) {
	if n == rootInode {
		return &entry{meta: filesystem.Meta{Inode: n, Type: filesystem.Directory, Mode: 0o755, Links: 1}, first: f.g.root}, nil
	}
	at := int64(n)
	base := f.g.data
	if f.g.root == 0 && at >= f.g.rootAt && at < f.g.rootAt+f.g.rootLen {
		base = f.g.rootAt
	}
	if n > 1<<62 || at < base || (at-base)%entrySize != 0 || at > f.size-entrySize {
		return nil, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	var b [2 * entrySize]byte
	if err := f.readAt(b[:entrySize], at); err != nil {
		return nil, err
	}
	if f.g.kind != exFAT {
		return f.short(b[:entrySize], at), nil
	}
	f.mu.Lock()
	second, ok := f.split[n]
	f.mu.Unlock()
	if !ok {
		second = at + entrySize
	}
	if err := f.readAt(b[entrySize:], second); err != nil {
		return nil, err
	}
	if b[0]&^inUse != fileEntry&^inUse || b[entrySize]&^inUse != streamEntry&^inUse {
		return nil, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	return f.set(b[:entrySize], b[entrySize:], at), nil
}

// short reads an entry of FAT (6.1).
func (f *FS) short(b []byte, at int64) *entry {
	e := &entry{first: uint32(le16(b, 26)), name: shortName(b)}
	if f.g.kind == fat32 {
		e.first |= uint32(le16(b, 20)) << 16
	}
	e.meta = filesystem.Meta{Inode: filesystem.Inode(at), Links: 1, Size: le32(b, 28), Ref: evidence.Ref{Off: at, Len: entrySize},
		Mtime: stamp(le16(b, 24), le16(b, 22), 0, 2*time.Second), Crtime: stamp(le16(b, 16), le16(b, 14), b[13], 10*time.Millisecond), Atime: stamp(le16(b, 18), 0, 0, 24*time.Hour)}
	e.attributes(b[11])
	e.valid = e.meta.Size
	if b[0] == deletedMark {
		e.meta.State, e.lost = filesystem.Deleted, true
	}
	return e
}

func (e *entry) attributes(a byte) {
	e.meta.Type, e.meta.Mode = filesystem.Regular, 0o755
	if a&attrDirectory != 0 {
		e.meta.Type, e.meta.Size = filesystem.Directory, 0
	}
	if a&attrReadOnly != 0 {
		e.meta.Mode = 0o555
	}
}

// shortName gives a name of eight and three, in the bytes of whatever code page wrote it.
func shortName(b []byte) string {
	raw := append([]byte(nil), b[:11]...)
	if raw[0] == escapedMark {
		raw[0] = deletedMark
	}
	base, ext := strings.TrimRight(string(raw[:8]), " "), strings.TrimRight(string(raw[8:]), " ")
	if b[12]&lowerBase != 0 {
		base = lower(base)
	}
	if b[12]&lowerExt != 0 {
		ext = lower(ext)
	}
	if ext != "" {
		base += "." + ext
	}
	return base
}

// lower changes ASCII alone: the other bytes' code page is not known.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// stamp reads a date and a time of day, with hundredths of two seconds.
func stamp(date, clock int64, hundredths byte, step time.Duration) evidence.Time {
	day, month := int(date&31), int(date>>5&15)
	if day == 0 || month == 0 || month > 12 || hundredths > 199 {
		return evidence.Time{}
	}
	t := time.Date(1980+int(date>>9), time.Month(month), day, int(clock>>11), int(clock>>5&63), int(clock&31)*2, int(hundredths)*int(10*time.Millisecond), time.UTC)
	return evidence.At(t, step)
}

// long collects the pieces of a long name, which stand before the entry, last piece first.
type long struct {
	units   [maxLong * longChars]uint16
	left    int // pieces that are still to come
	n       int // pieces in all
	sum     byte
	broken  bool
	deleted bool
}

// piece takes one. Of a deleted name the numbers are lost, and the order tells.
func (l *long) piece(b []byte) {
	seq := b[0]
	if seq == deletedMark {
		if !l.deleted || l.sum != b[13] || l.n >= maxLong {
			*l = long{deleted: true, sum: b[13]}
		}
		copy(l.units[longChars:], l.units[:l.n*longChars])
		chars(b, l.units[:longChars])
		l.n++
		return
	}
	if seq&longLast != 0 {
		*l = long{n: int(seq &^ longLast), sum: b[13]}
		l.left = l.n
		l.broken = l.n == 0 || l.n > maxLong
	}
	if l.broken || l.deleted || l.left == 0 || int(seq&^longLast) != l.left || l.sum != b[13] {
		l.broken = true
		return
	}
	l.left--
	chars(b, l.units[l.left*longChars:(l.left+1)*longChars])
}

func chars(b []byte, to []uint16) {
	i := 0
	for _, field := range [...][]byte{b[1:11], b[14:26], b[28:32]} {
		for ; len(field) > 0; field = field[2:] {
			to[i] = binary.LittleEndian.Uint16(field)
			i++
		}
	}
}

// text gives the name for the entry that follows, "" where it is not whole or not of that entry.
func (l *long) text(short []byte) string {
	defer func() { *l = long{} }()
	if l.n == 0 || l.broken || l.left != 0 || l.deleted != (short[0] == deletedMark) {
		return ""
	}
	s := decode(l.units[:l.n*longChars])
	if !l.deleted {
		if checksum(short) != l.sum {
			return ""
		}
		return s
	}
	raw := append([]byte(nil), short[:11]...)
	for c := 0x20; c < 0x100; c++ { // the lost letter is one with which the sum is right
		if raw[0] = byte(c); checksum(raw) == l.sum {
			return s
		}
	}
	return ""
}

// decode gives UTF-8 up to the first zero.
func decode(u []uint16) string {
	for i, c := range u {
		if c == 0 {
			u = u[:i]
			break
		}
	}
	return string(utf16.Decode(u))
}

// checksum is what ties a long name to its short one (7.2).
func checksum(name []byte) (sum byte) {
	for _, c := range name[:11] {
		sum = sum>>1 | sum<<7
		sum += c
	}
	return sum
}
