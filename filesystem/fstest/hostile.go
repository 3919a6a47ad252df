package fstest

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"telltale/filesystem"
)

// What reading one crafted image may cost.
const (
	maxTime  = 5 * time.Second
	maxAlloc = 1 << 30 // bytes, all that is allocated on the way together
	lineSize = 16
)

// busy gives the offsets of the lines that are not zero.
func busy(raw []byte) (list []int) {
	for i := 0; i+lineSize <= len(raw); i += lineSize {
		if binary.LittleEndian.Uint64(raw[i:])|binary.LittleEndian.Uint64(raw[i+8:]) != 0 {
			list = append(list, i)
		}
	}
	return list
}

// Edited gives a copy of an image that a fuzzer damaged: edits is a row of six-byte groups, where (an index into the
// lines in use, and a place there) and what.
func Edited(raw, edits []byte) []byte {
	out := append([]byte(nil), raw...)
	lines := busy(raw)
	for n := 0; len(edits) >= 6 && len(lines) > 0 && n < 32; edits, n = edits[6:], n+1 {
		line := lines[int(binary.LittleEndian.Uint16(edits)>>2)*17%len(lines)]
		copy(out[line+int(edits[0]&3)*4:], edits[2:6])
	}
	return out
}

// Endure reads an image that may be crafted, all of it within bounds, and fails where that takes too long, too much
// memory, or gives places outside the source.
func Endure(t *testing.T, open func() (filesystem.FS, error), size int64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	v, err := open()
	if err != nil {
		return
	}
	r := &Reader{FS: v, Budget: 4 << 20}
	r.Stop = func() bool { return r.Names > 2000 }
	r.All()
	CheckRefs(t, v, &r.Out, size)
	for n := filesystem.Inode(0); n < 100; n++ {
		v.Stat(n)
		v.Readlink(n)
	}
	v.Info()
	undelete(t, v, size)
	if took := time.Since(start); took > maxTime {
		t.Fatalf("took %v", took)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > maxAlloc {
		t.Fatalf("allocated %d bytes", n)
	}
}

// undelete asks for what optional abilities give.
func undelete(t *testing.T, v filesystem.FS, size int64) {
	t.Helper()
	if f, ok := v.(filesystem.FreeSpacer); ok {
		n := 0
		for e, err := range f.FreeSpace(t.Context()) {
			if n++; n > 1000 {
				break
			}
			if err == nil && (e.Physical < 0 || e.Length <= 0 || e.Physical > size-e.Length) {
				t.Fatalf("free run %+v of a source of %d bytes", e, size)
			}
		}
	}
	u, ok := v.(filesystem.Undeleter)
	if !ok {
		return
	}
	n, buf := 0, make([]byte, 64<<10)
	_, gone := u.Deleted(t.Context())
	for d, err := range gone {
		if n++; err != nil || n > 100 {
			break
		}
		d.Content.ReadAt(buf, 0)
		for _, e := range d.Extents {
			if e.Length <= 0 || e.Physical >= 0 && e.Physical > size-1 {
				t.Fatalf("%q: extent %+v of a source of %d bytes", d.Path, e, size)
			}
		}
	}
}

// Mutants reads n damaged copies of an image.
func Mutants(t *testing.T, raw []byte, n int, open func(raw []byte) (filesystem.FS, error)) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(len(raw))))
	for range n {
		edits := make([]byte, 6*(1+rng.IntN(8)))
		for i := range edits {
			edits[i] = byte(rng.Uint32())
		}
		b := Edited(raw, edits)
		if rng.IntN(4) == 0 { // and cut
			b = b[:rng.IntN(len(b))]
		}
		Endure(t, func() (filesystem.FS, error) { return open(b) }, int64(len(b)))
	}
}
