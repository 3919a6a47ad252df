package zchunk_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/klauspost/compress/zlib"

	"telltale/image/imagetest"
	"telltale/image/internal/zchunk"
)

func deflate(t testing.TB, p []byte, level int) []byte {
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(p)
	z.Close()
	return out.Bytes()
}

func TestInflatesWhatWasDeflated(t *testing.T) {
	var x zchunk.Inflater
	for level := zlib.NoCompression; level <= 9; level++ {
		for _, size := range []int{0, 1, 100, 32768, 65536, 300_001} {
			want := imagetest.Content(uint64(size+level), size)
			raw := append(deflate(t, want, level), "what follows"...)
			got := make([]byte, size)
			if err := x.Inflate(raw, got, int64(size)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("level %d, %d bytes: %v", level, size, err)
			}
			if size == 0 {
				continue
			}
			if err := x.Inflate(raw, got[:size-1], int64(size)); err != nil || !bytes.Equal(got[:size-1], want[:size-1]) {
				t.Errorf("level %d, one byte less than %d: %v", level, size, err)
			}
			if err := x.Inflate(raw, got[:size-1], int64(size-1)); err == nil {
				t.Errorf("level %d: more than %d bytes were taken", level, size-1)
			}
			if err := x.Inflate(raw, make([]byte, size+1), int64(size+1)); err == nil {
				t.Errorf("level %d: %d bytes were taken for one more", level, size)
			}
			if err := x.Inflate(raw[:len(raw)-14], got, int64(size)); err == nil {
				t.Errorf("level %d: a stream without its checksum was taken", level)
			}
			raw[len(raw)-13] ^= 1
			if err := x.Inflate(raw, got, int64(size)); err == nil {
				t.Errorf("level %d: a wrong checksum was taken", level)
			}
		}
	}
}

// FuzzInflate holds it against the library's reader as it is: what one takes, the other takes, with the same bytes.
func FuzzInflate(f *testing.F) {
	for level := zlib.NoCompression; level <= 9; level++ {
		f.Add(deflate(f, imagetest.Content(uint64(level+9), 3000), level), uint16(3000))
	}
	f.Fuzz(func(t *testing.T, raw []byte, size uint16) {
		var x zchunk.Inflater
		got := make([]byte, size)
		err := x.Inflate(raw, got, int64(size))
		want, theirs := []byte(nil), error(nil)
		z, theirs := zlib.NewReader(bytes.NewReader(raw))
		if theirs == nil {
			want, theirs = io.ReadAll(io.LimitReader(z, int64(size)+1))
			if theirs == nil && len(want) != int(size) {
				theirs = fmt.Errorf("%d bytes", len(want))
			}
		}
		if (err == nil) != (theirs == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("ours %v, theirs %v", err, theirs)
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	content := imagetest.Content(8, 8<<20)
	var raw [][]byte
	for p := content; len(p) > 0; p = p[32768:] {
		raw = append(raw, deflate(b, p[:32768], zlib.BestSpeed))
	}
	var x zchunk.Inflater
	dst := make([]byte, 32768)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range raw {
			if err := x.Inflate(r, dst, 32768); err != nil {
				b.Fatal(err)
			}
		}
	}
}
