package gpt

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/internal/limit"
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
	return Format().Open(bytes.NewReader(raw), int64(len(raw)), limit.New(limit.Memory))
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
		if !Format().Probe(raw[:8192]) {
			t.Errorf("%s is not recognised", path)
		}
		v, err := read(raw)
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, strings.TrimSuffix(path, ".img.gz")+".golden", describe(v))
	}
}

// seal makes the checksums of the table at off right again.
func seal(raw []byte, off int) []byte {
	h := raw[off : off+headerSize]
	if at, n := binary.LittleEndian.Uint64(h[72:])*512, binary.LittleEndian.Uint32(h[80:])*binary.LittleEndian.Uint32(h[84:]); at+uint64(n) <= uint64(len(raw)) {
		binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(raw[at:at+uint64(n)]))
	}
	binary.LittleEndian.PutUint32(h[16:], headerCRC(h))
	return raw
}

func TestDamage(t *testing.T) {
	put32, put64 := binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	for _, tc := range []struct {
		name  string
		spoil func(b []byte) []byte
		parts int // -1 for an error
		note  string
	}{
		{"first header", func(b []byte) []byte { b[512+40]++; return b }, 3, "backup is used"},
		{"first header gone", func(b []byte) []byte { clear(b[512:1024]); return b }, 3, "backup is used"},
		{"first entries", func(b []byte) []byte { b[1024]++; return b }, 3, "backup is used"},
		{"backup header", func(b []byte) []byte { b[len(b)-512+40]++; return b }, 3, "backup table is broken"},
		{"both entries", func(b []byte) []byte { b[1024+56]++; b[len(b)-33*512+56]++; return b }, 3, "both tables are broken"},
		{"both headers gone", func(b []byte) []byte { clear(b[512:1024]); clear(b[len(b)-512:]); return b }, -1, ""},
		{"they differ", func(b []byte) []byte { b[1024+56] = 'X'; return seal(b, 512) }, 3, "differ"},
		{"truncated", func(b []byte) []byte { return b[:6<<20] }, 3, "cut"},
		{"longer than it was", func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) }, 3, ""},
		{"count beyond all", func(b []byte) []byte { put32(b[512+80:], 0x7fffffff); return seal(b, 512) }, 3, "limit"},
		{"entry size zero", func(b []byte) []byte { put32(b[512+84:], 0); return seal(b, 512) }, 3, "entries have size 0"},
		{"entries beyond all", func(b []byte) []byte { put64(b[512+72:], 1<<63); return seal(b, 512) }, 3, "beyond the end"},
		{"ends before it begins", func(b []byte) []byte { put64(b[1024+40:], 3); return seal(b, 512) }, 2, "before it begins"},
		{"end beyond all", func(b []byte) []byte { put64(b[1024+40:], 1<<64-1); return seal(b, 512) }, 3, "cut"},
		{"begins beyond all", func(b []byte) []byte {
			put64(b[1024+32:], 1<<63)
			put64(b[1024+40:], 1<<63)
			return seal(b, 512)
		}, 2, "not listed"},
		{"overlap", func(b []byte) []byte { put64(b[1024+40:], 5000); return seal(b, 512) }, 3, "1 and 2 overlap"},
	} {
		v, err := read(tc.spoil(sample(t, "testdata/sectors-512.img.gz")))
		if tc.parts < 0 {
			if !errors.Is(err, ErrNoTable) {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		n := strings.Join(v.Notes(), "\n")
		if len(v.Parts()) != tc.parts || !strings.Contains(n, tc.note) || tc.note == "" && n != "" {
			t.Errorf("%s: %d parts, notes %q", tc.name, len(v.Parts()), n)
		}
	}
}

func TestProbe(t *testing.T) {
	raw := sample(t, "testdata/sectors-512.img.gz")
	clear(raw[512:1024])
	if !Format().Probe(raw[:4096]) {
		t.Error("a protective MBR alone was not recognised")
	}
	for _, n := range []int{0, 1, 511, 4096} {
		if Format().Probe(make([]byte, n)) {
			t.Errorf("%d zeros are a table", n)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, path := range []string{"testdata/sectors-512.img.gz", "testdata/sectors-4096.img.gz"} {
		raw := sample(f, path)
		f.Add(raw[:24<<10], int64(len(raw)))
	}
	small := sample(f, "testdata/sectors-512.img.gz") // eight entries: little ones are mutated faster
	binary.LittleEndian.PutUint32(small[512+80:], 8)
	f.Add(seal(small, 512)[:2048], int64(len(small)))
	f.Fuzz(func(t *testing.T, raw []byte, size int64) {
		if size < 0 || size > 1<<50 {
			return
		}
		v, err := open(bytes.NewReader(raw), size, limit.New(limit.Memory))
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
