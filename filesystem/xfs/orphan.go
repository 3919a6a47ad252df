package xfs

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	maxOrphans      = 1 << 20 // inodes; more than a machine can hold open
	maxOrphanFaults = 100     // after which a group is given up
)

// Orphans lists the inodes without a name that were still open: the unlinked lists of
// all groups.
func (f *FS) Orphans(ctx context.Context) iter.Seq2[filesystem.Meta, error] {
	return func(yield func(filesystem.Meta, error) bool) {
		f.findOrphans()
		for _, err := range f.orphan.errs {
			if !yield(filesystem.Meta{}, err) {
				return
			}
		}
		for _, n := range f.orphan.list {
			if err := ctx.Err(); err != nil {
				yield(filesystem.Meta{}, err)
				return
			}
			m, err := f.Stat(n)
			if (err != nil || m.State == filesystem.Orphan) && !yield(m, err) {
				return
			}
		}
	}
}

func (f *FS) isOrphan(n filesystem.Inode) bool {
	f.findOrphans()
	_, ok := f.orphan.set[n]
	return ok
}

func (f *FS) findOrphans() {
	f.orphan.once.Do(func() {
		f.orphan.set = make(map[filesystem.Inode]struct{})
		for g := uint32(0); g < f.sb.agCount && len(f.orphan.errs) < maxOrphanFaults; g++ {
			f.orphansOf(g)
		}
	})
}

func (f *FS) orphanError(err error) {
	var d *evidence.Damage
	if !errors.As(err, &d) {
		d = damage(0, 0, "unlinked list: %v", err)
	}
	f.orphan.errs = append(f.orphan.errs, d)
}

func (f *FS) orphansOf(g uint32) {
	header, at, err := f.groupHeader(g, 2, agiMagic, agiCRC)
	if err != nil {
		f.orphanError(err)
		return
	}
	c := bin.Big(header).Seek(agiUnlinked)
	for range buckets {
		for next := c.U32(); next != nullAgino; {
			n := f.join(g, next)
			if _, again := f.orphan.set[n]; again || len(f.orphan.list) >= maxOrphans || next>>(f.sb.agLog+f.sb.inopbLog()) != 0 {
				f.orphanError(damage(at, len(header), "unlinked list runs in a circle, is too long or wrong at inode %d", n))
				break
			}
			in, err := f.inode(n)
			if err != nil {
				f.orphanError(err)
				break
			}
			f.orphan.set[n] = struct{}{}
			f.orphan.list = append(f.orphan.list, n)
			next = binary.BigEndian.Uint32(in.raw[nextUnlinkedAt:])
		}
	}
}
