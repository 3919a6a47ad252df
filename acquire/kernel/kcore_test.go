package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"
)

// someBTF describes struct task_struct { int a; struct { struct list_head tasks; }; char comm[16]; } in few types.
func someBTF() []byte {
	names := []byte("\x00task_struct\x00tgid\x00tasks\x00comm\x00")
	at := func(s string) uint32 { return uint32(bytes.Index(names, []byte("\x00"+s+"\x00")) + 1) }
	var types []byte
	put := func(v ...uint32) {
		for _, x := range v {
			types = binary.NativeEndian.AppendUint32(types, x)
		}
	}
	put(0, 1<<24, 4, 32)                            // 1: INT
	put(0, kindStruct<<24|1, 16, at("tasks"), 1, 0) // 2: a structure without a name
	put(at("task_struct"), kindStruct<<24|3, 40, at("tgid"), 1, 0, 0, 2, 64, at("comm"), 1, 24*8)
	b := binary.NativeEndian.AppendUint16(nil, btfMagic)
	b = append(b, 1, 0)
	for _, v := range []int{btfHeaderSize, 0, len(types), len(types), len(names)} {
		b = binary.NativeEndian.AppendUint32(b, uint32(v))
	}
	return append(append(b, types...), names...)
}

func TestOffsetsOfMembers(t *testing.T) {
	types, err := parseBTF(someBTF())
	if err != nil {
		t.Fatal(err)
	}
	o, err := types.offsets("task_struct", "tgid", "tasks", "comm")
	if err != nil || o["tgid"] != 0 || o["tasks"] != 8 || o["comm"] != 24 {
		t.Errorf("%v %v", o, err)
	}
	if _, err := types.offsets("task_struct", "none"); err == nil {
		t.Error("a member that is not there")
	}
	if _, err := types.offsets("none"); err == nil {
		t.Error("a structure that is not there")
	}
	if b, err := os.ReadFile("/sys/kernel/btf/vmlinux"); err == nil {
		types, err := parseBTF(b)
		if err != nil {
			t.Fatal(err)
		}
		o, err := types.offsets("task_struct", "tasks", "tgid", "comm")
		t.Log(o["tasks"], o["tgid"], o["comm"], err)
		if err != nil {
			t.Error(err)
		}
	}
}

// someCore is a core file of one segment at 0x1000, in which a list of two entries lies; back sets the second's prev.
func someCore(back uint64) []byte {
	b := make([]byte, elfHeader+elfProgram)
	copy(b, "\x7fELF\x02\x01")
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		b[5] = 2
	}
	o := binary.NativeEndian
	o.PutUint64(b[32:], elfHeader)
	o.PutUint16(b[54:], elfProgram)
	o.PutUint16(b[56:], 1)
	p := b[elfHeader:]
	o.PutUint32(p, 1)
	o.PutUint64(p[8:], uint64(len(b)))
	o.PutUint64(p[16:], 0x1000)
	o.PutUint64(p[40:], 0x100)
	mem := make([]byte, 0x100)
	for at, link := range map[int][2]uint64{0: {0x1020, 0x1040}, 0x20: {0x1040, 0x1000}, 0x40: {0x1000, back}} {
		o.PutUint64(mem[at:], link[0])
		o.PutUint64(mem[at+8:], link[1])
		o.PutUint32(mem[at+16:], uint32(at))
	}
	return append(b, mem...)
}

func TestAListInMemory(t *testing.T) {
	m, err := openCore(bytes.NewReader(someCore(0x1020)))
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	if err := m.walk(0x1000, 0, 20, func(e []byte, at int) { got = append(got, m.order.Uint32(e[at+16:])) }); err != nil || !slices.Equal(got, []uint32{0x20, 0x40}) {
		t.Errorf("%v %v", got, err)
	}
	if m, err = openCore(bytes.NewReader(someCore(0x1000))); err != nil {
		t.Fatal(err)
	}
	if err := m.walk(0x1000, 0, 20, func([]byte, int) {}); !errors.Is(err, errMoved) {
		t.Error(err)
	}
	if err := m.walk(0x5000, 0, 20, func([]byte, int) {}); err == nil {
		t.Error("an address in no segment was read")
	}
}

func FuzzMemory(f *testing.F) {
	f.Add(someCore(0x1020), someBTF())
	f.Add(someCore(0x1000), someBTF()[:60])
	f.Fuzz(func(t *testing.T, core, description []byte) {
		if types, err := parseBTF(description); err == nil {
			types.offsets("task_struct", "tgid")
		}
		if m, err := openCore(bytes.NewReader(core)); err == nil {
			n := 0
			m.walk(0x1000, 0, 20, func([]byte, int) { n++ })
			if n > maxWalk {
				t.Error("an endless list")
			}
		}
	})
}
