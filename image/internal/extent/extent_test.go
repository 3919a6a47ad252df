package extent_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"telltale/evidence"
	"telltale/image"
	"telltale/image/imagetest"
	"telltale/image/internal/extent"
)

// TestReadsEveryKind has a disk of one piece of each kind, of 1000 bytes.
func TestReadsEveryKind(t *testing.T) {
	src, parent := bytes.Repeat([]byte{'d'}, 5000), bytes.Repeat([]byte{'u'}, 3500)
	kinds := []extent.Kind{extent.Data, extent.Zero, extent.Packed, extent.Under, extent.Packed, extent.Packed}
	d := &extent.Disk{Name: "x", Bytes: 5900, Unit: 1000, Parent: bytes.NewReader(parent), ParentSize: 3500}
	d.Map = func(off, _ int64) extent.Piece {
		return extent.Piece{Kind: kinds[off/1000], Len: 1000 - off%1000, Src: bytes.NewReader(src), Off: off}
	}
	d.Decode = func(u int64, dst []byte) error {
		for i := range dst {
			dst[i] = 'p'
		}
		return nil
	}
	want := append(append(bytes.Repeat([]byte{'d'}, 1000), make([]byte, 1000)...), bytes.Repeat([]byte{'p'}, 1000)...)
	want = append(append(append(want, bytes.Repeat([]byte{'u'}, 500)...), make([]byte, 500)...), bytes.Repeat([]byte{'p'}, 1900)...)
	imagetest.Compare(t, d, want)
}

func TestDamageHasItsPlace(t *testing.T) {
	d := &extent.Disk{Name: "x", Bytes: 3000, Unit: 1000}
	d.Map = func(off, n int64) extent.Piece {
		if off >= 2000 {
			return extent.Piece{Kind: extent.Lost, Len: 3000 - off, Why: "gone"}
		}
		return extent.Piece{Kind: extent.Packed, Len: 2000 - off}
	}
	d.Decode = func(u int64, dst []byte) error {
		if u == 1 {
			return errors.New("broken")
		}
		return nil
	}
	out, lost := imagetest.Salvage(t, d)
	if len(lost) != 2 || lost[0].Ref != (evidence.Ref{Path: "x", Off: 1000, Len: 1000}) || lost[1].Reason != "gone" {
		t.Fatalf("%+v", lost)
	}
	if !bytes.Equal(out[:1000], make([]byte, 1000)) || out[1000] != '?' {
		t.Error("wrong bytes")
	}
	if n, err := d.ReadAt(make([]byte, 2), 1500); n != 0 || !errors.As(err, new(*evidence.Damage)) {
		t.Errorf("%d, %v", n, err)
	}
}

func TestBytesChecksBeforeItAllocates(t *testing.T) {
	f := image.File{ReaderAt: bytes.NewReader(make([]byte, 10)), Size: 10}
	for _, c := range [][2]int64{{0, 11}, {10, 1}, {-1, 2}, {1 << 62, 1}, {1, -1}, {0, 1 << 62}} {
		if _, err := extent.Bytes(f, c[0], c[1], 1<<62, "table"); err == nil {
			t.Errorf("%d bytes at %d were read", c[1], c[0])
		}
	}
	if b, err := extent.Bytes(f, 4, 6, 6, "table"); len(b) != 6 || err != nil {
		t.Errorf("%d, %v", len(b), err)
	}
	f.Size = 20 // the file is shorter than it is said to be
	if _, err := extent.Bytes(f, 4, 10, 10, "table"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestNamesStayBeside(t *testing.T) {
	f := imagetest.Mem(map[string][]byte{"b": {1}}, "a")
	for _, n := range []string{"b", "/x/b", `C:\x\b`, "../b"} {
		if g, err := extent.Beside(f, n); err != nil || g.Size != 1 {
			t.Errorf("%q: %v", n, err)
		}
	}
	for _, n := range []string{"", "..", "x/", "../..", "a\x00b"} {
		if _, err := extent.Beside(f, n); err == nil {
			t.Errorf("%q was opened", n)
		}
	}
}
