package raw_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"telltale/image"
	"telltale/image/raw"
)

func TestReadsEndWithTheDisk(t *testing.T) {
	d, err := raw.Format().Open(context.Background(), image.File{ReaderAt: bytes.NewReader([]byte("disk and more")), Size: 4}, nil)
	if err != nil || d.Size() != 4 {
		t.Fatalf("size %d, %v", d.Size(), err)
	}
	p := make([]byte, 8)
	for _, tc := range []struct {
		off  int64
		want string
		err  error
	}{{0, "disk", io.EOF}, {3, "k", io.EOF}, {4, "", io.EOF}, {1 << 62, "", io.EOF}} {
		if n, err := d.ReadAt(p, tc.off); string(p[:n]) != tc.want || err != tc.err {
			t.Errorf("at %d: %q, %v", tc.off, p[:n], err)
		}
	}
	if _, err := raw.Format().Open(context.Background(), image.File{ReaderAt: bytes.NewReader(nil), Size: -1}, nil); err == nil {
		t.Error("a negative size was taken")
	}
}

func FuzzReadAt(f *testing.F) {
	f.Add([]byte("disk"), int64(4), int64(2))
	f.Fuzz(func(t *testing.T, data []byte, size, off int64) {
		d, err := raw.Format().Open(context.Background(), image.File{ReaderAt: bytes.NewReader(data), Size: size}, nil)
		if err != nil {
			return
		}
		p := make([]byte, 16)
		if n, _ := d.ReadAt(p, off); int64(n) > max(0, size-off) {
			t.Fatalf("%d bytes at %d of %d", n, off, size)
		}
	})
}
