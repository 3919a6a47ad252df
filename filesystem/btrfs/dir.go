package btrfs

import (
	"fmt"
	"iter"

	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	entryHead    = 30   // bytes, struct btrfs_dir_item
	maxDepth     = 4096 // directories above one another
	maxNameParts = 1024
)

var entryTypes = [16]filesystem.Type{1: filesystem.Regular, 2: filesystem.Directory, 3: filesystem.CharDevice, 4: filesystem.BlockDevice,
	5: filesystem.FIFO, 6: filesystem.Socket, 7: filesystem.Symlink}

// entry is one name of a directory, or one attribute.
type entry struct {
	location   key
	kind       uint8
	name, data []byte
}

// entries takes an item apart; names with the same hash share one.
func entries(it item) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		c := bin.Little(it.data)
		for c.Left() > 0 {
			e := entry{location: cursorKey(c)}
			data, name := int(c.Skip(8).U16()), int(c.U16())
			e.kind = c.U8()
			e.name, e.data = c.Bytes(name), c.Bytes(data)
			if err := c.Err(); err != nil {
				yield(entry{}, itemDamage(it, "directory entry or attribute %v: %v", it.key, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// ReadDir gives a directory's names in the order in which they were made.
func (f *FS) ReadDir(n filesystem.Inode) iter.Seq2[filesystem.Dirent, error] {
	return func(yield func(filesystem.Dirent, error) bool) {
		if _, ok := f.parentOfEmpty(n); ok {
			return
		}
		i, object, err := f.locate(n)
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		in, s, err := f.inode(n)
		if err == nil && in.fileType() != filesystem.Directory {
			err = fmt.Errorf("inode %d is no directory: %w", n, filesystem.ErrNotExist)
		}
		if err != nil {
			yield(filesystem.Dirent{}, err)
			return
		}
		for it, err := range all(s, object, kindDirIndex) {
			if err != nil {
				if !yield(filesystem.Dirent{}, err) {
					return
				}
				continue
			}
			for e, err := range entries(it) {
				d, err := f.dirent(i, n, object, e, err)
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

func (f *FS) dirent(i int, dir filesystem.Inode, object uint64, e entry, err error) (filesystem.Dirent, error) {
	if err != nil {
		return filesystem.Dirent{}, err
	}
	d := filesystem.Dirent{Name: e.name, Type: entryTypes[e.kind&15]}
	switch {
	case e.location.kind == kindRoot:
		d.Inode = f.enter(i, dir, object, e.location.object, e.name)
	case e.location.object < maxObject:
		d.Inode = f.number(i, e.location.object)
	}
	if d.Inode == 0 {
		return filesystem.Dirent{}, f.damage(-1, 0, "directory %d: entry %q leads to object %v, which has no number here", dir, e.name, e.location)
	}
	return d, nil
}

// name is one name that an inode has.
type name struct {
	parent, index uint64
	name          []byte
}

// names gives the names of an inode.
func names(s source, object uint64) iter.Seq2[name, error] {
	return func(yield func(name, error) bool) {
		for it, err := range s(key{object, kindRef, 0}, key{object, kindExtRef, ^uint64(0)}) {
			if err != nil {
				if !yield(name{}, err) {
					return
				}
				continue
			}
			c := bin.Little(it.data)
			for c.Left() > 0 {
				x := name{parent: it.offset}
				if it.kind == kindExtRef {
					x.parent = c.U64()
				}
				x.index = c.U64()
				x.name = c.Bytes(int(c.U16()))
				if err := c.Err(); err != nil {
					if !yield(name{}, itemDamage(it, "name of inode %d: %v", object, err)) {
						return
					}
					break
				}
				if !yield(x, nil) {
					return
				}
			}
		}
	}
}

// pathUp gives the names from a directory up to the tree's root, lowest first.
func (f *FS) pathUp(s source, object, top uint64) (parts []string, ok bool) {
	for range maxNameParts {
		if object == top {
			return parts, true
		}
		up := uint64(0)
		for x, err := range names(s, object) {
			if err == nil {
				parts, up = append(parts, string(x.name)), x.parent
				break
			}
		}
		if up == 0 || up == object {
			return parts, false
		}
		object = up
	}
	return parts, false
}
