// Package btf reads the description that a kernel carries of its own types (BTF, Documentation/bpf/btf.rst): where members lie in
// its structures. It does not resolve what modules add to it (split BTF). The bytes may come from the running kernel or out of a
// dump of memory, and may be crafted. Offsets and sizes are in bytes.
package btf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"telltale/internal/bin"
)

// Sizes and kinds of Documentation/bpf/btf.rst.
const (
	Magic      = 0xeB9F
	HeaderSize = 24
	typeSize   = 12 // sizeof(struct btf_type)
	memberSize = 12 // sizeof(struct btf_member)
)

// The kinds of types.
const (
	kindInt      = 1
	kindPointer  = 2
	kindArray    = 3
	kindStruct   = 4
	kindUnion    = 5
	kindEnum     = 6
	kindTypedef  = 8
	kindVolatile = 9
	kindConst    = 10
	kindRestrict = 11
	kindTypeTag  = 18
	kindEnum64   = 19
)

// Bounds of a description.
const (
	maxTypes     = 4 << 20
	maxAnonymous = 8       // structures without a name within each other
	maxMembers   = 1 << 16 // that are looked at to find one
	maxModifiers = 32      // const, volatile, typedef behind each other
	maxName      = 256
	maxOffset    = 1 << 30 // bits
)

// ErrForm says that the bytes are no description of types.
var ErrForm = errors.New("not formed as BTF")

// tail gives how many bytes follow a type of a kind, per entry and in all.
func tail(kind, entries int) (int, bool) {
	switch kind {
	case kindInt, 14, 17: // VAR, DECL_TAG
		return 4, true
	case kindArray:
		return 12, true
	case kindStruct, kindUnion, 15, kindEnum64: // DATASEC
		return 12 * entries, true
	case kindEnum, 13: // FUNC_PROTO
		return 8 * entries, true
	case kindPointer, 7, kindTypedef, kindVolatile, kindConst, kindRestrict, 12, 16, kindTypeTag: // FWD, FUNC, FLOAT
		return 0, true
	}
	return 0, false
}

// Types is a kernel's description of its own types. It keeps the bytes that it was parsed from.
type Types struct {
	order   binary.ByteOrder
	types   []byte
	strings []byte
	at      []int // where each type lies in types; number 0 is void
	named   map[string]uint32
}

// Length gives how long the description is whose header b begins with, 0 where there is none.
func Length(b []byte) int64 {
	c := cursor(b)
	if c == nil {
		return 0
	}
	c.Skip(4)
	head := int64(c.U32())
	typeOff, typeLen, strOff, strLen := int64(c.U32()), int64(c.U32()), int64(c.U32()), int64(c.U32())
	if c.Err() != nil || head < HeaderSize || head > 1<<10 {
		return 0
	}
	return head + max(typeOff+typeLen, strOff+strLen)
}

// cursor gives a cursor in the order that the magic number is in, nil where it is in none.
func cursor(b []byte) *bin.Cursor {
	switch {
	case bin.Little(b).U16() == Magic:
		return bin.Little(b)
	case bin.Big(b).U16() == Magic:
		return bin.Big(b)
	}
	return nil
}

// Parse reads a description.
func Parse(b []byte) (*Types, error) {
	c := cursor(b)
	if c == nil {
		return nil, ErrForm
	}
	t := &Types{order: binary.LittleEndian, named: map[string]uint32{}}
	if bin.Little(b).U16() != Magic {
		t.order = binary.BigEndian
	}
	c.Skip(4)
	head := uint64(c.U32())
	typeOff, typeLen, strOff, strLen := uint64(c.U32()), uint64(c.U32()), uint64(c.U32()), uint64(c.U32())
	n := uint64(len(b))
	if c.Err() != nil || head < HeaderSize || head+typeOff+typeLen > n || head+strOff+strLen > n {
		return nil, ErrForm
	}
	t.types, t.strings = b[head+typeOff:head+typeOff+typeLen], b[head+strOff:head+strOff+strLen]
	t.at = append(t.at, -1)
	for off := 0; off+typeSize <= len(t.types); {
		info := t.order.Uint32(t.types[off+4:])
		kind := int(info >> 24 & 0x1f)
		more, known := tail(kind, int(info&0xffff))
		if !known || more > len(t.types)-off-typeSize || len(t.at) > maxTypes {
			return nil, fmt.Errorf("type %d: %w", len(t.at), ErrForm)
		}
		if kind == kindStruct || kind == kindUnion {
			if name := t.name(t.order.Uint32(t.types[off:])); name != "" && t.named[name] == 0 {
				t.named[name] = uint32(len(t.at))
			}
		}
		t.at = append(t.at, off)
		off += typeSize + more
	}
	return t, nil
}

func (t *Types) name(off uint32) string {
	if uint64(off) >= uint64(len(t.strings)) {
		return ""
	}
	return string(bin.Little(t.strings[off:]).CString(min(maxName, len(t.strings)-int(off))))
}

// record is one type as it lies there.
type record struct {
	b        []byte // from its head on
	kind     int
	entries  int
	bitfield bool   // of structures: members may be bit fields
	word     uint32 // size, or the type that it leads to
}

func (t *Types) get(id uint32) (r record, ok bool) {
	if id == 0 || uint64(id) >= uint64(len(t.at)) {
		return r, false
	}
	b := t.types[t.at[id]:]
	info := t.order.Uint32(b[4:])
	return record{b: b, kind: int(info >> 24 & 0x1f), entries: int(info & 0xffff), bitfield: info>>31 == 1, word: t.order.Uint32(b[8:])}, true
}

// Size gives the size of a structure or union, false where none of the name is described.
func (t *Types) Size(structure string) (int, bool) {
	r, ok := t.get(t.named[structure])
	return int(r.word & (1<<31 - 1)), ok
}

// Offsets gives where members lie in a structure. All must be there.
func (t *Types) Offsets(structure string, members ...string) (map[string]int, error) {
	if t.named[structure] == 0 {
		return nil, fmt.Errorf("no struct %s is described", structure)
	}
	found := map[string]int{}
	for _, m := range members {
		f, err := t.Field(structure, m)
		if err != nil {
			return nil, err
		}
		found[m] = f.Off
	}
	return found, nil
}

// Field is a member of a structure.
type Field struct {
	Off     int    // in the structure
	Size    int    // of all of it
	Count   int    // of an array; else 1
	Bits    int    // width of a bit field, 0 for none
	Shift   int    // of a bit field within the byte at Off
	Pointer bool   // it, or the array's element, is a pointer
	Struct  string // the structure that it is, holds an array of, or points to; "" for none or one without a name
}

// Field finds a member by its path within a structure: "mm", "signal.nr_threads" where signal is a structure and no pointer. Members
// of structures without a name are members of the structure around them.
func (t *Types) Field(structure, path string) (Field, error) {
	id := t.named[structure]
	if id == 0 {
		return Field{}, fmt.Errorf("no struct %s is described", structure)
	}
	bits, width, left := int64(0), 0, maxMembers
	for part := range strings.SplitSeq(path, ".") {
		m, ok := t.member(t.plain(id), part, maxAnonymous, &left)
		if !ok {
			return Field{}, fmt.Errorf("struct %s has no member %s", structure, path)
		}
		if bits, width, id = bits+m.bits, m.width, m.id; bits > maxOffset {
			return Field{}, fmt.Errorf("member %s of struct %s: %w", path, structure, ErrForm)
		}
	}
	f := Field{Off: int(bits / 8), Count: 1, Bits: width}
	if width > 0 {
		f.Shift = int(bits % 8)
	}
	t.describe(id, &f)
	return f, nil
}

// found is a member with its place in bits.
type found struct {
	bits  int64
	width int
	id    uint32
}

func (t *Types) member(id uint32, name string, depth int, left *int) (found, bool) {
	r, ok := t.get(id)
	if !ok || depth == 0 || r.kind != kindStruct && r.kind != kindUnion {
		return found{}, false
	}
	for i := range r.entries {
		if *left--; *left < 0 {
			return found{}, false
		}
		m := r.b[typeSize+i*memberSize:]
		f := found{bits: int64(t.order.Uint32(m[8:])), id: t.order.Uint32(m[4:])}
		if r.bitfield { // the upper eight bits are the width of a bit field
			f.width, f.bits = int(f.bits>>24), f.bits&(1<<24-1)
		}
		switch called := t.name(t.order.Uint32(m)); {
		case called == name:
			return f, true
		case called == "":
			if in, ok := t.member(t.plain(f.id), name, depth-1, left); ok {
				in.bits += f.bits
				return in, true
			}
		}
	}
	return found{}, false
}

// plain takes typedef, const and the like off a type.
func (t *Types) plain(id uint32) uint32 {
	for range maxModifiers {
		r, ok := t.get(id)
		if !ok {
			return 0
		}
		switch r.kind {
		case kindTypedef, kindVolatile, kindConst, kindRestrict, kindTypeTag:
			id = r.word
		default:
			return id
		}
	}
	return 0
}

// describe tells of what a field is.
func (t *Types) describe(id uint32, f *Field) {
	const maxSize = 1 << 30
	for range maxModifiers {
		r, ok := t.get(t.plain(id))
		if !ok {
			return
		}
		switch r.kind {
		case kindArray: // type, type of the index, count
			n := int(t.order.Uint32(r.b[typeSize+8:]) & (1<<24 - 1))
			if f.Count = int(min(int64(f.Count)*int64(n), maxSize)); f.Count == 0 {
				f.Size = 0
				t.element(t.order.Uint32(r.b[typeSize:]), f)
				return
			}
			id = t.order.Uint32(r.b[typeSize:])
			continue
		case kindPointer:
			f.Pointer, f.Size = true, int(min(8*int64(f.Count), maxSize))
			t.element(r.word, f)
		case kindStruct, kindUnion, kindInt, kindEnum, kindEnum64:
			f.Size = int(min(int64(r.word)*int64(f.Count), maxSize))
			t.element(id, f)
		}
		return
	}
}

// element names the structure that a type is, or points to.
func (t *Types) element(id uint32, f *Field) {
	r, ok := t.get(t.plain(id))
	if ok && r.kind == kindPointer {
		f.Pointer = true
		r, ok = t.get(t.plain(r.word))
	}
	if ok && (r.kind == kindStruct || r.kind == kindUnion) {
		f.Struct = t.name(t.order.Uint32(r.b))
	}
}
