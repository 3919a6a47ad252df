package vhd_test

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
	"telltale/image/vhd"
	"telltale/internal/golden"
	"telltale/internal/limit"
)

func open(t testing.TB, f image.File) image.Disk {
	t.Helper()
	d, err := vhd.Format().Open(t.Context(), f, limit.New(limit.Memory))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(d image.Disk) []string { return d.(image.Describer).Info().Notes }

func convert(t testing.TB, content []byte, options string) string {
	t.Helper()
	imagetest.Need(t, "qemu-img", "qemu-io")
	out := filepath.Join(t.TempDir(), "a.vhd")
	args := []string{"convert", "-f", "raw", "-O", "vpc"}
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
	imagetest.Run(t, "qemu-img", "convert", "-f", "vpc", "-O", "raw", path, out)
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
	for _, o := range []string{"subformat=dynamic", "subformat=fixed", "subformat=dynamic,force_size=on", "subformat=fixed,force_size=on"} {
		t.Run(o, func(t *testing.T) {
			path := convert(t, content, o)
			d := open(t, imagetest.Open(t, path))
			imagetest.Compare(t, d, raw(t, path))
			if n := notes(d); len(n) != 0 {
				t.Errorf("%q", n)
			}
			imagetest.Run(t, "qemu-io", "-f", "vpc", "-c", "write -P 7 3M 100k", "-c", "write -P 8 8M 1k", path)
			imagetest.Compare(t, open(t, imagetest.Open(t, path)), raw(t, path))
		})
	}
}

func TestCutImagesGiveTheRest(t *testing.T) {
	content := imagetest.Content(4, 8<<20)
	path := convert(t, content, "subformat=dynamic")
	whole, content := read(t, path), raw(t, path)
	for cut := 0; cut < len(whole)-1024; cut += len(whole) / 60 {
		d, err := vhd.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": whole[:cut]}, "a"), nil)
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
	imagetest.Fuzz(f, vhd.Format().Open, imagetest.Samples(f))
}

func BenchmarkRead(b *testing.B) {
	imagetest.Throughput(b, open(b, imagetest.Open(b, convert(b, imagetest.Content(8, 256<<20), "subformat=dynamic"))))
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
			d, err := vhd.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": b}, "a"), limit.New(limit.Memory))
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

// sum puts the right checksum into a footer or header.
func sum(b []byte, at int) {
	s := uint32(0)
	for i, x := range b {
		if i < at || i >= at+4 {
			s += uint32(x)
		}
	}
	binary.BigEndian.PutUint32(b[at:], ^s)
}

// child makes a differencing disk over a dynamic one, with every third sector of its first block its own.
func child(parent []byte, names ...string) []byte {
	be := binary.BigEndian
	foot := slices.Clone(parent[:512])
	be.PutUint32(foot[60:], 4)
	id := slices.Clone(foot[68:84])
	copy(foot[68:], "a child's own id")
	sum(foot, 64)
	head := slices.Clone(parent[512:1536])
	copy(head[40:], id)
	be.PutUint64(head[16:], 1536)
	clear(head[64:])
	for i, c := range names[0] {
		be.PutUint16(head[64+2*i:], uint16(c))
	}
	be.PutUint32(head[32:], 2<<20)
	table := bytes.Repeat([]byte{0xff}, 4096)
	be.PutUint32(table, 12)
	b := append(append(append([]byte(nil), foot...), head...), table...)
	if len(names) > 1 {
		loc := head[576:]
		copy(loc, "W2ru")
		be.PutUint32(loc[8:], uint32(2*len(names[1])))
		be.PutUint64(loc[16:], uint64(len(b)))
		for _, c := range names[1] {
			b = append(b, byte(c), 0)
		}
		sum(head, 36)
		copy(b[512:], head)
	}
	b = append(b, make([]byte, 12*512-len(b))...)
	bits := make([]byte, 512)
	for i := 0; i < 4096; i += 3 {
		bits[i/8] |= 0x80 >> (i % 8)
	}
	return append(append(append(b, bits...), bytes.Repeat([]byte{'c'}, 2<<20)...), foot...)
}

func TestDifferencing(t *testing.T) {
	parent := imagetest.Samples(t)["dynamic.vhd"]
	want, _ := imagetest.Salvage(t, open(t, imagetest.Mem(map[string][]byte{"p.vhd": parent}, "p.vhd")))
	for i := 0; i < 4096; i += 3 {
		copy(want[i*512:], bytes.Repeat([]byte{'c'}, 512))
	}
	for _, names := range [][]string{{"p.vhd"}, {"wrong", `.\\p.vhd`}, {`C:\x\\p.vhd`}} {
		folder := map[string][]byte{"p.vhd": parent, "c.vhd": child(parent, names...)}
		d := open(t, imagetest.Mem(folder, "c.vhd"))
		imagetest.Compare(t, d, want)
		copy(folder["c.vhd"][512+40:], "other")
		_, lost := imagetest.Salvage(t, open(t, imagetest.Mem(folder, "c.vhd")))
		if len(lost) == 0 || !strings.Contains(lost[0].Reason, "another disk") {
			t.Errorf("%d lost", len(lost))
		}
		delete(folder, "p.vhd")
		_, lost = imagetest.Salvage(t, open(t, imagetest.Mem(folder, "c.vhd")))
		if len(lost) == 0 || !strings.Contains(lost[0].Reason, "not beside") {
			t.Errorf("%d lost", len(lost))
		}
	}
	loop := map[string][]byte{"c.vhd": child(parent, "c.vhd")}
	if _, err := vhd.Format().Open(t.Context(), imagetest.Mem(loop, "c.vhd"), nil); err == nil || !strings.Contains(err.Error(), "leads back") {
		t.Error(err)
	}
}

func TestOldAndBrokenFooters(t *testing.T) {
	samples := imagetest.Samples(t)
	fixed := samples["fixed.vhd"]
	want := fixed[:len(fixed)-512]
	imagetest.Compare(t, open(t, imagetest.Mem(map[string][]byte{"a": fixed[:len(fixed)-1]}, "a")), want)
	fixed[len(fixed)-400] ^= 1
	d := open(t, imagetest.Mem(map[string][]byte{"a": fixed}, "a"))
	if imagetest.Compare(t, d, want); len(notes(d)) != 1 {
		t.Errorf("%q", notes(d))
	}
	dynamic := samples["dynamic.vhd"]
	want, _ = imagetest.Salvage(t, open(t, imagetest.Mem(map[string][]byte{"a": dynamic}, "a")))
	dynamic[len(dynamic)-400] ^= 1
	d = open(t, imagetest.Mem(map[string][]byte{"a": dynamic}, "a"))
	if imagetest.Compare(t, d, want); len(notes(d)) != 1 {
		t.Errorf("%q", notes(d))
	}
}

func TestCrafted(t *testing.T) {
	be := binary.BigEndian
	foot := func(change func(b []byte)) func(b []byte) {
		return func(b []byte) {
			f := b[len(b)-512:]
			change(f)
			sum(f, 64)
			copy(b, f)
		}
	}
	tryCrafted(t, "dynamic.vhd", map[string]crafted{
		"version":         {foot(func(b []byte) { be.PutUint32(b[12:], 0x20000) }), false, "version 2.0"},
		"type":            {foot(func(b []byte) { be.PutUint32(b[60:], 9) }), false, "type 9"},
		"size":            {foot(func(b []byte) { be.PutUint64(b[48:], 1<<63) }), false, "size"},
		"size of a table": {foot(func(b []byte) { be.PutUint64(b[48:], 1<<59) }), true, "the rest cannot be read"},
		"huge table": {func(b []byte) {
			foot(func(b []byte) { be.PutUint64(b[48:], 1<<59) })(b)
			be.PutUint32(b[512+28:], 1<<32-1)
		}, false, "limit"},
		"header beyond": {foot(func(b []byte) { be.PutUint64(b[16:], 1<<63) }), false, "dynamic header"},
		"block of 3":    {func(b []byte) { be.PutUint32(b[512+32:], 3) }, false, "blocks of 3"},
		"table beyond":  {func(b []byte) { be.PutUint64(b[512+16:], 1<<62) }, false, "block table"},
		"blocks beyond": {func(b []byte) { be.PutUint32(b[1536:], 1<<32-2) }, true, "checksum"[:0]},
	})
}
