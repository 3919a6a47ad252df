// Package dirents takes apart what getdents64(2) gives, and sees what was taken out of it. The kernel packs its records without
// room between them (fs/readdir.c, filldir64: the length is that of the name, rounded up to eight); code that hides a file lets
// the record before swallow the hidden one, whose bytes stay. So a record that is longer than its name needs is never ordinary, and what
// lies in it is the hidden name.
package dirents

import (
	"bytes"
	"encoding/binary"
)

// header is the size of struct linux_dirent64 before the name, bytes.
const header = 8 + 8 + 2 + 1

// Entry is one name.
type Entry struct {
	Inode  uint64
	Type   uint8 // DT_REG ...
	Name   []byte
	Hidden bool // it lay in a record that was made to swallow it
}

// Parse calls yield for the records in what one call of getdents64 gave, and for those within records that are too long. Spare tells
// how many bytes of such records held no name. It stops at a record that cannot be.
func Parse(b []byte, yield func(Entry) bool) (spare int, whole bool) {
	for len(b) > 0 {
		e, need, size, ok := record(b)
		if !ok {
			return spare, false
		}
		if !yield(e) {
			return spare, true
		}
		if size > need {
			left, more := swallowed(b[need:size], yield)
			spare += left
			if !more {
				return spare, true
			}
		}
		b = b[size:]
	}
	return spare, true
}

// swallowed gives the records in the room behind a name.
func swallowed(b []byte, yield func(Entry) bool) (spare int, more bool) {
	for len(b) > 0 {
		e, _, size, ok := record(b)
		if !ok || len(e.Name) == 0 || e.Inode == 0 {
			return spare + len(b), true
		}
		e.Hidden = true
		if !yield(e) {
			return spare, false
		}
		b = b[size:]
	}
	return spare, true
}

// record reads one: need is what its name takes, size what it says it takes.
func record(b []byte) (e Entry, need, size int, ok bool) {
	if len(b) < header+1 {
		return e, 0, 0, false
	}
	size = int(binary.NativeEndian.Uint16(b[16:]))
	if size <= header || size > len(b) || size%8 != 0 {
		return e, 0, 0, false
	}
	name := b[header:size]
	n := bytes.IndexByte(name, 0)
	if n < 0 {
		return e, 0, 0, false
	}
	need = (header + n + 1 + 7) &^ 7
	return Entry{Inode: binary.NativeEndian.Uint64(b), Type: b[18], Name: name[:n]}, need, size, true
}
