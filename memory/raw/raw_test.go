package raw

import (
	"bytes"
	"testing"

	"telltale/memory"
	"telltale/memory/memorytest"
)

func TestReads(t *testing.T) {
	p := memorytest.Pieces()[0]
	d := memorytest.Open(t, Format(), append(make([]byte, p.Start), p.Bytes...))
	memorytest.Compare(t, d, []memorytest.Piece{p})
	if d.Where(0x1003) != 0x1003 {
		t.Error(d.Where(0x1003))
	}
}

// TestSniff: the kernel's note counts at the start of a page, and nowhere else: a log may hold its words, too.
func TestSniff(t *testing.T) {
	b := make([]byte, minSize+memory.PageSize)
	for at, want := range map[int]bool{3 << 20: true, 3<<20 + 4: false, minSize: true} {
		clear(b)
		copy(b[at:], "OSRELEASE=6.1.0\nBUILD-ID=00\nPAGESIZE=4096\n")
		if got, err := Sniff(t.Context(), bytes.NewReader(b), int64(len(b))); got != want || err != nil {
			t.Errorf("%#x: %v %v", at, got, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	memorytest.Fuzz(f, Format(), make([]byte, 10000), []byte("x"))
}
