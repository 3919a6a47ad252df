// Package memorytest holds what the tests of the memory family share: memory worth dumping, and the comparison that every member must pass.
package memorytest

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"telltale/internal/limit"
	"telltale/memory"
)

// Piece is memory from an address on.
type Piece struct {
	Start uint64
	Bytes []byte
}

// Pieces gives memory with a hole in it: three pages from 0x1000 on, two from 4 GiB on.
func Pieces() []Piece {
	a, b := bytes.Repeat([]byte("memory that was dumped, with words in it. "), 293), make([]byte, 2*memory.PageSize)
	for i := range b {
		b[i] = byte(uint32(i) * 2654435761 >> 13)
	}
	return []Piece{{0x1000, a[:3*memory.PageSize]}, {4 << 30, b}}
}

// Open opens a dump that is in memory.
func Open(t testing.TB, f memory.Format, b []byte) memory.Dump {
	t.Helper()
	if f.Name != "raw" && !f.Probe(b[:min(len(b), 128<<10)]) {
		t.Fatalf("%s does not know it", f.Name)
	}
	d, err := f.Open(t.Context(), bytes.NewReader(b), int64(len(b)), limit.New(limit.Memory))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// LiME writes memory in the LiME format.
func LiME(ps []Piece) (b []byte) {
	for _, p := range ps {
		b = binary.LittleEndian.AppendUint64(b, 0x14C694D45) // magic, version
		b = binary.LittleEndian.AppendUint64(b, p.Start)
		b = binary.LittleEndian.AppendUint64(b, p.Start+uint64(len(p.Bytes))-1)
		b = append(append(b, make([]byte, 8)...), p.Bytes...)
	}
	return b
}

// AVML writes memory in the second version of AVML's format. Its writers differ in what they give as a block's end: the last byte's address,
// or, exclusive, the one behind.
func AVML(t testing.TB, ps []Piece, exclusive bool) (out []byte) {
	t.Helper()
	for _, p := range ps {
		end := p.Start + uint64(len(p.Bytes))
		if !exclusive {
			end--
		}
		out = binary.LittleEndian.AppendUint64(out, 0x24C4D5641) // magic, version
		out = binary.LittleEndian.AppendUint64(out, p.Start)
		out = append(binary.LittleEndian.AppendUint64(out, end), make([]byte, 8)...)
		var z bytes.Buffer
		w := snappy.NewBufferedWriter(&z)
		for i, b := 0, p.Bytes; len(b) > 0; i, b = i+1, b[memory.PageSize:] {
			if _, err := w.Write(b[:memory.PageSize]); err != nil {
				t.Fatal(err)
			}
			if i == 1 { // a chunk that is not full
				w.Flush()
			}
		}
		w.Close()
		out = binary.LittleEndian.AppendUint64(append(out, z.Bytes()...), uint64(z.Len()))
	}
	return out
}

// Compare holds a dump against the memory that it must have.
func Compare(t testing.TB, d memory.Dump, want []Piece) {
	t.Helper()
	for _, w := range want {
		for _, at := range []int{0, 1, memory.PageSize - 3, len(w.Bytes) - 5} {
			p := make([]byte, min(memory.PageSize+7, len(w.Bytes)-at))
			if n, err := d.ReadPhys(p, w.Start+uint64(at)); n != len(p) || err != nil || !bytes.Equal(p, w.Bytes[at:at+n]) {
				t.Errorf("read %d at %#x: %d, %v", len(p), w.Start+uint64(at), n, err)
			}
			if d.Where(w.Start+uint64(at)) < 0 {
				t.Errorf("%#x is nowhere", w.Start+uint64(at))
			}
		}
	}
	if n, err := d.ReadPhys(make([]byte, 8), 2<<30); n != 0 || err == nil {
		t.Errorf("the hole was read: %d, %v", n, err)
	}
	if d.Where(2<<30) != -1 {
		t.Error("the hole is somewhere")
	}
}

// Fuzz reads damaged dumps.
func Fuzz(f *testing.F, format memory.Format, samples ...[]byte) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		began := time.Now()
		format.Probe(b)
		d, err := format.Open(context.Background(), bytes.NewReader(b), int64(len(b)), limit.New(16<<20))
		if err != nil {
			return
		}
		last := uint64(0)
		for i, r := range d.Ranges() {
			if r.Start < last || r.Size == 0 {
				t.Fatalf("range %+v behind %#x", r, last)
			}
			last = r.Start + r.Size
			if i < 64 {
				p := make([]byte, 5000)
				for _, at := range []uint64{r.Start, last - 1, r.Start + r.Size/2} {
					if n, err := d.ReadPhys(p, at); n < 0 || n > len(p) || n < len(p) && err == nil || err == io.ErrShortBuffer {
						t.Fatalf("read at %#x: %d, %v", at, n, err)
					}
					if w := d.Where(at); w < -1 {
						t.Fatalf("%#x at %d", at, w)
					}
				}
			}
		}
		d.Facts()
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
