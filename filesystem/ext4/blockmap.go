package ext4

import (
	"sort"

	"telltale/evidence"
	"telltale/filesystem"
)

// run is a row of a file's blocks that lie in a row on disk.
type run struct {
	first uint32 // block of the file
	count uint32
	phys  int64 // block of the filesystem, or one of the two below
}

const (
	unwritten  = -1 // allocated, never written: reads as zeros
	unreadable = -2 // where these blocks lie could not be read
)

func (r run) end() int64 { return int64(r.first) + int64(r.count) }

// blockMap says where a file's content lies: runs in order, what is between them is
// a hole. It is not changed once it is made.
type blockMap struct {
	runs   []run
	damage *evidence.Damage // the first that was met; it does not tell where to stop
}

const (
	maxRuns     = 2 << 20   // 32 MiB of them; a file in more pieces is cut there, as damage
	maxMapNodes = 600 << 10 // tree or indirect blocks of one file: those of 2 TiB in ext3
	runBytes    = 16
)

// mapper fills a blockMap from an extent tree or from indirect blocks.
type mapper struct {
	f      *FS
	in     *inode
	m      blockMap
	seen   map[int64]struct{} // tree blocks met: a second time is a circle
	mapped int64              // blocks given; no file has more than the filesystem

	disordered bool // entries were passed over: what looks like a hole may be none

	reserved func(first, count, phys int64) // is told of runs that were never written, nil for nobody
}

// mapOf gives where an inode's content lies, from the cache if it can.
func (f *FS) mapOf(in *inode) *blockMap {
	key := filesystem.Inode(in.number)
	if m, ok := f.maps.Get(key); ok {
		return m
	}
	m := f.mapRecord(in)
	if m.damage != nil {
		f.bad.Add(mapStructure, in.off)
	}
	m = f.fast.mapOf(in, m)
	f.maps.Put(key, m, 64+len(m.runs)*runBytes)
	return m
}

// mapRecord gives where the content lies by the record alone, which may be an older one than the
// filesystem has now.
func (f *FS) mapRecord(in *inode) *blockMap {
	w := mapper{f: f, in: in}
	if in.flags&flagExtents != 0 {
		w.extents()
	} else {
		w.indirect()
	}
	if w.disordered {
		w.fillHoles()
	}
	return &w.m
}

// bad keeps the first damage, and marks the file's blocks from first to end (not
// included) as not readable.
func (w *mapper) bad(d *evidence.Damage, first, end int64) {
	if w.m.damage == nil {
		w.m.damage = d
	}
	size := (w.in.size + w.f.blockSize - 1) / w.f.blockSize
	if end = min(end, size); end > first && first <= 1<<32-1 {
		w.add(run{uint32(first), uint32(min(end-first, 1<<32-1)), unreadable})
	}
}

// disorder keeps damage after which holes cannot be believed.
func (w *mapper) disorder(d *evidence.Damage) {
	w.bad(d, 0, 0)
	w.disordered = true
}

// fillHoles marks all holes as not readable.
func (w *mapper) fillHoles() {
	runs := w.m.runs
	w.m.runs = nil
	for _, r := range runs {
		w.bad(w.m.damage, w.last(), int64(r.first))
		w.m.runs = append(w.m.runs, r)
	}
	w.bad(w.m.damage, w.last(), maxLogical)
}

// full tells that no more is to be read, because something is out of all proportion.
func (w *mapper) full() bool {
	return len(w.m.runs) >= maxRuns || w.mapped > w.f.blocks || len(w.seen) >= maxMapNodes
}

// add appends a run, joined to the last one where they touch in both worlds. What
// lies outside the filesystem is marked.
func (w *mapper) add(r run) {
	if r.phys >= 0 {
		if in := w.f.blocks - r.phys; r.phys == 0 || in <= 0 {
			w.bad(damage(w.in.off, len(w.in.raw), "inode %d: content at block %d of %d", w.in.number, r.phys, w.f.blocks), int64(r.first), r.end())
			return
		} else if int64(r.count) > in {
			tail := int64(r.first) + in
			w.add(run{r.first, uint32(in), r.phys})
			w.bad(damage(w.in.off, len(w.in.raw), "inode %d: content goes beyond the last block", w.in.number), tail, r.end())
			return
		}
		w.mapped += int64(r.count)
	}
	if n := len(w.m.runs); n > 0 {
		last := &w.m.runs[n-1]
		touches := last.end() == int64(r.first) && int64(last.count)+int64(r.count) <= 1<<32-1
		if touches && (r.phys >= 0 && last.phys >= 0 && last.phys+int64(last.count) == r.phys || r.phys < 0 && last.phys == r.phys) {
			last.count += r.count
			return
		}
	}
	w.m.runs = append(w.m.runs, r)
}

// visit reads a block of the tree, once.
func (w *mapper) visit(block int64) ([]byte, *evidence.Damage) {
	if _, ok := w.seen[block]; ok {
		return nil, damage(block*w.f.blockSize, int(w.f.blockSize), "inode %d: block %d is met twice in its block map", w.in.number, block)
	}
	if w.seen == nil {
		w.seen = make(map[int64]struct{})
	}
	w.seen[block] = struct{}{}
	b, err := w.f.block(block)
	if err != nil {
		return nil, damage(w.in.off, len(w.in.raw), "inode %d: block map: %v", w.in.number, err)
	}
	return b, nil
}

// last gives the file's block behind the last run.
func (w *mapper) last() int64 {
	if n := len(w.m.runs); n > 0 {
		return w.m.runs[n-1].end()
	}
	return 0
}

// find gives the index of the run that holds the file's block, or of the next one.
func (m *blockMap) find(block int64) int {
	return sort.Search(len(m.runs), func(i int) bool { return m.runs[i].end() > block })
}
