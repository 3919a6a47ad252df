package xfs_test

import (
	"context"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
)

// patched is an image with four bytes changed here and there: fuzzing whole images
// would spend its time on zeros.
type patched struct {
	raw     []byte
	patches []patch
}

type patch struct {
	off   int64
	bytes [4]byte
}

func (p *patched) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(p.raw)) {
		return 0, io.EOF
	}
	n := copy(b, p.raw[off:])
	for _, x := range p.patches {
		for i, v := range x.bytes {
			if at := x.off + int64(i) - off; at >= 0 && at < int64(n) {
				b[at] = v
			}
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// busy gives the offsets of the 16-byte lines that are not zero.
func busy(raw []byte) (list []int64) {
	for i := 0; i+16 <= len(raw); i += 16 {
		if binary.LittleEndian.Uint64(raw[i:])|binary.LittleEndian.Uint64(raw[i+8:]) != 0 {
			list = append(list, int64(i))
		}
	}
	return list
}

// FuzzRead reads samples that are damaged by the fuzzer: edits is a row of six-byte
// groups, where (an index into the lines in use, and a byte there) and what.
func FuzzRead(f *testing.F) {
	var images [][]byte
	var lines [][]int64
	for i, path := range samples(f) {
		raw := unpack(f, path)
		images = append(images, raw)
		lines = append(lines, busy(raw))
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		i := int(which) % len(images)
		src := &patched{raw: images[i]}
		for ; len(edits) >= 6 && len(src.patches) < 32; edits = edits[6:] {
			line := lines[i][int(binary.LittleEndian.Uint16(edits)>>2)*17%len(lines[i])]
			src.patches = append(src.patches, patch{line + int64(edits[0]&3)*4, [4]byte(edits[2:6])})
		}
		start, size := time.Now(), int64(len(src.raw))
		v, err := xfs.Open(src, size)
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
		for range v.FreeSpace(t.Context()) {
		}
		readRecovered(v)
		v.Info()
		if took := time.Since(start); took > maxTime {
			t.Fatalf("took %v", took)
		}
	})
}

// readRecovered reads the replayed view and the deleted files, within bounds.
func readRecovered(v *xfs.FS) {
	ctx := context.Background()
	if view, _, err := v.Replay(ctx); err == nil && view != nil {
		r := &fstest.Reader{FS: view, Budget: 1 << 20}
		r.Stop = func() bool { return r.Names > 500 }
		r.All()
	}
	_, found := v.Deleted(ctx)
	buf, n := make([]byte, 64<<10), 0
	for r, err := range found {
		if n++; n > 1000 {
			break
		}
		if err == nil {
			r.Content.ReadAt(buf, 0)
			r.Content.ReadAt(buf, r.Meta.Size-10)
		}
	}
}
