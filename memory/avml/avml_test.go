package avml

import (
	"bytes"
	"testing"

	"telltale/memory/memorytest"
)

func TestReads(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		d := memorytest.Open(t, Format(), memorytest.AVML(t, memorytest.Pieces(), exclusive))
		memorytest.Compare(t, d, memorytest.Pieces())
		if len(d.Facts().Damage) != 0 || len(d.Ranges()) != 2 {
			t.Error(d.Facts(), d.Ranges())
		}
	}
}

func TestCut(t *testing.T) {
	b := memorytest.AVML(t, memorytest.Pieces(), false)
	d := memorytest.Open(t, Format(), b[:len(b)-20])
	memorytest.Compare(t, d, memorytest.Pieces()[:1])
	if len(d.Facts().Damage) == 0 {
		t.Error("nothing is said of the end")
	}
}

// TestDamagedChunk: one chunk that cannot be unpacked does not hide the others.
func TestDamagedChunk(t *testing.T) {
	b := memorytest.AVML(t, memorytest.Pieces(), false)
	d := memorytest.Open(t, Format(), b)
	off := d.Where(0x1000)
	copy(b[off+3:], bytes.Repeat([]byte{0xff}, 40))
	if _, err := d.ReadPhys(make([]byte, 10), 0x1000); err == nil {
		t.Error("it was unpacked")
	}
	memorytest.Compare(t, d, memorytest.Pieces()[1:])
}

func FuzzOpen(f *testing.F) {
	b := memorytest.AVML(f, memorytest.Pieces(), false)
	memorytest.Fuzz(f, Format(), b, b[:200])
}
