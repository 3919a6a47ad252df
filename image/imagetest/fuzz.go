package imagetest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"telltale/evidence"
	"telltale/image"
	"telltale/internal/limit"
)

// maxTime is what one damaged image may take; a hundred times of what is usual.
const maxTime = 10 * time.Second

// Fuzz reads samples that the fuzzer damages: edits is a row of six-byte groups, where (an
// index into the 16-byte lines in use, and a word there) and what. cut shortens the file.
func Fuzz(f *testing.F, open func(context.Context, image.File, *limit.Budget) (image.Disk, error), folder map[string][]byte) {
	names := slices.Sorted(maps.Keys(folder))
	lines := map[string][]int{}
	for i, n := range names {
		lines[n] = busy(folder[n])
		f.Add(uint8(i), uint16(0), []byte{})
		f.Add(uint8(i), uint16(1), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
		f.Add(uint8(i), uint16(77), []byte{0x21, 0, 0xff, 0xff, 0xff, 0x7f, 2, 1, 0, 0, 0, 0x80})
	}
	f.Fuzz(func(t *testing.T, which uint8, cut uint16, edits []byte) {
		name := names[int(which)%len(names)]
		b := slices.Clone(folder[name])
		for k := 0; len(edits) >= 6 && k < 32; edits, k = edits[6:], k+1 {
			l := lines[name]
			at := l[int(binary.LittleEndian.Uint16(edits)>>2)%len(l)] + int(edits[0]&3)*4
			copy(b[at:], edits[2:6])
		}
		b = b[:max(0, len(b)-int(cut)*int(cut))]
		damaged := maps.Clone(folder)
		damaged[name] = b
		start := time.Now()
		d, err := open(t.Context(), Mem(damaged, name), limit.New(limit.Memory))
		if err != nil {
			return
		}
		Poke(t, d)
		if s, ok := d.(image.Snapshotter); ok {
			for i, s := range s.Snapshots() {
				if i < 4 {
					Poke(t, s.Disk)
				}
			}
		}
		if i, ok := d.(image.Describer); ok {
			i.Info()
		}
		if took := time.Since(start); took > maxTime {
			t.Fatalf("took %v", took)
		}
	})
}

// Poke reads a disk whose size may be any number: its first and last MiB and some places between.
func Poke(t testing.TB, d image.Disk) {
	t.Helper()
	size := d.Size()
	if size < 0 {
		t.Fatalf("size %d", size)
	}
	p := make([]byte, 256<<10)
	at := []int64{0, 256 << 10, 512 << 10, size/2 + 1, size - 100_000, size - 1}
	for _, off := range at {
		if off < 0 || off >= size {
			continue
		}
		n, err := d.ReadAt(p, off)
		var lost *evidence.Damage
		switch {
		case n < 0 || int64(n) > size-off:
			t.Fatalf("%d bytes at %d of %d", n, off, size)
		case n == len(p) && err != nil && err != io.EOF, n < len(p) && err == nil:
			t.Fatalf("%d of %d bytes at %d of %d: %v", n, len(p), off, size, err)
		case errors.As(err, &lost) && (lost.Ref.Off < 0 || lost.Ref.Len <= 0 || lost.Ref.Len > 1<<62):
			t.Fatalf("damage without a place: %+v", lost)
		}
	}
}

// busy gives the offsets of the 16-byte lines that are not zero, tables first: a line with many
// different bytes is most likely content.
func busy(raw []byte) (list []int) {
	for i := 0; i+16 <= len(raw); i += 16 {
		if binary.LittleEndian.Uint64(raw[i:])|binary.LittleEndian.Uint64(raw[i+8:]) != 0 {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		list = []int{0}
	}
	return list
}
