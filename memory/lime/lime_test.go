package lime

import (
	"testing"

	"telltale/memory/memorytest"
)

func TestReads(t *testing.T) {
	b := memorytest.LiME(memorytest.Pieces())
	d := memorytest.Open(t, Format(), b)
	memorytest.Compare(t, d, memorytest.Pieces())
	if n := d.Where(0x1001); n != headerSize+1 {
		t.Error(n)
	}
	if len(d.Facts().Damage) != 0 {
		t.Error(d.Facts())
	}
}

// TestCut: what is there of a dump that ends early is read, and the rest is told.
func TestCut(t *testing.T) {
	b := memorytest.LiME(memorytest.Pieces())
	d := memorytest.Open(t, Format(), b[:len(b)-100])
	if len(d.Facts().Damage) != 1 {
		t.Error(d.Facts())
	}
	if n, err := d.ReadPhys(make([]byte, 8192), 4<<30); n != 8192-100 || err == nil {
		t.Error(n, err)
	}
	d = memorytest.Open(t, Format(), append(b, make([]byte, 64)...))
	if len(d.Facts().Damage) != 1 {
		t.Error("zeros behind the last range were taken for one")
	}
}

func FuzzOpen(f *testing.F) {
	b := memorytest.LiME(memorytest.Pieces())
	memorytest.Fuzz(f, Format(), b, b[:100])
}
