package ewf_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"telltale/image"
	"telltale/image/ewf"
)

type segmentBuffer struct{ *bytes.Buffer }

func (segmentBuffer) Close() error { return nil }

// A segment whose end was never written gives all chunks before the cut.
func TestCutSegmentGivesWhatIsThere(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	disk := make([]byte, 3<<20)
	for i := range disk {
		switch {
		case i < 1<<20: // compresses
			disk[i] = byte(i / 1000)
		case i < 2<<20: // does not, and is stored
			disk[i] = byte(rng.Uint32())
		}
	}
	var out bytes.Buffer
	w, err := ewf.NewWriter(func(string) (io.WriteCloser, error) { return segmentBuffer{&out}, nil }, ewf.Options{Name: "cut", Size: int64(len(disk)), Compression: ewf.Fast})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(disk); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, part := range []int{2, 3, 5} {
		raw := out.Bytes()[:out.Len()*(part-1)/part]
		d, err := ewf.Format().Open(context.Background(), image.File{ReaderAt: bytes.NewReader(raw), Size: int64(len(raw)), Name: "cut.E01"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(disk))
		n, err := d.ReadAt(got, 0)
		if err == nil || n < len(disk)/8 || !bytes.Equal(got[:n], disk[:n]) {
			t.Errorf("of %d bytes: %d of the disk, %v", len(raw), n, err)
		}
		t.Logf("%d of %d bytes of the file give %d of %d", len(raw), out.Len(), n, len(disk))
	}
}
