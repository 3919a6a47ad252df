package fstest

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"telltale/filesystem"
)

// Patched is an image with four bytes changed here and there: fuzzing whole images
// would spend its time on zeros.
type Patched struct {
	Raw     []byte
	patches []patch
}

type patch struct {
	off   int64
	bytes [4]byte
}

// ReadAt reads as io.ReaderAt does.
func (p *Patched) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(p.Raw)) {
		return 0, io.EOF
	}
	n := copy(b, p.Raw[off:])
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

// Change changes four bytes.
func (p *Patched) Change(off int64, to [4]byte) { p.patches = append(p.patches, patch{off, to}) }

// Edit takes a fuzzer's bytes as a row of six-byte groups: where (an index into the lines in use, and a byte there) and what.
func (p *Patched) Edit(edits []byte, lines []int64) {
	for ; len(edits) >= 6 && len(p.patches) < 32; edits = edits[6:] {
		line := lines[int(binary.LittleEndian.Uint16(edits)>>2)*17%len(lines)]
		p.Change(line+int64(edits[0]&3)*4, [4]byte(edits[2:6]))
	}
}

// Busy gives the offsets of the 16-byte lines that are not zero.
func Busy(raw []byte) (list []int64) {
	for i := 0; i+16 <= len(raw); i += 16 {
		if binary.LittleEndian.Uint64(raw[i:])|binary.LittleEndian.Uint64(raw[i+8:]) != 0 {
			list = append(list, int64(i))
		}
	}
	return list
}

// Abilities uses what else a filesystem of size bytes can do, within bounds, and fails where something lies outside of it.
func Abilities(t *testing.T, v filesystem.FS, size int64) {
	t.Helper()
	ctx := context.Background()
	if f, ok := v.(filesystem.Replayer); ok {
		if now, _, err := f.Replay(ctx); err == nil && now != nil {
			r := &Reader{FS: now, Budget: 1 << 20}
			r.Stop = func() bool { return r.Names > 500 }
			r.All()
		}
	}
	if f, ok := v.(filesystem.Undeleter); ok {
		n, buf := 0, make([]byte, 64<<10)
		_, gone := f.Deleted(ctx)
		for d, err := range gone {
			if n++; n > 200 {
				break
			}
			if err != nil || d.Content == nil {
				continue
			}
			d.Content.ReadAt(buf, 0)
			d.Content.ReadAt(buf, d.Meta.Size-10)
			for _, e := range d.Extents {
				if e.Length <= 0 || e.Physical >= size {
					t.Fatalf("%q: extent %+v of a source of %d bytes", d.Path, e, size)
				}
			}
		}
	}
	if f, ok := v.(filesystem.FreeSpacer); ok {
		n := 0
		for e, err := range f.FreeSpace(ctx) {
			if n++; n > 1000 {
				break
			}
			if err == nil && (e.Physical < 0 || e.Length <= 0) {
				t.Fatalf("free run %+v", e)
			}
		}
	}
	v.Info()
}
