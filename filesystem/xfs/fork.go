package xfs

import (
	"sort"

	"telltale/evidence"
	"telltale/internal/bin"
)

// run is a row of a fork's blocks that lie in a row on disk.
type run struct {
	first int64 // block of the fork
	count int64
	phys  int64 // block of the filesystem, or unwritten
}

const unwritten = -1 // allocated, never written: reads as zeros

func (r run) end() int64 { return r.first + r.count }

// forkMap says where a fork's blocks lie: runs in order, what is between them is a
// hole. It is not changed once it is made.
type forkMap struct {
	runs   []run
	damage *evidence.Damage // the first that was met
	holey  bool             // runs are missing: what looks like a hole may be none
	nodes  int              // tree blocks read
}

const (
	maxRuns     = 2 << 20 // 48 MiB of them; a file in more pieces is cut there, as damage
	maxMapNodes = 64 << 10
	maxLevels   = 16 // of any tree; XFS_BTREE_MAXLEVELS is 9
	runBytes    = 24
	extentSize  = 16 // bytes, struct xfs_bmbt_rec
	maxFileOff  = 1<<54 - 1

	bmapMagic  = 0x424d4150 // "BMAP"
	bmapMagic5 = 0x424d4133 // "BMA3"
	longHead   = 24         // bytes, XFS_BTREE_LBLOCK_LEN
	longHead5  = 72         // bytes, XFS_BTREE_LBLOCK_CRC_LEN
	longCRC    = 64
)

// mapper fills a forkMap from extents in the inode or from a tree.
type mapper struct {
	f      *FS
	in     *inode
	attr   bool
	m      forkMap
	seen   map[int64]struct{} // tree blocks met: a second time is a circle
	mapped int64              // blocks given; no file has more than the filesystem

	mergedFrom uint64 // extents met

	reserved func(r run, block int64) // is told of extents that were never written, nil for nobody
}

// dataMap gives where an inode's content lies, from the cache if it can.
func (f *FS) dataMap(in *inode) *forkMap {
	if m, ok := f.maps.Get(in.number); ok {
		return m
	}
	m := f.mapFork(in, in.format, in.dataFork(), in.extents, false)
	if m.damage != nil {
		f.bad.Add(mapStructure, in.off)
	}
	f.maps.Put(in.number, m, 64+len(m.runs)*runBytes)
	return m
}

// attrMap gives where the blocks of an inode's attribute fork lie.
func (f *FS) attrMap(in *inode) *forkMap {
	return f.mapFork(in, in.aformat, in.attrFork(), in.aextents, true)
}

func (f *FS) mapFork(in *inode, format forkFormat, fork []byte, count uint64, attr bool) *forkMap {
	w := mapper{f: f, in: in, attr: attr}
	return w.read(format, fork, count)
}

// read reads a fork's extents.
func (w *mapper) read(format forkFormat, fork []byte, count uint64) *forkMap {
	switch format {
	case formatExtents:
		if count > uint64(len(fork)/extentSize) {
			w.missing("%d extents do not fit into the record", count)
			count = uint64(len(fork) / extentSize)
		}
		w.records(fork[:count*extentSize])
	case formatBtree:
		w.root(fork)
		if w.m.damage == nil && w.mergedFrom != count {
			w.missing("has %d extents, its record says %d", w.mergedFrom, count)
		}
	default:
		w.missing("fork of format %d", format)
	}
	w.m.nodes = len(w.seen)
	return &w.m
}

// missing keeps the first damage, after which holes cannot be believed.
func (w *mapper) missing(format string, a ...any) {
	w.doubt(format, a...)
	w.m.holey = true
}

func (w *mapper) doubt(format string, a ...any) {
	if w.m.damage == nil {
		w.m.damage = damage(w.in.off, len(w.in.raw), "inode %d: block map: "+format, append([]any{w.in.number}, a...)...)
	}
}

// records adds packed extents.
func (w *mapper) records(b []byte) {
	for ; len(b) >= extentSize; b = b[extentSize:] {
		if len(w.m.runs) >= maxRuns || w.mapped > w.f.blocks {
			w.missing("more extents than can be: the rest is not read")
			return
		}
		r, start := unpackExtent(b)
		w.mergedFrom++
		if n := len(w.m.runs); r.count == 0 || r.end() > maxFileOff || n > 0 && r.first < w.m.runs[n-1].end() {
			w.missing("extent of %d blocks at %d out of order", r.count, r.first)
			continue
		}
		w.mapped += r.count
		if !w.physical(&r, start) {
			w.missing("extent of %d blocks at %d lies at %#x, outside a group", r.count, r.first, start)
			continue
		}
		w.add(r)
	}
}

// unpackExtent undoes xfs_bmbt_disk_set_all: a flag, 54 bits of block in the file, 52 of
// fsblock, 21 of length.
func unpackExtent(b []byte) (run, uint64) {
	c := bin.Big(b)
	high, low := c.U64(), c.U64()
	r := run{first: int64(high << 1 >> 10), count: int64(low & (1<<21 - 1))}
	if high>>63 != 0 {
		r.phys = unwritten
	}
	return r, high&(1<<9-1)<<43 | low>>21
}

// physical fills in where a run lies. An extent never leaves its group.
func (w *mapper) physical(r *run, start uint64) bool {
	block, ok := w.f.fromFSBlock(start)
	if !ok || block == 0 {
		return false
	}
	group := uint32(block / int64(w.f.sb.agBlocks))
	if within := block % int64(w.f.sb.agBlocks); r.count > w.f.groupLength(group)-within {
		return false
	}
	if r.phys != unwritten {
		r.phys = block
	} else if w.reserved != nil {
		w.reserved(*r, block)
	}
	return true
}

// add appends a run, joined to the last one where they touch in both worlds.
func (w *mapper) add(r run) {
	if n := len(w.m.runs); n > 0 {
		last := &w.m.runs[n-1]
		if last.end() == r.first && (r.phys >= 0 && last.phys >= 0 && last.phys+last.count == r.phys || r.phys < 0 && last.phys < 0) {
			last.count += r.count
			return
		}
	}
	w.m.runs = append(w.m.runs, r)
}

// root reads a tree's root in the record (struct xfs_bmdr_block).
func (w *mapper) root(fork []byte) {
	w.seen = make(map[int64]struct{})
	c := bin.Big(fork)
	level, count := int(c.U16()), int(c.U16())
	most := max(len(fork)-4, 0) / 16
	if c.Err() != nil || level == 0 || level > maxLevels || count > most {
		w.missing("root of %d entries on level %d", count, level)
		return
	}
	w.children(fork, 4+most*8, count, level)
}

func (w *mapper) children(b []byte, at, count, level int) {
	c := bin.Big(b).Seek(at)
	for range count {
		w.node(c.U64(), level-1)
	}
}

func (w *mapper) node(ptr uint64, level int) {
	block, ok := w.f.fromFSBlock(ptr)
	if _, again := w.seen[block]; !ok || again || len(w.seen) >= maxMapNodes {
		w.missing("tree block %#x cannot be or is met twice", ptr)
		return
	}
	w.seen[block] = struct{}{}
	b, err := w.f.block(block, longCRC, treeStructure)
	if err != nil {
		w.missing("%v", err)
		return
	}
	if w.f.bad.Has(treeStructure, block*w.f.blockSize) {
		w.doubt("tree block %d does not match its checksum; it is read all the same", block)
	}
	head, magic := longHead, uint32(bmapMagic)
	if w.f.sb.v5() {
		head, magic = longHead5, bmapMagic5
	}
	c := bin.Big(b)
	most := (len(b) - head) / 16
	if m, l, n := c.U32(), int(c.U16()), int(c.U16()); m != magic || l != level || n > most {
		w.missing("block %d is no tree block of level %d", block, level)
	} else if level == 0 {
		w.records(b[head : head+n*extentSize])
	} else {
		w.children(b, head+most*8, n, level)
	}
}

// find gives the index of the run that holds the fork's block, or of the next one.
func (m *forkMap) find(block int64) int {
	return sort.Search(len(m.runs), func(i int) bool { return m.runs[i].end() > block })
}
