package kernel

import (
	"encoding/binary"

	"telltale/internal/bin"
)

var le = binary.LittleEndian

// maxText bounds a text of the kernel that is read whole, bytes.
const maxText = 4096

// object is a structure of the kernel: the name of its type, and where it lies. What cannot be read is zero, and counted in Kernel.lost; a
// member that the kernel does not describe is zero, too, and noted in Kernel.missing.
type object struct {
	k    *Kernel
	typ  string
	addr uint64
}

func (k *Kernel) object(typ string, addr uint64) object { return object{k, typ, addr} }

// there tells whether it leads anywhere.
func (o object) there() bool { return o.addr >= highHalf }

func (o object) field(path string) (field, bool) {
	key := o.typ + "." + path
	f, ok := o.k.fields[key]
	if !ok {
		x, err := o.k.types.Field(o.typ, path)
		f = field{x, err == nil}
		o.k.fields[key] = f
	}
	return f, f.ok
}

// need gives a member that should be there.
func (o object) need(path string) (field, bool) {
	f, ok := o.field(path)
	if !ok {
		o.k.missing[o.typ+"."+path] = true
	}
	return f, ok
}

// has tells whether the kernel describes a member.
func (o object) has(path string) bool { _, ok := o.field(path); return ok }

// first gives the first of some names that the kernel describes: members are renamed.
func (o object) first(paths ...string) string {
	for _, p := range paths {
		if o.has(p) {
			return p
		}
	}
	return paths[0]
}

// at gives the address of a member, 0 where there is none.
func (o object) at(path string) uint64 {
	f, ok := o.need(path)
	if !ok || !o.there() {
		return 0
	}
	return o.addr + uint64(f.Off)
}

// uint reads a member that is a number or a pointer.
func (o object) uint(path string) uint64 {
	f, ok := o.need(path)
	if !ok || !o.there() {
		return 0
	}
	size := min(max(f.Size, 1), 8)
	var b [8]byte
	if o.k.read(b[:size], o.addr+uint64(f.Off)) != nil {
		return 0
	}
	v := le.Uint64(b[:])
	if f.Bits > 0 {
		v = v >> f.Shift & (1<<f.Bits - 1)
	}
	return v
}

// u32 reads a member of four bytes; -1 of the kernel is 1<<32-1.
func (o object) u32(path string) uint32 { return uint32(o.uint(path)) }

// in gives a structure within it.
func (o object) in(path string) object {
	f, _ := o.need(path)
	return object{o.k, f.Struct, o.at(path)}
}

// to follows a pointer.
func (o object) to(path string) object {
	f, _ := o.need(path)
	return object{o.k, f.Struct, o.uint(path)}
}

// container gives the structure of a type whose member it is.
func (o object) container(typ, path string) object {
	out := object{o.k, typ, 0}
	if f, ok := out.need(path); ok && o.there() {
		out.addr = o.addr - uint64(f.Off)
	}
	return out
}

// chars reads a member that is an array of characters, up to its first NUL.
func (o object) chars(path string) []byte {
	f, ok := o.need(path)
	if !ok || !o.there() {
		return nil
	}
	b := make([]byte, min(f.Size, maxText))
	if o.k.read(b, o.addr+uint64(f.Off)) != nil {
		return nil
	}
	return bin.Little(b).CString(len(b))
}

// cstring reads a text that ends with NUL at an address of the kernel, as far as it is in the dump.
func (k *Kernel) cstring(addr uint64, max int) []byte {
	b := make([]byte, 0, 64)
	for len(b) < max && addr >= highHalf {
		n := min(64-int(addr%64), max-len(b)) // no further than it must: the next page may not be there
		b = append(b, make([]byte, n)...)
		part := b[len(b)-n:]
		if k.read(part, addr) != nil {
			return b[:len(b)-n]
		}
		if t := bin.Little(part).CString(n); len(t) < n {
			return b[:len(b)-n+len(t)]
		}
		addr += uint64(n)
	}
	return b
}

// size gives the size of a structure, 0 where it is not described.
func (k *Kernel) size(typ string) uint64 {
	n, ok := k.types.Size(typ)
	if !ok {
		k.missing[typ] = true
	}
	return uint64(n)
}
