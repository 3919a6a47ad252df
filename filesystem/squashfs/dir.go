package squashfs

import (
	"fmt"
	"iter"

	"telltale/filesystem"
)

// A listing is rows of entries, each with a head (struct squashfs_dir_header, squashfs_dir_entry).
const (
	dirHead   = 12        // bytes
	dirEntry  = 8         // bytes, without the name
	dirCount  = 256       // entries of one row
	maxName   = 256       // SQUASHFS_NAME_LEN
	maxListed = 5_000_000 // names of one directory that are read
)

// ReadDir yields the names in a directory.
func (f *FS) ReadDir(n filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		in, err := f.inode(n)
		if in == nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		if in.meta.Type != filesystem.Directory {
			yield(filesystem.Dirent{}, fmt.Errorf("inode %d is no directory: %w", n, filesystem.ErrNotExist))
			return
		}
		if in.meta.Size <= dirOverhead {
			return
		}
		c := f.metaAt(f.sb.dirTable, in.start, int(in.offset))
		if err := rows(c, in.meta.Size-dirOverhead, yield); err != nil {
			yield(filesystem.Dirent{}, err)
		}
	}
}

func rows(c *cursor, size int64, yield func(filesystem.Dirent, error) bool) error {
	var name [maxName]byte
	for listed := 0; size-c.total >= dirHead; {
		count, block := int64(c.u32())+1, uint64(c.u32())
		c.u32()
		if c.err != nil {
			return c.err
		}
		if count > dirCount {
			r := c.ref()
			return damage(r.Off, r.Len, "directory row of %d names", count)
		}
		for range count {
			off := c.u16()
			c.u16()
			t, length := c.u16(), int(c.u16())+1
			if c.err == nil && (length > maxName || int64(length) > size-c.total) {
				r := c.ref()
				return damage(r.Off, r.Len, "name of %d bytes in a directory of %d", length, size)
			}
			c.read(name[:min(length, maxName)])
			if c.err != nil {
				return c.err
			}
			if listed++; listed > maxListed {
				r := c.ref()
				return damage(r.Off, r.Len, "directory of more than %d names", maxListed)
			}
			if !yield(filesystem.Dirent{Name: name[:length:length], Inode: filesystem.Inode(block<<16|uint64(off)) + 1, Type: typeOf(t)}, nil) {
				return nil
			}
		}
	}
	return c.err
}
