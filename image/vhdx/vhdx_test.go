package vhdx_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/image"
	"telltale/image/imagetest"
	"telltale/image/vhdx"
	"telltale/internal/golden"
	"telltale/internal/limit"
)

func open(t testing.TB, f image.File) image.Disk {
	t.Helper()
	d, err := vhdx.Format().Open(t.Context(), f, limit.New(limit.Memory))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(d image.Disk) []string { return d.(image.Describer).Info().Notes }

func convert(t testing.TB, content []byte, options string) string {
	t.Helper()
	imagetest.Need(t, "qemu-img", "qemu-io")
	out := filepath.Join(t.TempDir(), "a.vhdx")
	args := []string{"convert", "-f", "raw", "-O", "vhdx"}
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
	imagetest.Run(t, "qemu-img", "convert", "-f", "vhdx", "-O", "raw", path, out)
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
	for _, o := range []string{"", "block_size=1M", "subformat=fixed", "block_size=256M"} {
		t.Run(o, func(t *testing.T) {
			path := convert(t, content, o)
			d := open(t, imagetest.Open(t, path))
			imagetest.Compare(t, d, raw(t, path))
			if n := notes(d); len(n) != 0 {
				t.Errorf("%q", n)
			}
			imagetest.Run(t, "qemu-io", "-f", "vhdx", "-c", "write -P 7 3M 100k", "-c", "write -P 8 8M 1k", path)
			imagetest.Compare(t, open(t, imagetest.Open(t, path)), raw(t, path))
		})
	}
}

func TestCutImagesGiveTheRest(t *testing.T) {
	content := imagetest.Content(4, 8<<20)
	path := convert(t, content, "block_size=1M")
	whole, content := read(t, path), raw(t, path)
	for cut := 0; cut < len(whole)-1024; cut += len(whole) / 60 {
		d, err := vhdx.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": whole[:cut]}, "a"), nil)
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
	folder := imagetest.Samples(f)
	folder["dirty.vhdx"] = dirty(folder["log.vhdx"])
	imagetest.Fuzz(f, vhdx.Format().Open, folder)
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
			d, err := vhdx.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": b}, "a"), limit.New(limit.Memory))
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

// dirty makes a disk that was not closed of one whose log has been played back: the entries are still there,
// only the headers say that they are of no use any more.
func dirty(b []byte) []byte {
	b = slices.Clone(b)
	entry := b[lastEntry(b):]
	for _, h := range [][]byte{b[64<<10 : 68<<10], b[128<<10 : 132<<10]} {
		copy(h[48:], entry[32:48])
		seal(h)
	}
	return b
}

func TestPlaysTheLogBack(t *testing.T) {
	imagetest.Need(t, "qemu-img", "qemu-io", "sh")
	path := convert(t, append(imagetest.Content(2, 2<<20), make([]byte, 10<<20)...), "block_size=1M")
	imagetest.Run(t, "sh", "-c", "qemu-io -f vhdx -c 'write -P 5 3M 1M' -c 'write -P 6 5M 64k' -c 'write -P 7 11M 3k' -c abort "+path+" || true")
	b := dirty(read(t, path))
	want := raw(t, path)
	at := lastEntry(b)
	page := int64(binary.LittleEndian.Uint64(b[at+64+16:]))
	copy(b[page:], bytes.Repeat([]byte{0xee}, 4096)) // without the log the table is broken

	theirs := filepath.Join(t.TempDir(), "theirs.vhdx")
	if err := os.WriteFile(theirs, b, 0o644); err != nil {
		t.Fatal(err)
	}
	imagetest.Run(t, "qemu-img", "check", "-r", "all", theirs)
	if !bytes.Equal(raw(t, theirs), want) {
		t.Fatal("QEMU reads something else")
	}
	d := open(t, imagetest.Mem(map[string][]byte{"a": b}, "a"))
	imagetest.Compare(t, d, want)
	if n := notes(d); len(n) != 1 || !strings.Contains(n[0], "played back in memory") {
		t.Errorf("%q", n)
	}
	// A torn entry ends the row: it is no error.
	b[at+4096+100] ^= 1
	imagetest.Salvage(t, open(t, imagetest.Mem(map[string][]byte{"a": b}, "a")))
}

// lastEntry gives where the last log entry lies. QEMU gives each an id of its own, so only that one counts.
func lastEntry(b []byte) (at int) {
	for i, p := range chunks(b) {
		if string(p[:4]) == "loge" {
			at = i * 4096
		}
	}
	return at
}

func chunks(b []byte) (list [][]byte) {
	for ; len(b) >= 4096; b = b[4096:] {
		list = append(list, b[:4096])
	}
	return list
}

func seal(b []byte) {
	clear(b[4:8])
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// item gives where a metadata item of an image lies, by the first word of its id.
func item(b []byte, id uint32) []byte {
	le := binary.LittleEndian
	for r := 192<<10 + 16; ; r += 32 {
		if le.Uint32(b[r:]) != 0x8b7ca206 {
			continue
		}
		table := le.Uint64(b[r+16:])
		for e := table + 32; ; e += 32 {
			if le.Uint32(b[e:]) == id {
				return b[table+uint64(le.Uint32(b[e+16:])):]
			}
		}
	}
}

// child turns a copy of a dynamic disk into a differencing one that has every third sector of its first block.
func child(t *testing.T, parent []byte, name string) []byte {
	le := binary.LittleEndian
	b := slices.Clone(parent)
	item(b, 0xcaa16737)[4] |= 2
	// The page83 item's entry becomes that of the locator, which is written where the metadata have room.
	meta := bytes.Index(b, []byte("metadata"))
	for e := meta + 32; ; e += 32 {
		if le.Uint32(b[e:]) != 0xbeca12ab {
			continue
		}
		copy(b[e:], "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c")
		le.PutUint32(b[e+16:], 512<<10)
		le.PutUint32(b[e+20:], 4096)
		break
	}
	loc := b[meta+512<<10:]
	copy(loc, "\xb7\xef\x4a\xb0\x9e\xd1\x81\x4a\xb7\x89\x25\xb8\xe9\x44\x59\x13")
	h := b[64<<10:]
	if le.Uint64(b[128<<10+8:]) > le.Uint64(h[8:]) {
		h = b[128<<10:]
	}
	id := h[32:48]
	pairs := []string{"parent_linkage", fmt.Sprintf("{%08x-%04x-%04x-%x-%x}", le.Uint32(id), le.Uint16(id[4:]), le.Uint16(id[6:]), id[8:10], id[10:16]), "relative_path", name}
	le.PutUint16(loc[18:], 2)
	at := 100
	for i, s := range pairs {
		entry := loc[20+i/2*12:]
		le.PutUint32(entry[i%2*4:], uint32(at))
		le.PutUint16(entry[8+i%2*2:], uint16(2*len(s)))
		for _, c := range s {
			loc[at] = byte(c)
			at += 2
		}
	}
	// A new data id, and a table in which block 0 is partly there.
	for _, h := range [][]byte{b[64<<10 : 68<<10], b[128<<10 : 132<<10]} {
		copy(h[32:], "the child's data")
		seal(h)
	}
	var table uint64
	for r := 192<<10 + 16; table == 0; r += 32 {
		if le.Uint32(b[r:]) == 0x2dc27766 {
			table = le.Uint64(b[r+16:])
		}
	}
	clear(b[table : table+64<<10])
	data := uint64(len(b)+1<<20-1) &^ (1<<20 - 1)
	b = append(b, make([]byte, data+2<<20-uint64(len(b)))...)
	ratio := uint64(1<<23*512) / uint64(le.Uint32(item(b, 0xcaa16737)))
	le.PutUint64(b[table:], data|7)
	le.PutUint64(b[table+ratio*8:], data+1<<20|6)
	for i := range 2048 {
		copy(b[data+uint64(i)*512:], bytes.Repeat([]byte{'c'}, 512))
		if i%3 == 0 {
			b[data+1<<20+uint64(i/8)] |= 1 << (i % 8)
		}
	}
	return b
}

func TestDifferencing(t *testing.T) {
	parent := imagetest.Samples(t)["dynamic.vhdx"]
	want, _ := imagetest.Salvage(t, open(t, imagetest.Mem(map[string][]byte{"p.vhdx": parent}, "p.vhdx")))
	for i := 0; i < 2048; i += 3 {
		copy(want[i*512:], bytes.Repeat([]byte{'c'}, 512))
	}
	folder := map[string][]byte{"p.vhdx": parent, "c.vhdx": child(t, parent, `..\x\\p.vhdx`)}
	imagetest.Compare(t, open(t, imagetest.Mem(folder, "c.vhdx")), want)

	folder["p.vhdx"] = child(t, parent, "none") // another data id
	if _, lost := imagetest.Salvage(t, open(t, imagetest.Mem(folder, "c.vhdx"))); len(lost) == 0 || !strings.Contains(lost[0].Reason, "another disk") {
		t.Errorf("%d lost", len(lost))
	}
	delete(folder, "p.vhdx")
	if _, lost := imagetest.Salvage(t, open(t, imagetest.Mem(folder, "c.vhdx"))); len(lost) == 0 || !strings.Contains(lost[0].Reason, "not beside") {
		t.Errorf("%d lost", len(lost))
	}
	folder["c.vhdx"] = child(t, parent, "c.vhdx")
	if _, err := vhdx.Format().Open(t.Context(), imagetest.Mem(folder, "c.vhdx"), nil); err == nil || !strings.Contains(err.Error(), "leads back") {
		t.Error(err)
	}
}

func TestCrafted(t *testing.T) {
	le := binary.LittleEndian
	headers := func(change func(h []byte)) func(b []byte) {
		return func(b []byte) {
			for _, h := range [][]byte{b[64<<10 : 68<<10], b[128<<10 : 132<<10]} {
				change(h)
				seal(h)
			}
		}
	}
	tryCrafted(t, "dynamic.vhdx", map[string]crafted{
		"first header":    {func(b []byte) { b[64<<10+100] ^= 1 }, true, "header 1 is broken"},
		"both headers":    {func(b []byte) { b[64<<10+100] ^= 1; b[128<<10+100] ^= 1 }, false, "both headers"},
		"first regions":   {func(b []byte) { b[192<<10+100] ^= 1 }, true, "region table 1 is broken"},
		"both regions":    {func(b []byte) { b[192<<10+100] ^= 1; b[256<<10+100] ^= 1 }, false, "both region tables"},
		"version":         {headers(func(h []byte) { le.PutUint16(h[66:], 2) }), false, "version 2"},
		"log beyond":      {headers(func(h []byte) { h[48] = 1; le.PutUint64(h[72:], 1<<60) }), false, "log"},
		"huge log":        {headers(func(h []byte) { h[48] = 1; le.PutUint32(h[68:], 1<<32-4096) }), false, "limit"},
		"empty log":       {headers(func(h []byte) { h[48] = 1 }), true, "no sound entry"},
		"size":            {func(b []byte) { le.PutUint64(item(b, 0x2fa54224), 1<<63) }, false, "size"},
		"bigger than BAT": {func(b []byte) { le.PutUint64(item(b, 0x2fa54224), 1<<45) }, true, "the rest cannot be read"},
		"block":           {func(b []byte) { le.PutUint32(item(b, 0xcaa16737), 3) }, false, "blocks of 3"},
		"sector":          {func(b []byte) { le.PutUint32(item(b, 0x8141bf1d), 0) }, false, "sectors of 0"},
	})
}
