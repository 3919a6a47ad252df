package mbr

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/volume"
)

func sample(t testing.TB, path string) []byte {
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
	var b bytes.Buffer
	if _, err := io.Copy(&b, z); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(raw []byte) (volume.Table, error) {
	return Format().Open(bytes.NewReader(raw), int64(len(raw)), nil)
}

func describe(t volume.Table) []byte {
	var b bytes.Buffer
	for _, p := range t.Parts() {
		fmt.Fprintf(&b, "%d %s %q %d+%d\n", p.Index, p.Type, p.Name, p.Off, p.Length)
	}
	for _, n := range t.Notes() {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.Bytes()
}

func TestSamples(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.img.gz")
	for _, path := range paths {
		raw := sample(t, path)
		if !Format().Probe(raw[:4096]) {
			t.Errorf("%s is not recognised", path)
		}
		v, err := read(raw)
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, strings.TrimSuffix(path, ".img.gz")+".golden", describe(v))
	}
}

// setEntry writes an entry of the boot record at off.
func setEntry(raw []byte, off, i int, kind byte, start, count uint32) {
	e := raw[off+tableOffset+i*entrySize:]
	e[0], e[4] = 0, kind
	binary.LittleEndian.PutUint32(e[8:], start)
	binary.LittleEndian.PutUint32(e[12:], count)
	raw[off+510], raw[off+511] = 0x55, 0xaa
}

func TestWhatIsNoTable(t *testing.T) {
	for name, spoil := range map[string]func([]byte){
		"no signature":         func(b []byte) { b[510] = 0 },
		"protective":           func(b []byte) { setEntry(b, 0, 0, typeProtective, 1, 1<<32-1) },
		"hybrid":               func(b []byte) { setEntry(b, 0, 2, typeProtective, 1, 33) },
		"status is code":       func(b []byte) { b[tableOffset] = 0x72 },
		"empty":                func(b []byte) { clear(b[tableOffset:510]) },
		"begins at itself":     func(b []byte) { setEntry(b, 0, 0, 0x83, 0, 100) },
		"FAT boot sector":      func(b []byte) { copy(b[0x36:], "FAT16   ") },
		"FAT32 boot sector":    func(b []byte) { copy(b[0x52:], "FAT32   ") },
		"NTFS boot sector":     func(b []byte) { copy(b[3:], "NTFS    ") },
		"ext4 with boot block": func(b []byte) { b[1024+0x38], b[1024+0x39] = 0x53, 0xef },
	} {
		raw := sample(t, "testdata/logical.img.gz")
		spoil(raw)
		if Format().Probe(raw[:4096]) {
			t.Errorf("%s: taken for a table", name)
		}
		if _, err := read(raw); !errors.Is(err, ErrNoTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, n := range []int{0, 1, 511} {
		if _, err := read(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are a table", n)
		}
	}
}

func TestDamage(t *testing.T) {
	const ext = 8192 * sectorSize
	for _, tc := range []struct {
		name  string
		spoil func([]byte) []byte
		parts int
		note  string
	}{
		{"circle", func(b []byte) []byte { setEntry(b, ext, 1, 5, 0, 100); return b }, 3, "circle"},
		{"link beyond the end", func(b []byte) []byte { setEntry(b, ext, 1, 5, 1<<31, 100); return b }, 3, "beyond the end"},
		{"chain cut", func(b []byte) []byte { b[ext+510] = 0; return b }, 2, "no signature"},
		{"goes beyond the end", func(b []byte) []byte { setEntry(b, 0, 1, 0x82, 6144, 1<<31); return b }, 5, "cut"},
		{"begins beyond the end", func(b []byte) []byte { setEntry(b, 0, 1, 0x82, 1<<31, 1); return b }, 4, "not listed"},
		{"overlap", func(b []byte) []byte { setEntry(b, 0, 1, 0x82, 2050, 10); return b }, 5, "1 and 2 overlap"},
		{"truncated", func(b []byte) []byte { return b[:ext] }, 2, "beyond the end"},
	} {
		raw := tc.spoil(sample(t, "testdata/logical.img.gz"))
		v, err := read(raw)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if n := strings.Join(v.Notes(), "\n"); len(v.Parts()) != tc.parts || !strings.Contains(n, tc.note) {
			t.Errorf("%s: %d parts, notes %q", tc.name, len(v.Parts()), n)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, path := range []string{"testdata/logical.img.gz", "testdata/one.img.gz"} {
		raw := sample(f, path)
		f.Add(raw[:4096], int64(len(raw)))
		if len(raw) > 8192*512 {
			f.Add(append(raw[:512:512], raw[8192*512:8193*512]...), int64(len(raw)))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, size int64) {
		if size < int64(len(raw)) || size > 1<<40 {
			return
		}
		v, err := open(repeated(raw), size, nil)
		if err != nil {
			return
		}
		for _, p := range v.Parts() {
			if p.Off < 0 || p.Length <= 0 || p.Off > size-p.Length {
				t.Fatalf("part %+v of %d bytes", p, size)
			}
		}
	})
}

// repeated is a disk on which every sector but the first is its second one.
type repeated []byte

func (r repeated) ReadAt(p []byte, off int64) (int, error) {
	if off >= sectorSize && len(r) >= 2*sectorSize {
		off = sectorSize + off%sectorSize
	}
	return bytes.NewReader(r).ReadAt(p, off)
}
