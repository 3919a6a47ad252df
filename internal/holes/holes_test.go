package holes_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"telltale/internal/holes"
)

func TestNextSkipsHoles(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size, at = 1 << 40, 3 << 30
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("data"), at); err != nil {
		t.Fatal(err)
	}
	h := holes.NewFile(f, size)
	if n := h.Next(0); n > at || n < at-1<<20 {
		t.Skipf("this filesystem tells no holes: %d", n)
	}
	s := holes.NewSection(h, 1<<30, 1<<39)
	for name, tc := range map[string][2]int64{"before": {holes.Next(h, 5), at}, "in the section": {holes.Next(s, 0), at - 1<<30}, "in data": {holes.Next(h, at+1), at + 1}} {
		if d := tc[1] - tc[0]; d < 0 || d > 1<<20 {
			t.Errorf("%s: %d, want %d or a little before", name, tc[0], tc[1])
		}
	}
	if n := holes.Next(h, at+1<<20); n != size {
		t.Errorf("behind all data: %d", n)
	}
	if n := holes.Next(s, at+1<<20-1<<30); n != 1<<39 {
		t.Errorf("behind all data, in the section: %d", n)
	}
	if b := make([]byte, 4); true {
		if _, err := s.ReadAt(b, at-1<<30); err != nil || string(b) != "data" {
			t.Errorf("%q, %v", b, err)
		}
	}
	if n := holes.Next(bytes.NewReader(nil), 7); n != 7 {
		t.Errorf("a source that cannot tell: %d", n)
	}
}

func TestWriterLeavesHoles(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := append(append([]byte("first"), make([]byte, 300<<10)...), "last"...)
	want = append(want, make([]byte, 70<<10)...)
	w := holes.NewWriter(f)
	for p := want; len(p) > 0; p = p[min(len(p), 100_000):] {
		if n, err := w.Write(p[:min(len(p), 100_000)]); err != nil || n != min(len(p), 100_000) {
			t.Fatal(n, err)
		}
	}
	if err := w.Finish(); err != nil || w.Size() != int64(len(want)) {
		t.Fatal(w.Size(), err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	f.Close()
	if _, err := w.Write([]byte("x")); err == nil || w.Finish() == nil {
		t.Error("a file that cannot be written was written")
	}
}
