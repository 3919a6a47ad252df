package ext4

import (
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// i_block has twelve direct pointers, then one each of single, double and triple
// indirection.
const directPointers = 12

// indirect reads the block map of ext2 and ext3.
func (w *mapper) indirect() {
	end := int64(maxLogical)
	if w.in.fileType() != filesystem.Directory { // its names may go on behind its size, see dirReader
		end = (w.in.size + w.f.blockSize - 1) / w.f.blockSize
	}
	c := bin.Little(w.in.iblock())
	at := int64(0)
	for i := range iBlockSize / 4 {
		level := max(0, i-directPointers+1)
		w.pointer(int64(c.U32()), level, at, end)
		at += w.span(level)
	}
}

// span gives how many blocks of the file a pointer of a level stands for.
func (w *mapper) span(level int) int64 {
	n := int64(1)
	for range level {
		n *= w.f.blockSize / 4
	}
	return n
}

func (w *mapper) pointer(block int64, level int, at, end int64) {
	if block == 0 || at >= end {
		return
	}
	if level == 0 {
		w.add(run{uint32(at), 1, block})
		return
	}
	span := w.span(level - 1)
	b, d := w.visit(block)
	if d == nil && w.full() {
		d = w.outOfProportion(block)
	}
	if d != nil {
		w.bad(d, at, min(end, at+w.span(level)))
		return
	}
	c := bin.Little(b)
	for i := range w.f.blockSize / 4 {
		if w.full() {
			w.bad(w.outOfProportion(block), at+i*span, min(end, at+w.span(level)))
			return
		}
		w.pointer(int64(c.U32()), level-1, at+i*span, end)
	}
}

func (w *mapper) outOfProportion(block int64) *evidence.Damage {
	return damage(block*w.f.blockSize, int(w.f.blockSize), "inode %d: block map is out of proportion (%d runs): cut here", w.in.number, len(w.m.runs))
}
