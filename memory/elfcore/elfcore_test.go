package elfcore

import (
	"encoding/binary"
	"testing"

	"telltale/memory/memorytest"
)

// encode writes a core file: notes, then the pieces, the second of which is there twice.
func encode(ps []memorytest.Piece) []byte {
	le := binary.LittleEndian
	note := func(name string, desc []byte) (b []byte) {
		b = le.AppendUint32(b, uint32(len(name)+1))
		b = le.AppendUint32(b, uint32(len(desc)))
		b = append(le.AppendUint32(b, 0), name...)
		b = append(b, make([]byte, 4-len(name)%4)...)
		b = append(b, desc...)
		return append(b, make([]byte, -len(desc)&3)...)
	}
	cpu := make([]byte, qemuSize+8)
	le.PutUint64(cpu[qemuCR3:], 0x1234000)
	notes := append(note("CORE", make([]byte, 5)), append(note("QEMU", cpu), note("VMCOREINFO", []byte("OSRELEASE=6.1\n"))...)...)
	ps = append(ps, ps[1])
	b := make([]byte, headerSize+programSize*(len(ps)+1))
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], typeCore)
	le.PutUint64(b[32:], headerSize)
	le.PutUint16(b[54:], programSize)
	le.PutUint16(b[56:], uint16(len(ps)+1))
	put := func(i int, kind uint32, addr uint64, body []byte) {
		p := b[headerSize+programSize*i:]
		le.PutUint32(p, kind)
		le.PutUint64(p[8:], uint64(len(b)))
		le.PutUint64(p[24:], addr)
		le.PutUint64(p[32:], uint64(len(body)))
		b = append(b, body...)
	}
	put(0, note0, 0, notes)
	for i, p := range ps {
		put(i+1, load, p.Start, p.Bytes)
	}
	return b
}

const note0 = note

func TestReads(t *testing.T) {
	d := memorytest.Open(t, Format(), encode(memorytest.Pieces()))
	memorytest.Compare(t, d, memorytest.Pieces())
	f := d.Facts()
	if len(f.Roots) != 1 || f.Roots[0] != 0x1234000 || string(f.VMCoreInfo) != "OSRELEASE=6.1\n" || len(f.Damage) != 0 || len(d.Ranges()) != 2 {
		t.Errorf("%+v %v", f, d.Ranges())
	}
}

func TestCut(t *testing.T) {
	b := encode(memorytest.Pieces())
	d := memorytest.Open(t, Format(), b[:len(b)-2*8192])
	memorytest.Compare(t, d, memorytest.Pieces()[:1])
	if len(d.Facts().Damage) != 1 {
		t.Error(d.Facts())
	}
}

func FuzzOpen(f *testing.F) {
	b := encode(memorytest.Pieces())
	memorytest.Fuzz(f, Format(), b, b[:200])
}
