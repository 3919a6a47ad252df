package ext4

import (
	"context"
	"iter"

	"telltale/filesystem"
)

var _ filesystem.Leftoverer = (*FS)(nil)

// Leftovers gives the runs that were set aside for files and never written (fallocate, as journald and databases do it), and what lies behind
// their ends. The kernel fills the rest of a last block with zeros; what else lies there was put there by something else than a write.
func (f *FS) Leftovers(ctx context.Context) iter.Seq2[filesystem.Leftover, error] {
	return func(yield func(filesystem.Leftover, error) bool) {
		for g := range f.groupsHere() {
			if err := ctx.Err(); err != nil {
				yield(filesystem.Leftover{}, err)
				return
			}
			d, err := f.groupOf(g)
			if err != nil || d.flags&groupInodeUninit != 0 {
				continue // the walk tells what cannot be read
			}
			per := f.sb.inodesPerGroup
			for i := range per - min(d.unused, per) {
				n := g*uint64(per) + uint64(i) + 1
				if n < 11 || n > 1<<32-1 { // the first ten are the filesystem's own
					continue
				}
				in, err := f.inode(filesystem.Inode(n))
				if err != nil || in.links == 0 || in.fileType() != filesystem.Regular || in.flags&flagInline != 0 {
					continue
				}
				if !f.leftoversOf(&in, yield) {
					return
				}
			}
		}
	}
}

// leftoversOf gives those of one file; false means that the caller wants no more.
func (f *FS) leftoversOf(in *inode, yield func(filesystem.Leftover, error) bool) bool {
	going := true
	give := func(first, phys, length int64, behind bool) {
		if length > 0 {
			going = going && yield(filesystem.Leftover{Inode: filesystem.Inode(in.number), Extent: filesystem.Extent{Logical: first, Physical: phys, Length: length}, Behind: behind}, nil)
		}
	}
	w := mapper{f: f, in: in}
	w.reserved = func(first, n, phys int64) {
		if phys > 0 && n > 0 && phys < f.blocks {
			give(first*f.blockSize, phys*f.blockSize, min(n, f.blocks-phys)*f.blockSize, false)
		}
	}
	if in.flags&flagExtents != 0 {
		w.extents()
	} else {
		w.indirect()
	}
	for i := len(w.m.runs) - 1; i >= 0 && w.m.runs[i].end()*f.blockSize > in.size; i-- {
		if r := w.m.runs[i]; r.phys >= 0 {
			skip := max(0, in.size-int64(r.first)*f.blockSize)
			give(int64(r.first)*f.blockSize+skip, r.phys*f.blockSize+skip, int64(r.count)*f.blockSize-skip, true)
		}
	}
	return going
}
