package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// coreOf is a core file of one segment at an address.
func coreOf(addr uint64, mem []byte) []byte {
	b := make([]byte, elfHeader+elfProgram)
	copy(b, "\x7fELF\x02\x01")
	o := binary.NativeEndian
	if o.Uint16([]byte{0, 1}) == 1 {
		b[5] = 2
	}
	o.PutUint64(b[32:], elfHeader)
	o.PutUint16(b[54:], elfProgram)
	o.PutUint16(b[56:], 1)
	p := b[elfHeader:]
	o.PutUint32(p, 1)
	o.PutUint64(p[8:], uint64(len(b)))
	o.PutUint64(p[16:], addr)
	o.PutUint64(p[40:], uint64(len(mem)))
	return append(b, mem...)
}

// someCore is one at 0x1000, in which a list of two entries lies; back sets the second's prev.
func someCore(back uint64) []byte {
	o := binary.NativeEndian
	mem := make([]byte, 0x100)
	for at, link := range map[int][2]uint64{0: {0x1020, 0x1040}, 0x20: {0x1040, 0x1000}, 0x40: {0x1000, back}} {
		o.PutUint64(mem[at:], link[0])
		o.PutUint64(mem[at+8:], link[1])
		o.PutUint32(mem[at+16:], uint32(at))
	}
	return coreOf(0x1000, mem)
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
	f.Add(someCore(0x1020))
	f.Add(someCore(0x1000))
	f.Fuzz(func(t *testing.T, core []byte) {
		if m, err := openCore(bytes.NewReader(core)); err == nil {
			n := 0
			m.walk(0x1000, 0, 20, func([]byte, int) { n++ })
			if n > maxWalk {
				t.Error("an endless list")
			}
		}
	})
}
