package erofs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/erofs"
	"telltale/filesystem/fstest"
	"telltale/internal/golden"
)

func samples(t testing.TB) []string {
	t.Helper()
	list, err := filepath.Glob("testdata/*.img.gz")
	if err != nil || len(list) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	return list
}

func unpack(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openSample(t testing.TB, raw []byte) *erofs.FS {
	t.Helper()
	f, err := erofs.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSamples(t *testing.T) {
	for _, path := range samples(t) {
		name := strings.TrimSuffix(path, ".img.gz")
		t.Run(filepath.Base(name), func(t *testing.T) {
			golden.Equal(t, name+".golden", fstest.Describe(openSample(t, unpack(t, path))))
		})
	}
}

func TestRefusals(t *testing.T) {
	raw := unpack(t, "testdata/lz4.img.gz")
	b := bytes.Clone(raw)
	binary.LittleEndian.PutUint32(b[1024+80:], 0x180)
	if _, err := erofs.Open(bytes.NewReader(b), int64(len(b))); !errors.Is(err, filesystem.ErrNotSupported) || !strings.Contains(err.Error(), "48bit metabox") {
		t.Errorf("features: %v", err)
	}
	probe := erofs.Format().Probe
	for name, head := range map[string][]byte{"nothing": nil, "short": raw[:1030], "zeros": make([]byte, 128<<10)} {
		if probe(head) {
			t.Errorf("%s was taken for a filesystem", name)
		}
	}
}

func TestATruncatedImageIsReadAsFarAsItGoes(t *testing.T) {
	raw := unpack(t, "testdata/plain.img.gz")
	for size := 0; size < len(raw); size += len(raw)/40 + 1 {
		f, err := erofs.Open(bytes.NewReader(raw[:size]), int64(size))
		if err != nil {
			continue
		}
		if out := fstest.ReadTree(f); len(out.Errs) == 0 || len(f.Info().Notes) == 0 {
			t.Errorf("of %d bytes: %d names, no fault or no note", size, len(out.Nodes))
		}
	}
}

func TestInodesThatThereAreNot(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/lz4.img.gz"))
	for _, n := range []filesystem.Inode{0, 1 << 31, 1 << 47, 1<<64 - 1, 1037} {
		if m, err := f.Stat(n); err == nil {
			t.Errorf("inode %d: %+v", n, m)
		}
		for _, err := range f.ReadDir(n) {
			if err == nil {
				t.Errorf("directory inode %d", n)
			}
		}
	}
}

func TestConcurrentReaders(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/lz4-16k.img.gz"))
	want := fstest.ReadTree(f)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := fstest.ReadTree(f)
			for p, n := range want.Nodes {
				if g := got.Nodes[p]; g.Sum != n.Sum || g.Meta != n.Meta {
					t.Errorf("%q differs", p)
				}
			}
		})
	}
	wg.Wait()
}

func TestMutants(t *testing.T) {
	for _, path := range samples(t) {
		fstest.Mutants(t, unpack(t, path), 60, func(raw []byte) (filesystem.FS, error) { return erofs.Open(bytes.NewReader(raw), int64(len(raw))) })
	}
}

func FuzzRead(f *testing.F) {
	var images [][]byte
	for i, path := range samples(f) {
		images = append(images, unpack(f, path))
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		raw := fstest.Edited(images[int(which)%len(images)], edits)
		fstest.Endure(t, func() (filesystem.FS, error) { return erofs.Open(bytes.NewReader(raw), int64(len(raw))) }, int64(len(raw)))
	})
}

func BenchmarkRead(b *testing.B) {
	raw := unpack(b, "testdata/lz4.img.gz")
	b.ReportAllocs()
	for b.Loop() {
		out := fstest.ReadTree(openSample(b, raw))
		n := int64(0)
		for _, x := range out.Nodes {
			n += x.Meta.Size
		}
		b.SetBytes(n)
	}
}
