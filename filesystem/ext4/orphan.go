package ext4

import (
	"context"
	"errors"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	orphanMagic = 0x0b10ca04
	orphanTail  = 8       // bytes, struct ext4_orphan_block_tail
	maxOrphans  = 1 << 20 // inodes; more than a machine can hold open
)

// Orphans lists the inodes without a name that were still open. Those that are only
// being cut shorter have their name still, and are left out.
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
			m, err := f.Stat(filesystem.Inode(n))
			if (err != nil || m.State == filesystem.Orphan) && !yield(m, err) {
				return
			}
		}
	}
}

func (f *FS) isOrphan(n uint32) bool {
	f.findOrphans()
	_, ok := f.orphan.set[n]
	return ok
}

func (f *FS) findOrphans() {
	f.orphan.once.Do(func() {
		f.orphan.set = make(map[uint32]struct{})
		f.orphanChain()
		if f.sb.compat&compatOrphanFile != 0 {
			f.orphanFile()
		}
	})
}

// addOrphan tells whether n is new.
func (f *FS) addOrphan(n uint32) bool {
	if _, ok := f.orphan.set[n]; ok || len(f.orphan.list) >= maxOrphans {
		return false
	}
	f.orphan.set[n] = struct{}{}
	f.orphan.list = append(f.orphan.list, n)
	return true
}

func (f *FS) orphanError(err error) { f.orphan.errs = append(f.orphan.errs, err) }

// orphanChain follows the list that begins in the superblock and goes on in i_dtime.
func (f *FS) orphanChain() {
	for n := f.sb.lastOrphan; n != 0; {
		in, err := f.inode(filesystem.Inode(n))
		if err == nil && !f.addOrphan(n) {
			err = damage(in.off, len(in.raw), "list of orphan inodes runs in a circle or is too long at inode %d", n)
		}
		if err != nil {
			var d *evidence.Damage
			if !errors.As(err, &d) {
				d = damage(f.sb.block*f.blockSize, superSize, "list of orphan inodes: %v", err)
			}
			f.orphanError(d)
			return
		}
		n = in.dtime
	}
}

// orphanFile reads the file of inode numbers that newer filesystems keep instead.
func (f *FS) orphanFile() {
	in, err := f.inode(filesystem.Inode(f.sb.orphanFile))
	if err != nil {
		f.orphanError(err)
		return
	}
	m := f.mapOf(&in)
	if m.damage != nil {
		f.orphanError(m.damage)
	}
	for _, r := range m.runs {
		for i := int64(0); i < int64(r.count) && r.phys >= 0 && (int64(r.first)+i)*f.blockSize < in.size; i++ {
			if len(f.orphan.list) >= maxOrphans || len(f.orphan.errs) > maxOrphanFaults {
				return
			}
			f.orphanBlock(&in, r.phys+i)
		}
	}
}

// maxOrphanFaults is after how many faults the orphan file is given up.
const maxOrphanFaults = 100

func (f *FS) orphanBlock(in *inode, n int64) {
	b, err := f.block(n)
	if err != nil {
		f.orphanError(err)
		return
	}
	at, tail := n*f.blockSize, len(b)-orphanTail
	c := bin.Little(b).Seek(tail)
	if c.U32() != orphanMagic {
		f.orphanError(damage(at, len(b), "block of the orphan file has no magic number"))
		return
	}
	if f.sb.ro&roMetadataCsum != 0 && crc32c(crc32c64(in.seed(f), uint64(n)), b[:tail]) != c.U32() {
		f.bad.Add(orphanStructure, at)
	}
	for c.Seek(0); c.Off() < tail; {
		if ino := c.U32(); ino != 0 {
			f.addOrphan(ino)
		}
	}
}
