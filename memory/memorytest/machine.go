package memorytest

import (
	"encoding/binary"
	"fmt"

	"telltale/internal/btf"
)

// Where things lie in Machine, physical; and the kernel's own address of the first byte.
const (
	MachineSize = 1 << 20
	MachineNote = 0x8000
	MachineTask = 0x10000 // and the others 0x1000 apart
	MachineBTF  = 0x40000
	MachineVA   = 0xffffffff81000000
)

// typesOf writes a description of types: each structure's members are numbers of eight bytes, but for those named otherwise.
type typesOf struct {
	types, names []byte
	count        uint32
}

func (b *typesOf) name(s string) uint32 {
	if s == "" {
		return 0
	}
	at := uint32(len(b.names))
	b.names = append(append(b.names, s...), 0)
	return at
}

func (b *typesOf) put(v ...uint32) uint32 {
	for _, x := range v {
		b.types = binary.LittleEndian.AppendUint32(b.types, x)
	}
	b.count++
	return b.count
}

type memberOf struct {
	name string
	id   uint32
	off  uint32 // bytes
}

func (b *typesOf) structure(name string, size uint32, ms ...memberOf) uint32 {
	v := []uint32{b.name(name), 4<<24 | uint32(len(ms)), size}
	for _, m := range ms {
		v = append(v, b.name(m.name), m.id, m.off*8)
	}
	return b.put(v...)
}

func (b *typesOf) bytes(size int) []byte {
	b.names = append(b.names, make([]byte, max(0, size-len(b.types)-len(b.names)))...)
	out := []byte{btf.Magic & 0xff, btf.Magic >> 8, 1, 0}
	for _, v := range []int{btf.HeaderSize, 0, len(b.types), len(b.types), len(b.names)} {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return append(append(out, b.types...), b.names...)
}

func machineTypes() []byte {
	b := &typesOf{names: []byte{0}}
	u64 := b.put(b.name("long"), 1<<24, 8, 64)
	u32 := b.put(b.name("int"), 1<<24, 4, 32)
	char := b.put(b.name("char"), 1<<24, 1, 8)
	comm := b.put(0, 3<<24, 0, char, u32, 16)
	link := b.structure("list_head", 16, memberOf{"next", u64, 0}, memberOf{"prev", u64, 8})
	pointer := b.put(0, 2<<24, b.count+2)
	b.structure("task_struct", 256, memberOf{"pid", u32, 0}, memberOf{"tgid", u32, 4}, memberOf{"tasks", link, 8}, memberOf{"group_leader", pointer, 32}, memberOf{"real_parent", pointer, 40}, memberOf{"comm", comm, 48}, memberOf{"flags", u32, 64})
	return b.bytes(260 << 10)
}

// Machine gives the memory of a machine that is small enough to stand in a test: a kernel with as much as is needed to find two processes, and
// the first task.
func Machine() []byte {
	m := make([]byte, MachineSize)
	put := func(at int, v uint64) { binary.LittleEndian.PutUint64(m[at:], v) }
	va := func(at int) uint64 { return MachineVA + uint64(at) }
	put(0x1000+511*8, 0x2000|1)
	put(0x2000+510*8, 0x3000|1)
	put(0x3000+8*8, 0|1|1<<7)
	copy(m[MachineNote:], fmt.Sprintf("OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%x\nSYMBOL(swapper_pg_dir)=%x\nNUMBER(phys_base)=%d\nA=1\nB=2\nC=3\nD=4\nE=5\nF=6\n", va(0x100), va(0x1000), -0x1000000))
	names := []string{"swapper/0", "init", "[kworker/9:9]"}
	for i, n := range names {
		at := MachineTask + i*0x1000
		binary.LittleEndian.PutUint32(m[at:], uint32(i*41))
		binary.LittleEndian.PutUint32(m[at+4:], uint32(i*41))
		put(at+8, va(MachineTask+(i+1)%3*0x1000+8))
		put(at+16, va(MachineTask+(i+2)%3*0x1000+8))
		put(at+32, va(at))
		put(at+40, va(MachineTask))
		copy(m[at+48:], n)
	}
	copy(m[MachineBTF:], machineTypes())
	return m
}
