package btrfs

import (
	"context"
	"iter"

	"telltale/filesystem"
)

// isOrphan tells whether an inode without a name waits for its last user.
func (f *FS) isOrphan(i int, object uint64) bool {
	_, err := one(f.live(i), key{orphanObject, kindOrphan, object})
	return err == nil
}

// Orphans lists the inodes without a name that were still open, of all subvolumes
// that can be reached in this view. Those that are only being cut shorter have their name still,
// and are left out.
func (f *FS) Orphans(ctx context.Context) iter.Seq2[filesystem.Meta, error] {
	return func(yield func(filesystem.Meta, error) bool) {
		for i := range f.trees.list {
			for it, err := range all(f.live(i), orphanObject, kindOrphan) {
				if e := ctx.Err(); e != nil {
					yield(filesystem.Meta{}, e)
					return
				}
				if err != nil {
					if !yield(filesystem.Meta{}, err) {
						return
					}
					continue
				}
				if it.offset >= maxObject {
					continue
				}
				m, err := f.Stat(f.number(i, it.offset))
				if (err != nil || m.State == filesystem.Orphan) && !yield(m, err) {
					return
				}
			}
		}
	}
}
