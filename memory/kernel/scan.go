package kernel

import (
	"bytes"
	"context"

	"telltale/internal/btf"
	"telltale/internal/holes"
	"telltale/memory"
)

// Bounds of the one pass over the memory.
const (
	window  = 4 << 20
	overlap = 256 // bytes of the window before that are looked at again
	maxHits = 4096
)

// The patterns that are looked for.
var (
	noteBegin   = []byte("OSRELEASE=")
	btfBegin    = []byte{btf.Magic & 0xff, btf.Magic >> 8, 1, 0, btf.HeaderSize, 0, 0, 0, 0, 0, 0, 0}
	firstTask   = []byte("swapper")
	tokenDigits = []byte("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00")
	banner      = []byte("Linux version ")
)

// found is where patterns stand in the memory.
type found struct {
	notes, btf, tasks, tokens []uint64
	banners                   []string
	read                      uint64 // bytes
}

// scan looks for all patterns in one pass.
func scan(ctx context.Context, d memory.Dump, progress func(done, total int64)) (*found, error) {
	s := &found{}
	total := uint64(0)
	for _, r := range d.Ranges() {
		total += r.Size
	}
	buf := make([]byte, overlap+window)
	for _, r := range d.Ranges() {
		kept := 0
		for at := uint64(0); at < r.Size; {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n := int(min(window, r.Size-at))
			got, _ := d.ReadPhys(buf[kept:kept+n], r.Start+at)
			if b := buf[:kept+got]; !holes.Zero(b) {
				s.look(b, r.Start+at-uint64(kept))
			}
			if got == n {
				kept = copy(buf, buf[max(0, kept+got-overlap):kept+got])
				at += uint64(n)
			} else { // a page that is not there, or cannot be unpacked
				kept, at = 0, (at+uint64(got))&^(memory.PageSize-1)+memory.PageSize
			}
			s.read += uint64(got)
			if progress != nil {
				progress(int64(s.read), int64(total))
			}
		}
	}
	return s, nil
}

// look notes what stands in b, which begins at an address. What lies in the overlap alone was noted before.
func (s *found) look(b []byte, addr uint64) {
	each := func(pattern []byte, to *[]uint64, fits func(i int) bool) {
		for i := 0; len(*to) < maxHits; i += len(pattern) {
			n := bytes.Index(b[i:], pattern)
			if n < 0 {
				return
			}
			if i += n; fits(i) && (len(*to) == 0 || (*to)[len(*to)-1] != addr+uint64(i)) {
				*to = append(*to, addr+uint64(i))
			}
		}
	}
	each(noteBegin, &s.notes, func(i int) bool { return (addr+uint64(i))%4 == 0 }) // in notes of ELF, too
	each(btfBegin, &s.btf, func(int) bool { return true })                         // before 5.13 it was not aligned
	each(firstTask, &s.tasks, func(i int) bool {
		return i+9 < len(b) && (b[i+7] == 0 || b[i+7] == '/' && b[i+8] == '0' && b[i+9] == 0)
	})
	each(tokenDigits, &s.tokens, func(int) bool { return true })
	var at []uint64
	each(banner, &at, func(i int) bool {
		t := b[i:min(len(b), i+200)]
		if e := bytes.IndexAny(t, "\n\x00"); e > 30 && len(s.banners) < 16 && bytes.Contains(t[:e], []byte("gcc")) || e > 30 && bytes.Contains(t[:e], []byte("#1")) {
			s.banners = append(s.banners, string(t[:e]))
		}
		return false
	})
}
