package vfat_test

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
	"sync"
	"testing"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/vfat"
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

func openSample(t testing.TB, raw []byte) *vfat.FS {
	t.Helper()
	f, err := vfat.Open(bytes.NewReader(raw), int64(len(raw)))
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

// TestDeleted holds what was deleted against what is found of it.
func TestDeleted(t *testing.T) {
	for _, path := range samples(t) {
		name := strings.TrimSuffix(path, ".img.gz")
		f := openSample(t, unpack(t, path))
		var b bytes.Buffer
		h, gone := f.Deleted(t.Context())
		fmt.Fprintf(&b, "%s %q\n", h.Source, h.Notes)
		for d, err := range gone {
			if err != nil {
				t.Fatal(err)
			}
			text := make([]byte, min(d.Meta.Size, 40))
			n, err := d.Content.ReadAt(text, 0)
			if err == io.EOF {
				err = nil
			}
			fmt.Fprintf(&b, "%q %s size %d m %s free %d reused %d %q %v %s\n", d.Path, d.Meta.Type, d.Meta.Size, d.Meta.Mtime, d.Free, d.Reused, text[:n], err, d.PathFrom)
		}
		golden.Equal(t, name+".deleted.golden", b.Bytes())
	}
}

func TestFreeSpace(t *testing.T) {
	for _, path := range samples(t) {
		f := openSample(t, unpack(t, path))
		used := map[int64]bool{}
		for _, n := range fstest.ReadTree(f).Nodes {
			list, _ := f.Extents(n.Meta.Inode)
			for _, e := range list {
				used[e.Physical] = true
			}
		}
		total, end := int64(0), int64(0)
		for e, err := range f.FreeSpace(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Physical <= end {
				t.Errorf("%s: free run %+v behind %d", path, e, end)
			}
			for at := range used {
				if at >= e.Physical && at < e.Physical+e.Length {
					t.Errorf("%s: byte %d is a file's and free", path, at)
				}
			}
			total, end = total+e.Length, e.Physical+e.Length
		}
		if total == 0 {
			t.Errorf("%s: nothing is free", path)
		}
	}
}

// TestProbe: what begins as a boot sector does, and is none of FAT.
func TestProbe(t *testing.T) {
	probe := vfat.Format().Probe
	raw := unpack(t, "testdata/fat16.img.gz")[:4096]
	with := func(at int, b ...byte) []byte {
		out := bytes.Clone(raw)
		copy(out[at:], b)
		return out
	}
	grub := make([]byte, 512) // an MBR with GRUB's first stage: a jump, room for a BPB, partitions
	copy(grub, "\xeb\x63\x90")
	grub[446+4], grub[446+12], grub[510], grub[511] = 0x83, 1, 0x55, 0xaa
	for name, head := range map[string][]byte{"nothing": nil, "short": raw[:500], "zeros": make([]byte, 128<<10), "NTFS": with(3, []byte("NTFS    ")...), "BitLocker": with(3, []byte("-FVE-FS-")...),
		"an MBR": grub, "sectors of 1000": with(11, 0xe8, 3), "no cluster": with(13, 0), "three sectors a cluster": with(13, 3), "no FAT": with(16, 0), "no root": with(17, 0, 0),
		"a table too short": with(22, 1, 0), "no jump": with(0, 0x33, 0xc0), "no mark": with(510, 0, 0), "no sectors": with(19, 0, 0, 0, 0)} {
		if probe(head) {
			t.Errorf("%s was taken for a filesystem", name)
		}
	}
	for _, path := range samples(t) {
		if !probe(unpack(t, path)[:512]) {
			t.Errorf("%s was not recognised", path)
		}
	}
}

// TestCircles: chains that lead to themselves end, and are told.
func TestCircles(t *testing.T) {
	raw := unpack(t, "testdata/fat16.img.gz")
	f := openSample(t, raw)
	var at filesystem.Inode
	var size int64
	for p, n := range fstest.ReadTree(f).Nodes {
		if p == "/words.txt" {
			at, size = n.Meta.Inode, n.Meta.Size
		}
	}
	first := int(binary.LittleEndian.Uint16(raw[at+26:]))
	fat := int(binary.LittleEndian.Uint16(raw[14:])) * 512
	binary.LittleEndian.PutUint16(raw[fat+2*(first+3):], uint16(first+1))
	f = openSample(t, raw)
	b := make([]byte, size)
	n, err := f.ReadAt(at, b, 0)
	var d *evidence.Damage
	if !errors.As(err, &d) || int64(n) >= size {
		t.Errorf("%d of %d bytes, %v", n, size, err)
	}
}

func TestATruncatedImageIsReadAsFarAsItGoes(t *testing.T) {
	raw := unpack(t, "testdata/fat12.img.gz")
	for size := 0; size < 100<<10; size += 7001 {
		f, err := vfat.Open(bytes.NewReader(raw[:size]), int64(size))
		if err != nil {
			continue
		}
		if out := fstest.ReadTree(f); len(out.Errs) == 0 && size < 30<<10 || len(f.Info().Notes) < 2 {
			t.Errorf("of %d bytes: %d names, no fault or no note", size, len(out.Nodes))
		}
	}
}

func TestInodesThatThereAreNot(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/fat16.img.gz"))
	for _, n := range []filesystem.Inode{0, 2, 1 << 31, 1 << 47, 1<<64 - 1, 9001} {
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
	f := openSample(t, unpack(t, "testdata/fat12.img.gz"))
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
		fstest.Mutants(t, front(unpack(t, path)), 60, func(raw []byte) (filesystem.FS, error) { return vfat.Open(bytes.NewReader(raw), int64(len(raw))) })
	}
}

// front cuts off what no file reaches: damaging copies of it is slow.
func front(raw []byte) []byte { return raw[:min(len(raw), 700<<10)] }

func FuzzRead(f *testing.F) {
	var images [][]byte
	for i, path := range samples(f) {
		images = append(images, front(unpack(f, path)))
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		raw := fstest.Edited(images[int(which)%len(images)], edits)
		fstest.Endure(t, func() (filesystem.FS, error) { return vfat.Open(bytes.NewReader(raw), int64(len(raw))) }, int64(len(raw)))
	})
}

func BenchmarkRead(b *testing.B) {
	raw := unpack(b, "testdata/fat16.img.gz")
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
