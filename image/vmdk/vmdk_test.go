package vmdk_test

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
	"telltale/image/vmdk"
	"telltale/internal/golden"
	"telltale/internal/limit"
)

func open(t testing.TB, f image.File) image.Disk {
	t.Helper()
	d, err := vmdk.Format().Open(t.Context(), f, limit.New(limit.Memory))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(d image.Disk) []string { return d.(image.Describer).Info().Notes }

func convert(t testing.TB, content []byte, options string) string {
	t.Helper()
	imagetest.Need(t, "qemu-img", "qemu-io")
	out := filepath.Join(t.TempDir(), "a.vmdk")
	imagetest.Run(t, "qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", options, imagetest.Write(t, "disk.raw", content), out)
	return out
}

func raw(t testing.TB, path string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.raw")
	imagetest.Run(t, "qemu-img", "convert", "-O", "raw", path, out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var kinds = []string{"monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized"}

func TestReadsWhatQemuWrites(t *testing.T) {
	content := imagetest.Content(1, 9_000_448)
	for _, kind := range append(kinds, "monolithicSparse,zeroed_grain=on", "monolithicSparse,compat6=on") {
		t.Run(kind, func(t *testing.T) {
			d := open(t, imagetest.Open(t, convert(t, content, "subformat="+kind)))
			imagetest.Compare(t, d, content)
			if n := notes(d); len(n) != 0 {
				t.Errorf("%q", n)
			}
			if f := d.(image.Describer).Info().Facts; !slices.ContainsFunc(f, func(f image.Fact) bool { return f.Name == "createType" }) {
				t.Errorf("%q", f)
			}
		})
	}
}

// TestSeveralExtents has disks of more than 2 GiB, nearly all holes.
func TestSeveralExtents(t *testing.T) {
	imagetest.Need(t, "qemu-img", "qemu-io")
	for _, kind := range []string{"twoGbMaxExtentSparse", "twoGbMaxExtentFlat"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.vmdk")
		imagetest.Run(t, "qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat="+kind, path, "5G")
		imagetest.Run(t, "qemu-io", "-c", "write -P 1 2147000000 1000000", "-c", "write -P 2 4G 64k", path)
		d := open(t, imagetest.Open(t, path))
		p := make([]byte, 2<<20)
		if n, err := d.ReadAt(p, 2146500000); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		want := append(make([]byte, 500000), bytes.Repeat([]byte{1}, 1000000)...)
		if !bytes.Equal(p[:1500000], want) || p[1500000] != 0 {
			t.Errorf("%s: wrong bytes across extents", kind)
		}
		m, _ := filepath.Glob(filepath.Join(dir, "a-*002.vmdk"))
		if len(m) != 1 {
			t.Fatalf("%q", m)
		}
		if err := os.Remove(m[0]); err != nil {
			t.Fatal(err)
		}
		d = open(t, imagetest.Open(t, path))
		if n, err := d.ReadAt(p, 2<<30-1<<20); n != 1<<20 || err == nil || !strings.Contains(err.Error(), "not beside") {
			t.Errorf("%s: %d, %v", kind, n, err)
		}
		if n, err := d.ReadAt(p, 4<<30); n != len(p) || err != nil || p[0] != 2 {
			t.Errorf("%s: behind the missing extent: %d, %v", kind, n, err)
		}
	}
}

func TestDeltas(t *testing.T) {
	base := convert(t, imagetest.Content(2, 3<<20), "subformat=monolithicSparse")
	dir := filepath.Dir(base)
	for i, name := range []string{"one.vmdk", "two.vmdk"} {
		under := []string{base, filepath.Join(dir, "one.vmdk")}[i]
		imagetest.Run(t, "qemu-img", "create", "-q", "-f", "vmdk", "-b", under, "-F", "vmdk", filepath.Join(dir, name))
		imagetest.Run(t, "qemu-io", "-c", fmt.Sprintf("write -P %d %dk 200k", i+1, 100+i*90), filepath.Join(dir, name))
	}
	two := filepath.Join(dir, "two.vmdk")
	d := open(t, imagetest.Open(t, two))
	imagetest.Compare(t, d, raw(t, two))
	imagetest.Run(t, "qemu-io", "-c", "write -P 8 0 64k", base) // the content id changes
	if n := strings.Join(notes(open(t, imagetest.Open(t, two))), "\n"); !strings.Contains(n, "beside it was taken") {
		t.Errorf("%q", n)
	}
	if err := os.Rename(base, base+".gone"); err != nil {
		t.Fatal(err)
	}
	if _, lost := imagetest.Salvage(t, open(t, imagetest.Open(t, two))); len(lost) == 0 || !strings.Contains(lost[0].Reason, "parent") {
		t.Errorf("%+v", lost)
	}
}

func TestUsesTheRedundantDirectory(t *testing.T) {
	content := imagetest.Content(3, 9<<20)
	b, err := os.ReadFile(convert(t, content, "subformat=monolithicSparse"))
	if err != nil {
		t.Fatal(err)
	}
	for name, breaks := range map[string]func(b []byte){
		"place of the directory": func(b []byte) { binary.LittleEndian.PutUint64(b[56:], 1<<40) },
		"directory":              func(b []byte) { copy(b[binary.LittleEndian.Uint64(b[56:])*512:], "\xff\xff\xff\x7f") },
		"table": func(b []byte) {
			gt := binary.LittleEndian.Uint32(b[binary.LittleEndian.Uint64(b[56:])*512:])
			copy(b[gt*512:], bytes.Repeat([]byte{0xfe}, 512))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := slices.Clone(b)
			breaks(b)
			imagetest.Compare(t, open(t, imagetest.Mem(map[string][]byte{"a": b}, "a")), content)
		})
	}
}

func TestCutImagesGiveTheRest(t *testing.T) {
	content := imagetest.Content(4, 4<<20)
	for _, kind := range []string{"monolithicSparse", "streamOptimized"} {
		whole, err := os.ReadFile(convert(t, content, "subformat="+kind))
		if err != nil {
			t.Fatal(err)
		}
		best := 0
		for cut := 0; cut < len(whole)-1024; cut += len(whole) / 50 {
			d, err := vmdk.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": whole[:cut]}, "a"), nil)
			if err != nil {
				continue
			}
			got, lost := imagetest.Salvage(t, d)
			at, good := int64(0), 0
			for _, l := range lost {
				if !bytes.Equal(got[at:l.Ref.Off], content[at:l.Ref.Off]) {
					t.Fatalf("%s cut at %d: wrong bytes before %d", kind, cut, l.Ref.Off)
				}
				good += int(l.Ref.Off - at)
				at = l.Ref.Off + l.Ref.Len
			}
			if len(lost) > 0 {
				best = max(best, good)
			}
		}
		if best < len(content)/2 {
			t.Errorf("%s: %d bytes at most were read of a cut image", kind, best)
		}
	}
}

// cowd builds an ESX sparse extent with every second grain.
func cowd(content []byte) []byte {
	const grain = 8 * 512
	le := binary.LittleEndian
	b := make([]byte, 512*(8+32))
	copy(b, "COWD")
	for i, v := range []uint32{1, 3, uint32(len(content) / 512), 8, 4, 1} {
		le.PutUint32(b[4+i*4:], v)
	}
	le.PutUint32(b[4*512:], 8)
	for g := 0; g*grain < len(content); g += 2 {
		le.PutUint32(b[8*512+g*4:], uint32(len(b)/512))
		b = append(b, content[g*grain:min(len(content), (g+1)*grain)]...)
		b = append(b, make([]byte, -len(b)&511)...)
	}
	for at := range content {
		if at/grain%2 == 1 {
			content[at] = 0
		}
	}
	return b
}

func TestESXSparse(t *testing.T) {
	content := imagetest.Content(5, 1<<20)
	folder := map[string][]byte{"a-delta.vmdk": cowd(content)}
	folder["a.vmdk"] = []byte("# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"vmfsSparse\"\nRW 2048 VMFSSPARSE \"/vmfs/volumes/x/a-delta.vmdk\"\n")
	for _, name := range []string{"a.vmdk", "a-delta.vmdk"} {
		imagetest.Compare(t, open(t, imagetest.Mem(folder, name)), content)
	}
}

func TestCrafted(t *testing.T) {
	header := func(change func(b []byte)) []byte {
		b := make([]byte, 4096)
		copy(b, "KDMV")
		le := binary.LittleEndian
		le.PutUint32(b[4:], 1)
		le.PutUint64(b[12:], 2048)
		le.PutUint64(b[20:], 128)
		le.PutUint32(b[44:], 512)
		le.PutUint64(b[56:], 1)
		change(b)
		return b
	}
	le := binary.LittleEndian
	text := func(s string) []byte { return []byte("# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\n" + s) }
	for name, tc := range map[string]struct {
		b     []byte
		opens bool
		says  string
	}{
		"sound":                 {header(func([]byte) {}), true, "no descriptor"},
		"capacity":              {header(func(b []byte) { le.PutUint64(b[12:], 1<<60) }), false, "sectors"},
		"big directory":         {header(func(b []byte) { le.PutUint64(b[12:], 1<<52); le.PutUint64(b[20:], 1) }), false, "limit"},
		"no grain":              {header(func(b []byte) { le.PutUint64(b[20:], 0) }), false, "grains"},
		"no table":              {header(func(b []byte) { le.PutUint32(b[44:], 0) }), false, "to a table"},
		"big table":             {header(func(b []byte) { le.PutUint32(b[44:], 1<<31) }), false, "to a table"},
		"version":               {header(func(b []byte) { le.PutUint32(b[4:], 9) }), false, "version 9"},
		"compression":           {header(func(b []byte) { le.PutUint32(b[8:], 1<<16); le.PutUint16(b[77:], 5) }), false, "algorithm 5"},
		"tables in the header":  {header(func(b []byte) { le.PutUint32(b[512:], 1); le.PutUint32(b[516:], 1) }), true, ""},
		"stream of a huge disk": {header(func(b []byte) { le.PutUint64(b[56:], 1<<64-1); le.PutUint64(b[12:], 1<<50) }), false, "limit"},
		"passwd":                {text("RW 10 FLAT \"/etc/passwd\" 0\n"), true, "not beside"},
		"up":                    {text("RW 10 FLAT \"..\" 0\n"), true, "not beside"},
		"sectors":               {text("RW 99999999999999999999 ZERO\n"), false, "sectors"},
		"negative sectors":      {text("RW -1 ZERO\n"), false, "sectors"},
		"no name":               {text("RW 10 FLAT a\n"), false, "without a name"},
		"offset":                {text("RW 10 FLAT \"a\" -5\n"), false, "offset"},
		"zeros":                 {text("RW 10 ZERO\n"), true, ""},
		"raw mapping":           {text("RW 10 VMFSRDM \"x\"\n"), true, "not supported"},
		"its own extent":        {text("RW 10 SPARSE \"a\"\n"), true, "cannot be read"},
		"its own parent":        {[]byte("# Disk DescriptorFile\nCID=1\nparentCID=1\nparentFileNameHint=\"x/a\"\nRW 10 ZERO\n"), false, "leads back"},
		"nothing":               {text(""), false, "no extents"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := vmdk.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": tc.b}, "a"), limit.New(limit.Memory))
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

func TestSamples(t *testing.T) {
	folder := imagetest.Samples(t)
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		f := imagetest.Mem(folder, name)
		head := make([]byte, 512)
		f.ReadAt(head, 0)
		if !vmdk.Format().Probe(head, nil) {
			continue
		}
		d := open(t, f)
		content, lost := imagetest.Salvage(t, d)
		fmt.Fprintf(&out, "%s: %d bytes, sha256 %x, %d lost\n", name, d.Size(), sha256.Sum256(content), len(lost))
		i := d.(image.Describer).Info()
		for _, f := range i.Facts {
			fmt.Fprintf(&out, "  %s: %s\n", f.Name, f.Value)
		}
		fmt.Fprintf(&out, "  notes %q\n", i.Notes)
	}
	golden.Equal(t, "testdata/samples.golden", out.Bytes())
}

func FuzzRead(f *testing.F) {
	folder := imagetest.Samples(f)
	folder["cowd.vmdk"] = cowd(imagetest.Content(6, 100<<10))
	imagetest.Fuzz(f, vmdk.Format().Open, folder)
}

func BenchmarkReadSparse(b *testing.B) { benchmark(b, "monolithicSparse") }
func BenchmarkReadStream(b *testing.B) { benchmark(b, "streamOptimized") }

func benchmark(b *testing.B, kind string) {
	imagetest.Throughput(b, open(b, imagetest.Open(b, convert(b, imagetest.Content(8, 256<<20), "subformat="+kind))))
}
