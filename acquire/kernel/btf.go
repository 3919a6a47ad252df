package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"telltale/internal/bin"
)

// Sizes and kinds of Documentation/bpf/btf.rst.
const (
	btfMagic      = 0xeB9F
	btfHeaderSize = 24
	btfTypeSize   = 12 // sizeof(struct btf_type)
	btfMemberSize = 12 // sizeof(struct btf_member)
	kindStruct    = 4
	kindUnion     = 5
	maxTypes      = 4 << 20
	maxAnonymous  = 8 // structures without a name within each other
)

var errBTF = errors.New("not formed as BTF")

// btfTail gives how many bytes follow a type of a kind, per entry and in all.
func btfTail(kind, entries int) (int, bool) {
	switch kind {
	case 1, 14, 17: // INT, VAR, DECL_TAG
		return 4, true
	case 3: // ARRAY
		return 12, true
	case kindStruct, kindUnion, 15, 19: // DATASEC, ENUM64
		return 12 * entries, true
	case 6, 13: // ENUM, FUNC_PROTO
		return 8 * entries, true
	case 2, 7, 8, 9, 10, 11, 12, 16, 18: // PTR, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FLOAT, TYPE_TAG
		return 0, true
	}
	return 0, false
}

// btf is the kernel's description of its own types.
type btf struct {
	order   binary.ByteOrder
	types   []byte
	strings []byte
	at      []int // where each type lies in types; number 0 is void
}

func parseBTF(b []byte) (*btf, error) {
	t := &btf{order: binary.NativeEndian}
	c := bin.Little(b)
	if t.order.Uint16([]byte{0, 1}) == 1 {
		c = bin.Big(b)
	}
	magic, _, _, head := c.U16(), c.U8(), c.U8(), uint64(c.U32())
	typeOff, typeLen, strOff, strLen := uint64(c.U32()), uint64(c.U32()), uint64(c.U32()), uint64(c.U32())
	n := uint64(len(b))
	if c.Err() != nil || magic != btfMagic || head < btfHeaderSize || head+typeOff+typeLen > n || head+strOff+strLen > n {
		return nil, errBTF
	}
	t.types, t.strings = b[head+typeOff:head+typeOff+typeLen], b[head+strOff:head+strOff+strLen]
	t.at = append(t.at, -1)
	for off := 0; off+btfTypeSize <= len(t.types); {
		info := t.order.Uint32(t.types[off+4:])
		tail, known := btfTail(int(info>>24&0x1f), int(info&0xffff))
		if !known || off+btfTypeSize+tail > len(t.types) || len(t.at) > maxTypes {
			return nil, fmt.Errorf("type %d: %w", len(t.at), errBTF)
		}
		t.at = append(t.at, off)
		off += btfTypeSize + tail
	}
	return t, nil
}

func (t *btf) name(off uint32) string {
	if uint64(off) >= uint64(len(t.strings)) {
		return ""
	}
	return string(bin.Little(t.strings[off:]).CString(min(256, len(t.strings)-int(off))))
}

// offsets gives where members lie in a structure, in bytes. All must be there.
func (t *btf) offsets(structure string, members ...string) (map[string]int, error) {
	for i := 1; i < len(t.at); i++ {
		off := t.at[i]
		if t.order.Uint32(t.types[off+4:])>>24&0x1f != kindStruct || t.name(t.order.Uint32(t.types[off:])) != structure {
			continue
		}
		found := map[string]int{}
		t.members(uint32(i), 0, maxAnonymous, found)
		for _, m := range members {
			if _, ok := found[m]; !ok {
				return nil, fmt.Errorf("struct %s has no member %s", structure, m)
			}
		}
		return found, nil
	}
	return nil, fmt.Errorf("no struct %s is described", structure)
}

// members collects those of a structure and of the ones without a name within it.
func (t *btf) members(id uint32, base, depth int, found map[string]int) {
	if depth == 0 || uint64(id) >= uint64(len(t.at)) || id == 0 {
		return
	}
	off := t.at[id]
	info := t.order.Uint32(t.types[off+4:])
	if kind := info >> 24 & 0x1f; kind != kindStruct && kind != kindUnion {
		return
	}
	for i := range int(info & 0xffff) {
		m := t.types[off+btfTypeSize+i*btfMemberSize:]
		bits := t.order.Uint32(m[8:])
		if info>>31 == 1 { // the upper eight bits are the width of a bit field
			bits &= 1<<24 - 1
		}
		name := t.name(t.order.Uint32(m))
		if name == "" {
			t.members(t.order.Uint32(m[4:]), base+int(bits/8), depth-1, found)
		} else {
			found[name] = base + int(bits/8)
		}
	}
}
