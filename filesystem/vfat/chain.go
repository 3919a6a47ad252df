package vfat

import (
	"context"
	"io"
	"iter"

	"telltale/filesystem"
)

// maxRuns bounds the pieces of one file that are kept.
const maxRuns = 1 << 20

// run is a row of clusters, in bytes.
type run struct{ logical, at, length int64 }

// chain is where content lies. It reads as an io.ReaderAt.
type chain struct {
	f       *FS
	runs    []run
	size    int64
	valid   int64 // exFAT: what lies behind was never written, and reads as zeros
	damaged error
}

// next gives the cluster that follows one, as it stands in the table: 0 for a free one.
func (f *FS) next(c uint32) (uint32, error) {
	off := int64(c)
	switch f.g.kind {
	case fat12:
		off += off / 2
		v, err := f.tableAt(off, 2)
		if c&1 != 0 {
			v >>= 4
		}
		return v & 0xfff, err
	case fat16:
		return f.tableAt(off*2, 2)
	case fat32:
		v, err := f.tableAt(off*4, 4)
		return v & 0x0fff_ffff, err
	}
	return f.tableAt(off*4, 4)
}

// tableAt reads a number of two or four bytes.
func (f *FS) tableAt(off int64, n int) (v uint32, err error) {
	if off < 0 || off > f.g.fatLen-int64(n) {
		return 0, damage(f.g.fat, 0, "entry at %d of a table of %d bytes", off, f.g.fatLen)
	}
	for i := range n { // a number of FAT12 may reach into the next piece
		at := off + int64(i)
		p, ok := f.table.Get(at / tablePiece)
		if !ok {
			start := at / tablePiece * tablePiece
			p = make([]byte, min(tablePiece, f.g.fatLen-start))
			if err := f.readAt(p, f.g.fat+start); err != nil {
				return 0, err
			}
			f.table.Put(at/tablePiece, p, len(p))
		}
		v |= uint32(p[at%tablePiece]) << (8 * i)
	}
	return v, nil
}

// last tells whether a table's entry ends a chain.
func (f *FS) last(v uint32) bool {
	return v >= [...]uint32{fat12: 0xff8, fat16: 0xfff8, fat32: 0x0fff_fff8, exFAT: 0xffff_fff8}[f.g.kind]
}

func (f *FS) inside(c uint32) bool { return c >= 2 && c-2 < f.g.clusters }

func (f *FS) place(c uint32) int64 { return f.g.data + int64(c-2)*f.g.cluster }

// add takes a cluster in; it tells whether there is room for more.
func (c *chain) add(at, length int64) bool {
	logical := int64(0)
	if n := len(c.runs); n > 0 {
		l := &c.runs[n-1]
		if logical = l.logical + l.length; l.at+l.length == at {
			l.length += length
			return true
		}
	}
	c.runs = append(c.runs, run{logical, at, length})
	return len(c.runs) < maxRuns
}

// follow gives where a file's content lies.
func (f *FS) follow(e *entry) *chain {
	c := &chain{f: f, size: e.meta.Size, valid: e.valid}
	if e.contiguous {
		f.straight(c, e.first)
		return c
	}
	f.walk(c, e.first, c.size)
	return c
}

// straight takes clusters in a row.
func (f *FS) straight(c *chain, first uint32) {
	if c.size == 0 {
		return
	}
	if !f.inside(first) || (c.size-1)/f.g.cluster > int64(f.g.clusters-(first-2))-1 {
		c.damaged = damage(0, 0, "%d bytes from cluster %d on reach beyond the last of %d", c.size, first, f.g.clusters)
		return
	}
	c.add(f.place(first), (c.size+f.g.cluster-1)/f.g.cluster*f.g.cluster)
}

// walk follows the table for as many bytes as are wanted. A circle is found as Brent does, by a mark that moves on.
func (f *FS) walk(c *chain, first uint32, want int64) {
	at, mark, since, power := first, uint32(0), 0, 1
	for have := int64(0); have < want; have += f.g.cluster {
		if !f.inside(at) || at == mark {
			c.damaged = damage(0, 0, "chain from cluster %d leads to %d after %d of %d bytes", first, at, have, want)
			return
		}
		if !c.add(f.place(at), f.g.cluster) {
			c.damaged = damage(0, 0, "chain from cluster %d of more than %d pieces", first, maxRuns)
			return
		}
		if since++; since == power {
			mark, since, power = at, 0, power*2
		}
		v, err := f.next(at)
		if err != nil {
			c.damaged = err
			return
		}
		if f.last(v) {
			if have+f.g.cluster < want {
				c.damaged = damage(0, 0, "chain from cluster %d ends after %d of %d bytes", first, have+f.g.cluster, want)
			}
			return
		}
		at = v
	}
}

// ReadAt reads content. What lies behind the end of a broken chain is damage.
func (c *chain) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= c.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > c.size-off {
		p, end = p[:c.size-off], io.EOF
	}
	done := 0
	for _, r := range c.runs {
		at := off + int64(done)
		if done == len(p) {
			break
		}
		if at >= r.logical+r.length {
			continue
		}
		k := int(min(int64(len(p)-done), r.logical+r.length-at))
		if err := c.f.readAt(p[done:done+k], r.at+at-r.logical); err != nil {
			return done, err
		}
		done += k
	}
	if done < len(p) {
		if c.damaged == nil {
			return done, damage(0, 0, "content from byte %d on is nowhere", off+int64(done))
		}
		return done, c.damaged
	}
	if z := c.valid - off; z < int64(len(p)) {
		clear(p[max(0, z):])
	}
	return done, end
}

func (c *chain) extents() (list []filesystem.Extent) {
	for _, r := range c.runs {
		if n := min(r.length, c.size-r.logical, c.f.size-r.at); n > 0 {
			list = append(list, filesystem.Extent{Logical: r.logical, Physical: r.at, Length: n})
		}
	}
	return list
}

// free tells whether a cluster belongs to no file.
func (f *FS) free(c uint32) (bool, error) {
	if f.g.kind != exFAT {
		v, err := f.next(c)
		return v == 0 && err == nil, err
	}
	if f.bitmap == nil {
		return false, damage(0, 0, "the map of taken clusters was not found")
	}
	at := int64(c-2) / 8
	key := -1 - at/tablePiece // the table's own pieces have the keys from 0 on
	p, ok := f.table.Get(key)
	if !ok {
		start := at / tablePiece * tablePiece
		p = make([]byte, min(tablePiece, f.bitmap.size-start))
		if n, err := f.bitmap.ReadAt(p, start); n < len(p) {
			return false, err
		}
		f.table.Put(key, p, len(p))
	}
	return p[at%tablePiece]>>((c-2)%8)&1 == 0, nil
}

// FreeSpace gives the runs of free clusters.
func (f *FS) FreeSpace(ctx context.Context) iter.Seq2[filesystem.Extent, error] {
	return func(yield func(filesystem.Extent, error) bool) {
		var e filesystem.Extent
		for c := uint32(2); f.inside(c); c++ {
			free, err := f.free(c)
			if ctx.Err() != nil {
				return
			}
			if err != nil || f.place(c)+f.g.cluster > f.size {
				if e.Length > 0 && !yield(e, nil) {
					return
				}
				if err == nil {
					err = damage(0, 0, "clusters from %d on lie beyond the end of the source at %d", c, f.size)
				}
				yield(filesystem.Extent{}, err)
				return
			}
			switch {
			case free && e.Length > 0:
				e.Length += f.g.cluster
			case free:
				e = filesystem.Extent{Physical: f.place(c), Length: f.g.cluster}
			case e.Length > 0:
				if !yield(e, nil) {
					return
				}
				e.Length = 0
			}
		}
		if e.Length > 0 {
			yield(e, nil)
		}
	}
}
