package carve_test

import (
	"encoding/binary"
	"testing"

	"telltale/internal/carve"
)

// entry gives the head of a journal's entry.
func entry(size, real, mono uint64) []byte {
	b := make([]byte, 64)
	b[0] = 3
	for i, v := range []uint64{size, 7, real, mono, 1, 2} {
		binary.LittleEndian.PutUint64(b[8+i*8:], v)
	}
	return b
}

func TestJournalsAreTold(t *testing.T) {
	const now = 1772445600_000000
	data := make([]byte, 9<<20)
	want := map[int64]carve.Form{}
	for _, at := range []int{4096, 4<<20 - 8, 8<<20 - 64, 8 << 20, len(data) - 64} { // at the edges of windows
		copy(data[at:], entry(80, now, 5))
		want[int64(at)] = carve.JournalEntry
	}
	copy(data[512:], "LPKSHHRH")
	want[512] = carve.JournalFile
	for i, b := range [][]byte{entry(60, now, 5), entry(81, now, 5), entry(80, 5, 1), entry(80, now, now+1), entry(2<<20, now, 5)} { // what is none
		copy(data[1<<20+i*128:], b)
	}
	copy(data[2<<20+4:], entry(80, now, 5))
	copy(data[len(data)-128:], "LPKSHHRH") // no room for a header
	for _, p := range scan(t, data) {
		if want[p.Off] != p.Form || p.In.Len != int64(len(data)) {
			t.Errorf("%v at %d in %v", p.Form, p.Off, p.In)
		}
		delete(want, p.Off)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
}
