package ext4_test

import (
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
)

// FuzzRead reads samples that are damaged by the fuzzer: edits is a row of six-byte
// groups, where (an index into the lines in use, and a byte there) and what.
func FuzzRead(f *testing.F) {
	var images [][]byte
	var lines [][]int64
	for i, path := range samples(f) {
		raw := unpack(f, path)
		images = append(images, raw)
		lines = append(lines, fstest.Busy(raw))
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		i := int(which) % len(images)
		src := &fstest.Patched{Raw: images[i]}
		src.Edit(edits, lines[i])
		start, size := time.Now(), int64(len(src.Raw))
		v, err := ext4.Open(src, size)
		if err != nil {
			return
		}
		r := &fstest.Reader{FS: v, Budget: 4 << 20}
		r.Stop = func() bool { return r.Names > 2000 }
		r.All()
		fstest.CheckRefs(t, v, &r.Out, size)
		for n := filesystem.Inode(0); n < 100; n++ {
			v.Stat(n)
			v.Xattrs(n)
		}
		for range v.Orphans(t.Context()) {
		}
		fstest.Abilities(t, v, size)
		if took := time.Since(start); took > maxTime {
			t.Fatalf("took %v", took)
		}
	})
}
