package iso9660_test

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
	"telltale/filesystem/fstest"
	"telltale/filesystem/iso9660"
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

func openSample(t testing.TB, raw []byte) *iso9660.FS {
	t.Helper()
	f, err := iso9660.Open(bytes.NewReader(raw), int64(len(raw)))
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

func TestProbe(t *testing.T) {
	raw := unpack(t, "testdata/rock.img.gz")
	probe := iso9660.Format().Probe
	for name, head := range map[string][]byte{"nothing": nil, "short": raw[:32770], "zeros": make([]byte, 128<<10)} {
		if probe(head) {
			t.Errorf("%s was taken for a filesystem", name)
		}
	}
	entry := func(lba, blocks uint32) []byte {
		b := bytes.Clone(raw)
		b[446+4] = 0x83
		binary.LittleEndian.PutUint32(b[446+8:], lba)
		binary.LittleEndian.PutUint32(b[446+12:], blocks)
		b[510], b[511] = 0x55, 0xaa
		return b
	}
	if !probe(raw) || !probe(entry(0, 1000)) || !probe(entry(64, 1000)) {
		t.Error("an image was not recognised")
	}
	if probe(entry(2048, 1000)) {
		t.Error("a disk that once held an image was taken for it")
	}
}

// Two records of one file: the first says that it goes on in the next.
func TestAFileOfSeveralRecords(t *testing.T) {
	raw := unpack(t, "testdata/plain.img.gz")
	at := bytes.Index(raw, []byte("WORDS.TXT;1")) - 33
	next := at + int(raw[at])
	if raw[next] == 0 {
		next = (next/2048 + 1) * 2048
	}
	raw[at+25] |= 0x80
	f := openSample(t, raw)
	first, second := binary.LittleEndian.Uint32(raw[at+10:]), binary.LittleEndian.Uint32(raw[next+10:])
	m, err := f.Stat(filesystem.Inode(at))
	if err != nil || m.Size != int64(first)+int64(second) || second == 0 {
		t.Fatalf("%d bytes of %d and %d: %v", m.Size, first, second, err)
	}
	b := make([]byte, m.Size)
	if n, err := f.ReadAt(filesystem.Inode(at), b, 0); int64(n) != m.Size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if x := int64(binary.LittleEndian.Uint32(raw[next+2:])) * 2048; !bytes.Equal(b[first:], raw[x:x+int64(second)]) {
		t.Error("the second part differs")
	}
}

func TestZisofsIsRefusedByName(t *testing.T) {
	raw := unpack(t, "testdata/rock.img.gz")
	at := bytes.Index(raw, []byte("WORDS.TXT;1")) - 33
	tf := bytes.Index(raw[at:], []byte("TF")) + at
	raw[tf], raw[tf+1] = 'Z', 'F'
	f := openSample(t, raw)
	if _, err := f.ReadAt(filesystem.Inode(at), make([]byte, 10), 0); !errors.Is(err, filesystem.ErrNotSupported) || !strings.Contains(err.Error(), "zisofs") {
		t.Errorf("got %v", err)
	}
}

func TestATruncatedImageIsReadAsFarAsItGoes(t *testing.T) {
	raw := unpack(t, "testdata/rock.img.gz")
	for size := 0; size < len(raw)-310*1024; size += len(raw)/40 + 1 {
		f, err := iso9660.Open(bytes.NewReader(raw[:size]), int64(size))
		if err != nil {
			continue
		}
		if out := fstest.ReadTree(f); len(out.Errs) == 0 || len(f.Info().Notes) == 0 {
			t.Errorf("of %d bytes: %d names, no fault or no note", size, len(out.Nodes))
		}
	}
}

func TestInodesThatThereAreNot(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/rock.img.gz"))
	for _, n := range []filesystem.Inode{0, 1 << 31, 1 << 47, 1<<64 - 1, 40000} {
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
	f := openSample(t, unpack(t, "testdata/both.img.gz"))
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
		fstest.Mutants(t, unpack(t, path), 60, func(raw []byte) (filesystem.FS, error) { return iso9660.Open(bytes.NewReader(raw), int64(len(raw))) })
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
		fstest.Endure(t, func() (filesystem.FS, error) { return iso9660.Open(bytes.NewReader(raw), int64(len(raw))) }, int64(len(raw)))
	})
}

func BenchmarkRead(b *testing.B) {
	raw := unpack(b, "testdata/rock.img.gz")
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
