package xfs

import (
	"context"
	"iter"

	"telltale/filesystem"
)

var _ filesystem.Leftoverer = (*FS)(nil)

// Leftovers gives the extents that were set aside for files and never written, also behind their ends, where XFS sets aside by itself for files that
// grow, and the rest of their last blocks, which the kernel fills with zeros.
func (f *FS) Leftovers(ctx context.Context) iter.Seq2[filesystem.Leftover, error] {
	return func(yield func(filesystem.Leftover, error) bool) {
		for g := range f.sb.agCount {
			list, errs := f.chunks(g)
			for _, err := range errs {
				if !yield(filesystem.Leftover{}, err) {
					return
				}
			}
			for _, c := range list {
				if err := ctx.Err(); err != nil {
					yield(filesystem.Leftover{}, err)
					return
				}
				for i := range uint32(chunkInodes) {
					if c.free>>i&1 == 1 || c.holes>>(i/4)&1 != 0 {
						continue
					}
					in, err := f.inode(f.join(g, c.start+i))
					if err != nil || in.mode == 0 || in.links == 0 || in.fileType() != filesystem.Regular {
						continue // the walk tells what cannot be read
					}
					if !f.leftoversOf(&in, yield) {
						return
					}
				}
			}
		}
	}
}

// maxLogical bounds where in a file something can lie.
const maxLogical = 1 << 62

// leftoversOf gives those of one file; false means that the caller wants no more.
func (f *FS) leftoversOf(in *inode, yield func(filesystem.Leftover, error) bool) bool {
	going := true
	give := func(first, phys, length int64, behind bool) {
		if length > 0 {
			going = going && yield(filesystem.Leftover{Inode: in.number, Extent: filesystem.Extent{Logical: first, Physical: phys, Length: length}, Behind: behind}, nil)
		}
	}
	if in.format != formatExtents && in.format != formatBtree {
		return true
	}
	w := mapper{f: f, in: in}
	w.reserved = func(r run, block int64) {
		if r.end() <= maxLogical/f.blockSize {
			give(r.first*f.blockSize, block*f.blockSize, r.count*f.blockSize, false)
		}
	}
	m := w.read(in.format, in.dataFork(), in.extents)
	for i := len(m.runs) - 1; i >= 0 && m.runs[i].end() > in.size/f.blockSize; i-- {
		if r := m.runs[i]; r.phys >= 0 && r.end() <= maxLogical/f.blockSize {
			skip := max(0, in.size-r.first*f.blockSize)
			give(r.first*f.blockSize+skip, r.phys*f.blockSize+skip, r.count*f.blockSize-skip, true)
		}
	}
	return going
}
