package xfs

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// sighting is a name that a directory was seen to give to an inode.
type sighting struct {
	parent      filesystem.Inode
	name        []byte
	first, last uint64 // LSNs between which it was seen in use, or as residue; 0 for what lies on disk now
	used        bool
}

const (
	maxSightings = 2 << 20
	maxNameBytes = 64 << 20
	maxPathDepth = 256
	maxLiveDirs  = 1 << 20
)

// nameBook holds all sightings, and the directories of the tree as it is now.
type nameBook struct {
	f     *FS
	seen  map[filesystem.Inode][]*sighting
	dirs  map[filesystem.Inode]sighting
	count int
	bytes int
	full  bool
}

func newNameBook(f *FS) *nameBook {
	return &nameBook{f: f, seen: make(map[filesystem.Inode][]*sighting), dirs: make(map[filesystem.Inode]sighting)}
}

// add notes that a directory gave name to ino when the log was at lsn.
func (n *nameBook) add(ino, parent filesystem.Inode, name []byte, lsn uint64, used bool) {
	if _, ok := n.f.place(ino); !ok {
		return
	}
	for _, s := range n.seen[ino] {
		if s.parent == parent && s.used == used && bytes.Equal(s.name, name) {
			s.last = max(s.last, lsn)
			return
		}
	}
	if n.count++; n.count > maxSightings || n.bytes > maxNameBytes {
		n.full = true
		return
	}
	n.bytes += len(name)
	n.seen[ino] = append(n.seen[ino], &sighting{parent, append([]byte(nil), name...), lsn, lsn, used})
}

// short takes the entries of a directory that lies in its inode.
func (n *nameBook) short(parent filesystem.Inode, fork []byte, lsn uint64) {
	shortEntries(fork, n.f.sb.hasFtype(), func(name []byte, ino uint64, _ uint8) bool {
		if plausibleName(name) {
			n.add(filesystem.Inode(ino), parent, name, lsn, true)
		}
		return true
	})
}

// block takes what a data block of a directory holds: the entries in use, and those of
// which the place is free but not yet overwritten. Each entry ends with its own offset,
// by which it is known wherever it stands.
func (n *nameBook) block(b []byte, parent filesystem.Inode, lsn uint64, residueOnly bool) {
	head, end := dirArea(b)
	if head == 0 {
		return
	}
	ftype := n.f.sb.hasFtype()
	if parent == 0 {
		if parent = n.owner(b, head); parent == 0 {
			return
		}
	}
	used := usedEntries(b, head, end, ftype)
	for off := head; off+dirAlign <= end; off += dirAlign {
		ino, name, ok := entryAt(b[:end], off, ftype)
		_, live := used[off]
		if !ok || residueOnly && live || string(name) == "." || string(name) == ".." {
			continue
		}
		if ino>>48 == dirFreeTag { // the first half of the number is overwritten: its group is in the second, or that of the directory
			ino = ino&(1<<32-1) | uint64(parent)>>32<<32
		}
		n.add(filesystem.Inode(ino), parent, name, lsn, live)
	}
}

// owner gives the directory that a block belongs to: version 5 says it, before that the
// first block has an entry for the directory itself.
func (n *nameBook) owner(b []byte, head int) filesystem.Inode {
	if head == dirHead5 {
		return filesystem.Inode(binary.BigEndian.Uint64(b[dirOwnerAt:]))
	}
	if ino, name, ok := entryAt(b, head, n.f.sb.hasFtype()); ok && string(name) == "." {
		return filesystem.Inode(ino)
	}
	return 0
}

// usedEntries gives the offsets of the entries that are in use.
func usedEntries(b []byte, head, end int, ftype bool) map[int]struct{} {
	used := make(map[int]struct{})
	for off := head; off+dirAlign <= end; {
		c := bin.Big(b[:end]).Seek(off)
		if tag, length := c.U16(), int(c.U16()); tag == dirFreeTag {
			if length < dirAlign || length%dirAlign != 0 {
				return used
			}
			off += length
			continue
		}
		if _, _, ok := entryAt(b[:end], off, ftype); !ok {
			return used
		}
		used[off] = struct{}{}
		off += entrySize(int(b[off+8]), ftype)
	}
	return used
}

// entryAt reads the entry at off if there is or was one.
func entryAt(b []byte, off int, ftype bool) (ino uint64, name []byte, ok bool) {
	c := bin.Big(b).Seek(off)
	ino = c.U64()
	length := int(c.U8())
	name = c.Bytes(length)
	size := entrySize(length, ftype)
	tag := c.Seek(off + size - 2).U16()
	return ino, name, c.Err() == nil && int(tag) == off && plausibleName(name)
}

func plausibleName(name []byte) bool {
	return len(name) > 0 && bytes.IndexByte(name, '/') < 0 && bytes.IndexByte(name, 0) < 0
}

// live walks the tree as it is, notes its directories and what their blocks still hold
// of former entries.
func (n *nameBook) live(stop func() bool) error {
	root := n.f.Root()
	n.dirs[root] = sighting{parent: root}
	for queue := []filesystem.Inode{root}; len(queue) > 0; queue = queue[1:] {
		if stop() {
			return nil
		}
		dir := queue[0]
		in, err := n.f.inode(dir)
		if err != nil || in.fileType() != filesystem.Directory {
			continue
		}
		d := dirReader{f: n.f, in: &in, seen: func(b []byte) { n.block(b, dir, 0, true) }}
		d.yield = func(e filesystem.Dirent, err error) bool {
			if err != nil || !n.isDir(e) {
				return true
			}
			if _, again := n.dirs[e.Inode]; again {
				return true
			}
			if len(n.dirs) >= maxLiveDirs {
				n.full = true
				return false
			}
			n.dirs[e.Inode] = sighting{parent: dir, name: append([]byte(nil), e.Name...)}
			queue = append(queue, e.Inode)
			return true
		}
		if in.format == formatLocal {
			d.short()
		} else {
			d.blocks()
		}
	}
	return nil
}

func (n *nameBook) isDir(e filesystem.Dirent) bool {
	if e.Type != filesystem.UnknownType {
		return e.Type == filesystem.Directory
	}
	in, err := n.f.inode(e.Inode)
	return err == nil && in.fileType() == filesystem.Directory
}

// nameOf gives the last name that an inode had between two LSNs: one in use before one
// of residue, the later before the earlier.
func (n *nameBook) nameOf(ino filesystem.Inode, after, until uint64) *sighting {
	var best *sighting
	for _, s := range n.seen[ino] {
		if s.first > until || s.last < after && s.last != 0 {
			continue
		}
		if best == nil || s.used && !best.used || s.used == best.used && s.last > best.last {
			best = s
		}
	}
	return best
}

// from tells where a name was found.
func (s *sighting) from() string {
	if s.last == 0 {
		return "residue in its directory"
	}
	if !s.used {
		return "residue in a directory block of log record " + lsnText(s.last)
	}
	return "log record " + lsnText(s.last)
}

func lsnText(lsn uint64) string { return fmt.Sprintf("%d:%d", lsn>>32, uint32(lsn)) }
