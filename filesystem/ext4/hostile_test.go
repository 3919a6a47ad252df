package ext4_test

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
)

// find gives the inode of a name in the root directory.
func find(t testing.TB, f *ext4.FS, name string) filesystem.Meta {
	t.Helper()
	for e, err := range f.ReadDir(f.Root()) {
		if err == nil && string(e.Name) == name {
			m, err := f.Stat(e.Inode)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
	}
	t.Fatalf("no %q", name)
	return filesystem.Meta{}
}

// Maps that run in circles or claim far more than there is must end soon, and be told.
func TestHostileMaps(t *testing.T) {
	const block, at = 1000, 1000 * 1024 // a free block of the samples
	le := binary.LittleEndian
	for _, tc := range []struct {
		name, image string
		spoil       func(raw []byte, inode int64)
	}{
		{"indirect block of itself", "ext2", func(raw []byte, inode int64) {
			for i := range int64(256) {
				le.PutUint32(raw[at+i*4:], block)
			}
			for i := range int64(15) {
				le.PutUint32(raw[inode+0x28+i*4:], block)
			}
		}},
		{"extent tree of itself", "ext4", func(raw []byte, inode int64) {
			node := func(b []byte, depth, most uint16) {
				for i, v := range []uint16{0xf30a, most, most, depth} {
					le.PutUint16(b[i*2:], v)
				}
				for i := range int(most) {
					le.PutUint32(b[12+i*12:], uint32(i))
					le.PutUint32(b[12+i*12+4:], block)
				}
			}
			node(raw[inode+0x28:], 5, 4)
			node(raw[at:], 4, 84)
		}},
		{"extents all over each other", "ext4", func(raw []byte, inode int64) {
			b := raw[inode+0x28:]
			for i, v := range []uint16{0xf30a, 4, 4, 0} {
				le.PutUint16(b[i*2:], v)
			}
			for i := range 4 {
				le.PutUint32(b[12+i*12:], 0)
				le.PutUint16(b[12+i*12+4:], 0x7fff)
				le.PutUint32(b[12+i*12+8:], 1)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := unpack(t, "testdata/"+tc.image+".img.gz")
			m := find(t, openSample(t, raw), "sparse")
			le.PutUint32(raw[m.Ref.Off+4:], 1<<32-1)
			le.PutUint32(raw[m.Ref.Off+0x6c:], 0x3ff)
			tc.spoil(raw, m.Ref.Off)
			f := openSample(t, raw)
			start := time.Now()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			list, err := f.Extents(m.Inode)
			runtime.ReadMemStats(&after)
			if !errors.As(err, new(*evidence.Damage)) {
				t.Errorf("%d extents and no damage: %v", len(list), err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("took %v", took)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
				t.Errorf("allocated %d bytes", n)
			}
			if m, err := f.Stat(m.Inode); m.Size == 0 || err == nil && tc.image == "ext4" {
				t.Errorf("size %d, %v", m.Size, err)
			}
		})
	}
}

func TestConcurrentReaders(t *testing.T) {
	f := openSample(t, unpack(t, "testdata/ext4.img.gz"))
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
