package journald

import (
	"math/bits"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/bin"
)

const (
	arrayItems = 24       // bytes before the first item of an array of entries
	maxIndexed = 2 << 30  // bytes of a file whose index is followed: a bit for each eight of them is kept
	sliceBytes = 64 << 10 // bytes of an array that are read at once
)

// index is what the file's own chain of arrays says of where its entries lie, and what the walk found beside it.
type index struct {
	named   []uint64 // a bit for each eight bytes: an array names an entry there that the walk has not met; nil where no index is followed
	count   int64
	last    int64 // the greatest offset named
	zeros   bool  // empty slots stand before others in use: a page was not written, or was wiped
	broken  int64 // where the chain cannot be followed, 0 where it can
	loose   int64 // entries that no array names and that lie before the last one that is named
	behind  int64 // those that lie behind it
	looseAt int64
	from    evidence.Time
	to      evidence.Time
}

// follow goes through the chain of arrays. An array lies behind the one that names it (journal-verify.c refuses any other), so the chain
// has no circle and the work is bounded by the file.
func (r *reader) follow() {
	x := &r.index
	if r.header.array == 0 || r.size > maxIndexed {
		return
	}
	x.named = make([]uint64, r.size/512+1) // of the file's real size, not of what its header says
	step := int64(8)
	if r.header.compact {
		step = 4
	}
	empty := false
	for off, end := r.header.array, int64(0); off != 0; {
		kind, size, ok := r.object(off)
		if !ok || kind != objectArray || size < arrayItems || off < end || r.ctx.Err() != nil {
			x.broken = max(off, 1)
			return
		}
		b, err := r.src.read(off+objectHeader, 8)
		if err != nil {
			x.broken = off
			return
		}
		end = off + size
		next := int64(min(bin.Little(b).U64(), uint64(r.size)))
		for at := off + arrayItems; at < end; at += sliceBytes {
			b, err := r.src.read(at, int(min(end-at, sliceBytes)/step*step))
			if err != nil {
				x.broken = at
				return
			}
			for ; len(b) >= int(step); b = b[step:] {
				empty = r.name(b, empty)
			}
		}
		off = next
	}
}

// name takes down one slot of an array.
func (r *reader) name(b []byte, empty bool) bool {
	x := &r.index
	var off int64
	if c := bin.Little(b); r.header.compact {
		off = int64(c.U32())
	} else {
		off = int64(min(c.U64(), uint64(r.size)))
	}
	if off == 0 {
		return true
	}
	x.zeros = x.zeros || empty
	if off&7 != 0 || off+entryItems > r.size {
		x.broken = max(off, 1)
		return empty
	}
	if w := &x.named[off/512]; *w>>(off/8%64)&1 == 0 {
		*w |= 1 << (off / 8 % 64)
		x.count++
	}
	x.last = max(x.last, off)
	return empty
}

// met notes an entry that the walk came by.
func (r *reader) met(off int64, at evidence.Time) {
	x := &r.index
	if x.named == nil {
		return
	}
	if w := &x.named[off/512]; *w>>(off/8%64)&1 == 1 {
		*w &^= 1 << (off / 8 % 64)
		return
	}
	if off > x.last {
		x.behind++
	} else if x.loose++; x.loose == 1 {
		x.looseAt = off
	}
	if x.loose == 0 || off < x.last {
		x.from, x.to = evidence.Min(x.from, at), evidence.Max(x.to, at)
	}
}

// leftover reads the entries that the arrays name and the walk did not meet: they lie in what it took for something else.
// Their sizes may not add up to more than the file.
func (r *reader) leftover() (found int64) {
	budget := r.size
	for i, w := range r.index.named {
		for ; w != 0 && r.going && r.ctx.Err() == nil; w &= w - 1 {
			off := int64(i)*512 + int64(bits.TrailingZeros64(w))*8
			kind, size, ok := r.object(off)
			if !ok || kind != objectEntry {
				continue // what lay there is damaged, and told as such
			}
			if budget -= size; budget < 0 {
				r.tell(r.damage(off, size, "the index names more entries than the file has room for"))
				return found
			}
			found++
			r.entry(off, size)
		}
	}
	return found
}

// tellIndex tells of entries that lie in the file and in no array. Behind the last one that is indexed they are ordinary: the
// array is written after the entry, so a file that is still open, was not closed, or was full ends with some.
func (r *reader) tellIndex() {
	x := &r.index
	n, where := x.loose, "index whole"
	switch {
	case x.named == nil || x.loose+x.behind == 0 || !r.going:
		return
	case x.broken > 0 || x.zeros:
		n, where = x.loose+x.behind, "index broken"
	case x.loose == 0:
		n, where = x.behind, "at the end"
	}
	e := r.missing("journal-unlinked", n, where)
	e.At = x.to
	e.AddText(event.EventStart, x.from.String())
	e.AddText(event.SettingValue, r.header.words(r.in.Path))
	if x.looseAt > 0 {
		e.Ref.Off, e.Ref.Len = x.looseAt, entryItems
	}
	r.say(e, "%s: %d entries from %s to %s lie in the file and its index does not name them (%s; the file is %s)", r.in.Path, n, x.from, x.to, where, r.header.words(r.in.Path))
}
