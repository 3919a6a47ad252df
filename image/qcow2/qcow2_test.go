package qcow2_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telltale/image"
	"telltale/image/imagetest"
	"telltale/image/qcow2"
	"telltale/internal/golden"
	"telltale/internal/limit"
)

func open(t testing.TB, f image.File) image.Disk {
	t.Helper()
	d, err := qcow2.Format().Open(t.Context(), f, limit.New(limit.Memory))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func notes(d image.Disk) []string { return d.(image.Describer).Info().Notes }

// maker makes images with QEMU's tools in a folder.
type maker struct {
	t   testing.TB
	dir string
}

func newMaker(t testing.TB) maker {
	imagetest.Need(t, "qemu-img", "qemu-io")
	return maker{t, t.TempDir()}
}

func (m maker) path(name string) string { return filepath.Join(m.dir, name) }

func (m maker) convert(content []byte, name string, args ...string) string {
	src := imagetest.Write(m.t, "disk.raw", content)
	imagetest.Run(m.t, "qemu-img", append(append([]string{"convert", "-f", "raw", "-O", "qcow2"}, args...), src, m.path(name))...)
	return m.path(name)
}

func (m maker) io(name string, commands ...string) {
	args := []string{}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	imagetest.Run(m.t, "qemu-io", append(args, m.path(name))...)
}

// raw gives an image's bytes as qemu-img reads them.
func (m maker) raw(name string, args ...string) []byte {
	out := filepath.Join(m.t.TempDir(), "out.raw")
	imagetest.Run(m.t, "qemu-img", append(append([]string{"convert", "-O", "raw"}, args...), m.path(name), out)...)
	b, err := os.ReadFile(out)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

func TestReadsWhatQemuWrites(t *testing.T) {
	content := imagetest.Content(1, 5_000_192)
	for _, args := range []string{"-o compat=0.10", "-o compat=0.10,cluster_size=512", "-o cluster_size=512", "-o cluster_size=4k", "", "-o cluster_size=2M",
		"-c", "-c -o compat=0.10", "-c -o cluster_size=512", "-c -o cluster_size=2M", "-c -o compression_type=zstd", "-c -o compression_type=zstd,cluster_size=2M",
		"-o extended_l2=on", "-o extended_l2=on,cluster_size=16k", "-c -o extended_l2=on,cluster_size=2M", "-o preallocation=metadata", "-o preallocation=full", "-o lazy_refcounts=on,refcount_bits=1"} {
		t.Run(args, func(t *testing.T) {
			m := newMaker(t)
			d := open(t, imagetest.Open(t, m.convert(content, "a.qcow2", strings.Fields(args)...)))
			imagetest.Compare(t, d, content)
			if n := notes(d); len(n) != 0 {
				t.Errorf("%q", n)
			}
		})
	}
}

func TestSubclustersAndZeros(t *testing.T) {
	for _, o := range []string{"extended_l2=on,cluster_size=32k", "extended_l2=on,cluster_size=2M", "cluster_size=64k"} {
		m := newMaker(t)
		m.convert(imagetest.Content(2, 3<<20), "base.qcow2", "-c")
		imagetest.Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "-o", o, m.path("a.qcow2"), "5M")
		m.io("a.qcow2", "write -P 1 1000 5000", "write -z 100k 50k", "write -P 2 1M 1M", "discard 1200k 100k", "write -z 2M 7k", "write -P 9 4M 512", "write -z 4100k 3k")
		d := open(t, imagetest.Open(t, m.path("a.qcow2")))
		imagetest.Compare(t, d, m.raw("a.qcow2"))
	}
}

func TestBackingChain(t *testing.T) {
	m := newMaker(t)
	content := imagetest.Content(3, 2<<20)
	if err := os.WriteFile(m.path("base.raw"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	sub := m.path("elsewhere")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"base.raw", "raw", "one.qcow2", "3M"}, {"one.qcow2", "qcow2", "two.qcow2", "2500K"}, {m.path("two.qcow2"), "qcow2", "three.qcow2", "4M"}} {
		imagetest.Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", c[0], "-F", c[1], m.path(c[2]), c[3])
		m.io(c[2], "write -P 7 "+c[3][:1]+"00k 130k", "write -z 1M 64k")
	}
	d := open(t, imagetest.Open(t, m.path("three.qcow2")))
	imagetest.Compare(t, d, m.raw("three.qcow2"))
	if n := notes(d); len(n) != 1 || !strings.Contains(n[0], `"two.qcow2" beside it was taken`) {
		t.Errorf("%q", n)
	}
	want := m.raw("two.qcow2")
	if err := os.Remove(m.path("base.raw")); err != nil {
		t.Fatal(err)
	}
	d = open(t, imagetest.Open(t, m.path("two.qcow2")))
	got, lost := imagetest.Salvage(t, d)
	if len(lost) == 0 || !strings.Contains(lost[0].Reason, `lies in the backing file "base.raw", which is not beside the image`) {
		t.Fatalf("%+v", lost)
	}
	for _, l := range lost {
		copy(want[l.Ref.Off:], bytes.Repeat([]byte{'?'}, int(l.Ref.Len)))
	}
	if !bytes.Equal(got, want) {
		t.Error("what is there differs")
	}
}

func TestALongChain(t *testing.T) {
	m := newMaker(t)
	m.convert(imagetest.Content(7, 1<<20), "0.qcow2")
	for i := range 40 {
		imagetest.Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", fmt.Sprintf("%d.qcow2", i), "-F", "qcow2", m.path(fmt.Sprintf("%d.qcow2", i+1)))
	}
	imagetest.Compare(t, open(t, imagetest.Open(t, m.path("40.qcow2"))), m.raw("0.qcow2"))
}

func TestInternalSnapshots(t *testing.T) {
	m := newMaker(t)
	m.convert(imagetest.Content(4, 2<<20), "a.qcow2", "-c")
	var want [][]byte
	for _, s := range []string{"first", "zweiter Stand"} {
		imagetest.Run(t, "qemu-img", "snapshot", "-c", s, m.path("a.qcow2"))
		want = append(want, m.raw("a.qcow2"))
		m.io("a.qcow2", "write -P 3 0 300k", "write -z 500k 100k", "write -P 5 1M 10k")
	}
	imagetest.Run(t, "qemu-img", "resize", m.path("a.qcow2"), "3M")
	d := open(t, imagetest.Open(t, m.path("a.qcow2")))
	imagetest.Compare(t, d, m.raw("a.qcow2"))
	snaps := d.(image.Snapshotter).Snapshots()
	if len(snaps) != 2 || snaps[0].Name != "first" || snaps[1].Name != "zweiter Stand" || !snaps[0].Made.Known() {
		t.Fatalf("%+v", snaps)
	}
	for i, s := range snaps {
		imagetest.Compare(t, s.Disk, want[i])
	}
}

func TestExternalDataFile(t *testing.T) {
	content := imagetest.Content(5, 2<<20)
	for _, o := range []string{"", ",data_file_raw=on"} {
		m := newMaker(t)
		m.convert(content, "a.qcow2", "-o", "data_file="+m.path("a.data")+o)
		d := open(t, imagetest.Open(t, m.path("a.qcow2")))
		imagetest.Compare(t, d, content)
		if err := os.Remove(m.path("a.data")); err != nil {
			t.Fatal(err)
		}
		if _, lost := imagetest.Salvage(t, open(t, imagetest.Open(t, m.path("a.qcow2")))); len(lost) == 0 || !strings.Contains(lost[0].Reason, "data file") {
			t.Errorf("%+v", lost)
		}
	}
}

func TestEncryptedIsRefused(t *testing.T) {
	for method, name := range map[uint32]string{1: "AES", 2: "LUKS", 3: "method 3"} {
		b := crafted(func(b []byte) { binary.BigEndian.PutUint32(b[32:], method) })
		if _, err := qcow2.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": b}, "a"), nil); !errors.Is(err, image.ErrEncrypted) || !strings.Contains(err.Error(), name) {
			t.Error(err)
		}
	}
}

// crafted is a version 2 header with its words.
func crafted(change func(b []byte)) []byte {
	b := make([]byte, 8<<10)
	copy(b, "QFI\xfb")
	binary.BigEndian.PutUint32(b[4:], 2)
	binary.BigEndian.PutUint32(b[20:], 9)
	binary.BigEndian.PutUint64(b[24:], 1<<20)
	binary.BigEndian.PutUint32(b[36:], 64)
	binary.BigEndian.PutUint64(b[40:], 512)
	change(b)
	return b
}

func TestCrafted(t *testing.T) {
	be := binary.BigEndian
	backing := func(name string) func(b []byte) {
		return func(b []byte) {
			be.PutUint64(b[8:], 4096)
			be.PutUint32(b[16:], uint32(len(name)))
			copy(b[4096:], name)
		}
	}
	for name, tc := range map[string]struct {
		change func(b []byte)
		opens  bool
		says   string
	}{
		"l1_size 0x7fffffff":       {func(b []byte) { be.PutUint32(b[36:], 0x7fffffff) }, true, ""},
		"and a size to match":      {func(b []byte) { be.PutUint32(b[36:], 0x7fffffff); be.PutUint64(b[24:], 1<<61) }, false, "L1 table"},
		"cluster_bits 63":          {func(b []byte) { be.PutUint32(b[20:], 63) }, false, "clusters of 2^63"},
		"cluster_bits 8":           {func(b []byte) { be.PutUint32(b[20:], 8) }, false, "clusters of 2^8"},
		"negative size":            {func(b []byte) { be.PutUint64(b[24:], 1<<63) }, false, "size"},
		"unknown feature":          {func(b []byte) { be.PutUint32(b[4:], 3); be.PutUint64(b[72:], 1<<7); be.PutUint32(b[100:], 104) }, false, "0x80"},
		"self-referential tables":  {func(b []byte) { be.PutUint64(b[512:], 512|1<<63); be.PutUint64(b[520:], 512|1<<63) }, true, ""},
		"L1 beyond the end":        {func(b []byte) { be.PutUint64(b[40:], 1<<50) }, false, "L1 table"},
		"backing /etc/passwd":      {backing("/etc/passwd"), true, "not beside"},
		"backing ../x":             {backing("../x"), true, "not beside"},
		"backing ..":               {backing(".."), true, "not beside"},
		"backing itself":           {backing("dir/a.qcow2"), false, "leads back"},
		"backing json":             {backing(`json:{"file":{"driver":"file","filename":"/etc/passwd"}}`), true, "not read"},
		"backing name too long":    {func(b []byte) { be.PutUint64(b[8:], 4096); be.PutUint32(b[16:], 1<<31) }, false, "backing file name"},
		"a million of snapshots":   {func(b []byte) { be.PutUint32(b[60:], 1<<20); be.PutUint64(b[64:], 1024) }, true, ""},
		"snapshots beyond the end": {func(b []byte) { be.PutUint32(b[60:], 5); be.PutUint64(b[64:], 1<<63) }, true, "snapshot 1 of 5"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := qcow2.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a.qcow2": crafted(tc.change)}, "a.qcow2"), limit.New(limit.Memory))
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

func TestCutImagesGiveTheRest(t *testing.T) {
	m := newMaker(t)
	content := imagetest.Content(6, 2<<20)
	whole, err := os.ReadFile(m.convert(content, "a.qcow2"))
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(whole); cut += len(whole) / 50 {
		d, err := qcow2.Format().Open(t.Context(), imagetest.Mem(map[string][]byte{"a": whole[:cut]}, "a"), nil)
		if err != nil {
			continue
		}
		got, lost := imagetest.Salvage(t, d)
		if len(lost) == 0 {
			t.Fatalf("cut at %d: no damage", cut)
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
		if !strings.HasSuffix(name, ".qcow2") {
			continue
		}
		d := open(t, imagetest.Mem(folder, name))
		content, lost := imagetest.Salvage(t, d)
		fmt.Fprintf(&out, "%s: %d bytes, sha256 %x, %d lost\n", name, d.Size(), sha256.Sum256(content), len(lost))
		i := d.(image.Describer).Info()
		for _, f := range i.Facts {
			fmt.Fprintf(&out, "  %s: %s\n", f.Name, f.Value)
		}
		fmt.Fprintf(&out, "  notes %q\n", i.Notes)
		for _, s := range d.(image.Snapshotter).Snapshots() {
			content, _ := imagetest.Salvage(t, s.Disk)
			fmt.Fprintf(&out, "  snapshot %q, %s: sha256 %x\n", s.Name, s.Made, sha256.Sum256(content))
		}
	}
	golden.Equal(t, "testdata/samples.golden", out.Bytes())
}

func FuzzRead(f *testing.F) {
	imagetest.Fuzz(f, qcow2.Format().Open, imagetest.Samples(f))
}

func BenchmarkRead(b *testing.B)     { benchmark(b) }
func BenchmarkReadZlib(b *testing.B) { benchmark(b, "-c") }
func BenchmarkReadZstd(b *testing.B) { benchmark(b, "-c", "-o", "compression_type=zstd") }

func benchmark(b *testing.B, args ...string) {
	m := newMaker(b)
	imagetest.Throughput(b, open(b, imagetest.Open(b, m.convert(imagetest.Content(8, 256<<20), "a.qcow2", args...))))
}
