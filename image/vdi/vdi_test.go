package vdi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/image"
	"telltale/image/imagetest"
	"telltale/image/vdi"
	"telltale/internal/golden"
	"telltale/internal/limit"
)

func open(t testing.TB, f image.File) image.Disk {
	t.Helper()
	d, err := vdi.Format().Open(t.Context(), f, limit.New(limit.Memory))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(d image.Disk) []string { return d.(image.Describer).Info().Notes }

func convert(t testing.TB, content []byte, options string) string {
	t.Helper()
	imagetest.Need(t, "qemu-img", "qemu-io")
	out := filepath.Join(t.TempDir(), "a.vdi")
	args := []string{"convert", "-f", "raw", "-O", "vdi"}
	if options != "" {
		args = append(args, "-o", options)
	}
	imagetest.Run(t, "qemu-img", append(args, imagetest.Write(t, "disk.raw", content), out)...)
	return out
}

// raw gives an image's bytes as qemu-img reads them.
func raw(t testing.TB, path string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.raw")
	imagetest.Run(t, "qemu-img", "convert", "-f", "vdi", "-O", "raw", path, out)
	return read(t, out)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsWhatQemuWrites(t *testing.T) {
	content := imagetest.Content(1, 9_000_448)
	for _, o := range []string{"", "static=on"} {
		t.Run(o, func(t *testing.T) {
			path := convert(t, content, o)
			d := open(t, imagetest.Open(t, path))
			imagetest.Compare(t, d, raw(t, path))
			if n := notes(d); len(n) != 0 {
				t.Errorf("%q", n)
			}
			imagetest.Run(t, "qemu-io", "-f", "vdi", "-c", "write -P 7 3M 100k", "-c", "write -P 8 8M 1k", path)
			imagetest.Compare(t, open(t, imagetest.Open(t, path)), raw(t, path))
		})
	}
}

func TestCutImagesGiveTheRest(t *testing.T) {
	content := imagetest.Content(4, 8<<20)
	path := convert(t, content, "")
	whole, content := read(t, path), raw(t, path)
	for cut := 0; cut < len(whole)-1024; cut += len(whole) / 60 {
		d, err := vdi.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": whole[:cut]}, "a"), nil)
		if err != nil {
			if cut > len(whole)/2 {
				t.Errorf("cut at %d of %d: %v", cut, len(whole), err)
			}
			continue
		}
		got, lost := imagetest.Salvage(t, d)
		if len(lost) == 0 && !bytes.Equal(got, content) {
			t.Fatalf("cut at %d: wrong bytes and no damage", cut)
		}
		at := int64(0)
		for _, l := range lost {
			if !bytes.Equal(got[at:l.Ref.Off], content[at:l.Ref.Off]) {
				t.Fatalf("cut at %d: wrong bytes before %d", cut, l.Ref.Off)
			}
			at = l.Ref.Off + l.Ref.Len
		}
	}
}

func TestSamples(t *testing.T) {
	folder := imagetest.Samples(t)
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		d := open(t, imagetest.Mem(folder, name))
		content, lost := imagetest.Salvage(t, d)
		fmt.Fprintf(&out, "%s: %d bytes, sha256 %x, %d lost\n", name, d.Size(), sha256.Sum256(content), len(lost))
		i := d.(image.Describer).Info()
		for _, f := range i.Facts {
			fmt.Fprintf(&out, "  %s: %s\n", f.Name, f.Value)
		}
		fmt.Fprintf(&out, "  made %s, notes %q\n", i.Made, i.Notes)
	}
	golden.Equal(t, "testdata/samples.golden", out.Bytes())
}

func FuzzRead(f *testing.F) {
	imagetest.Fuzz(f, vdi.Format().Open, imagetest.Samples(f))
}

func BenchmarkRead(b *testing.B) {
	imagetest.Throughput(b, open(b, imagetest.Open(b, convert(b, imagetest.Content(8, 256<<20), ""))))
}

// crafted holds what a changed image must say: when it is opened, or in its notes.
type crafted struct {
	change func(b []byte)
	opens  bool
	says   string
}

func tryCrafted(t *testing.T, sample string, cases map[string]crafted) {
	t.Helper()
	whole := imagetest.Samples(t)[sample]
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := slices.Clone(whole)
			tc.change(b)
			d, err := vdi.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": b}, "a"), limit.New(limit.Memory))
			if (err == nil) != tc.opens {
				t.Fatalf("%v", err)
			}
			said := fmt.Sprint(err)
			if err == nil {
				imagetest.Poke(t, d)
				said = strings.Join(notes(d), "\n")
			}
			if !strings.Contains(said, tc.says) {
				t.Errorf("%q does not say %q", said, tc.says)
			}
		})
	}
}

func TestDifferencing(t *testing.T) {
	b := imagetest.Samples(t)["dynamic.vdi"]
	binary.LittleEndian.PutUint32(b[76:], 4)
	copy(b[440:], "0123456789abcdef")
	d := open(t, imagetest.Mem(map[string][]byte{"a": b}, "a"))
	_, lost := imagetest.Salvage(t, d)
	if len(lost) == 0 || !strings.Contains(lost[0].Reason, "{33323130-3534-3736-3839-616263646566}") || len(notes(d)) != 1 {
		t.Errorf("%+v, %q", lost, notes(d))
	}
}

func TestCrafted(t *testing.T) {
	le := binary.LittleEndian
	tryCrafted(t, "dynamic.vdi", map[string]crafted{
		"version":           {func(b []byte) { le.PutUint32(b[68:], 1) }, false, "version 0.1"},
		"type":              {func(b []byte) { le.PutUint32(b[76:], 3) }, false, "type 3"},
		"size":              {func(b []byte) { le.PutUint64(b[368:], 1<<63) }, false, "size"},
		"size of the map":   {func(b []byte) { le.PutUint64(b[368:], 1<<59); le.PutUint32(b[384:], 1<<32-1) }, false, "limit"},
		"size but no map":   {func(b []byte) { le.PutUint64(b[368:], 1<<59) }, true, "the rest cannot be read"},
		"block 0":           {func(b []byte) { le.PutUint32(b[376:], 0) }, false, "blocks of 0"},
		"map beyond":        {func(b []byte) { le.PutUint32(b[340:], 1<<32-1) }, false, "beyond"},
		"data beyond":       {func(b []byte) { le.PutUint32(b[344:], 1<<32-1) }, true, ""},
		"blocks far beyond": {func(b []byte) { at := le.Uint32(b[340:]); le.PutUint32(b[at:], 1<<32-3) }, true, ""},
	})
}
