package avml

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/klauspost/compress/snappy"

	"telltale/memory/memorytest"
)

// encode writes a dump; before is what stands before each stream's end: some writers put chunks without content there.
func encode(t testing.TB, ps []memorytest.Piece, exclusive bool) []byte {
	var out []byte
	for _, p := range ps {
		end := p.Start + uint64(len(p.Bytes))
		if !exclusive {
			end--
		}
		out = binary.LittleEndian.AppendUint32(out, magic)
		out = binary.LittleEndian.AppendUint32(out, version)
		out = binary.LittleEndian.AppendUint64(out, p.Start)
		out = append(binary.LittleEndian.AppendUint64(out, end), make([]byte, 8)...)
		var z bytes.Buffer
		w := snappy.NewBufferedWriter(&z)
		for b := p.Bytes; len(b) > 0; b = b[4096:] {
			if _, err := w.Write(b[:4096]); err != nil {
				t.Fatal(err)
			}
			if len(b)%8192 == 0 {
				w.Flush()
			}
		}
		w.Close()
		out = binary.LittleEndian.AppendUint64(append(out, z.Bytes()...), uint64(z.Len()))
	}
	return out
}

func TestReads(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		d := memorytest.Open(t, Format(), encode(t, memorytest.Pieces(), exclusive))
		memorytest.Compare(t, d, memorytest.Pieces())
		if len(d.Facts().Damage) != 0 || len(d.Ranges()) != 2 {
			t.Error(d.Facts(), d.Ranges())
		}
	}
}

func TestCut(t *testing.T) {
	b := encode(t, memorytest.Pieces(), false)
	d := memorytest.Open(t, Format(), b[:len(b)-2000])
	memorytest.Compare(t, d, memorytest.Pieces()[:1])
	if len(d.Facts().Damage) == 0 {
		t.Error("nothing is said of the end")
	}
}

// TestDamagedChunk: one chunk that cannot be unpacked does not hide the others.
func TestDamagedChunk(t *testing.T) {
	b := encode(t, memorytest.Pieces(), false)
	d := memorytest.Open(t, Format(), b)
	off := d.Where(0x1000)
	copy(b[off+3:], bytes.Repeat([]byte{0xff}, 40))
	if _, err := d.ReadPhys(make([]byte, 10), 0x1000); err == nil {
		t.Error("it was unpacked")
	}
	memorytest.Compare(t, d, memorytest.Pieces()[1:])
}

func FuzzOpen(f *testing.F) {
	b := encode(f, memorytest.Pieces(), false)
	memorytest.Fuzz(f, Format(), b, b[:200])
}
