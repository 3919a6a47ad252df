package ext4

import (
	"context"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// sight is one version of an inode.
type sight struct {
	sequence uint32
	off      int64 // of the record in the source
	first    bool  // it is the first in a block whose beginning was escaped
}

// life follows one inode number while one file has it.
type life struct {
	number     uint32
	generation uint32
	born       evidence.Time
	firstSeen  uint32
	alive      sight // the newest version with a name
	mapped     sight // the newest version that says where the content lies
	dead       sight // the first version without
	hasAlive   bool
	hasMap     bool
	hasDead    bool
	size       int64
	blocks     uint64 // i_blocks of mapped
	dtime      uint32
	cut        bool // the file lives on, but was cut shorter after this
	dir        bool
	orphan     bool
	residue    bool // mapped is what the inode says today
}

// Bounds of what is followed: inodes, and files that are gone. A crafted ring can tell of far more, for its blocks can all lie in one place.
const (
	maxLives = 4 << 20
	maxGone  = 2 << 20
)

// eachInode gives every version of every inode in the ring, oldest first.
func (u *undeleter) eachInode(ctx context.Context, t *tables, f func(n uint32, raw []byte, s sight)) error {
	buf := make([]byte, u.f.blockSize)
	size := int(u.f.sb.inodeSize)
	for i := range u.ring.blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := &u.ring.blocks[i]
		n, count := t.first(b.block)
		if n == 0 || u.ring.read(b, buf) != nil {
			continue
		}
		for k := range count {
			f(n+uint32(k), buf[k*size:(k+1)*size], sight{b.sequence, b.place*u.f.blockSize + int64(k*size), k == 0 && b.escaped})
		}
	}
	return nil
}

// inlineNames takes in the names of a small directory, which lie in its inode.
func (u *undeleter) inlineNames(n uint32, raw []byte, s sight) {
	in := u.decodeOld(n, raw, s.off)
	if in.fileType() != filesystem.Directory || in.flags&flagInline == 0 {
		return
	}
	d := dirReader{f: u.f, in: &in, yield: func(e filesystem.Dirent, err error) bool {
		if err == nil {
			u.names.note(uint32(e.Inode), called{parent: n, sequence: s.sequence, name: string(e.Name)})
		}
		return true
	}}
	d.inline()
}

// decodeOld decodes a record that is not the present one.
func (u *undeleter) decodeOld(n uint32, raw []byte, off int64) inode {
	in := inode{number: n, raw: raw, off: off}
	u.f.decode(&in)
	return in
}

// hasMap tells whether a record says where content lies.
func (in *inode) hasMap() bool {
	if in.size <= 0 {
		return false
	}
	switch in.fileType() {
	case filesystem.Regular, filesystem.Directory, filesystem.Symlink:
	default:
		return false
	}
	if in.flags&flagInline != 0 || in.fast() {
		return true
	}
	if in.flags&flagExtents != 0 {
		c := bin.Little(in.iblock())
		return c.U16() == extentMagic && c.U16() > 0
	}
	for _, x := range in.iblock() {
		if x != 0 {
			return true
		}
	}
	return false
}

func (in *inode) sectors() uint64 {
	c := bin.Little(in.raw)
	return uint64(c.Seek(0x1c).U32()) | uint64(c.Seek(0x74).U16())<<32
}

// see takes in one version of an inode.
func (u *undeleter) see(n uint32, raw []byte, s sight) {
	in := u.decodeOld(n, raw, s.off)
	l := u.lives[n]
	alive := in.links > 0 && in.mode != 0
	if l == nil && in.mode == 0 && in.dtime == 0 { // never used
		return
	}
	born := in.birth()
	if l != nil && alive && (l.generation != in.generation || l.born != born) {
		u.end(l, s)
		l = nil
	}
	if l == nil {
		if len(u.lives) >= maxLives {
			u.full = true
			return
		}
		l = &life{number: n, generation: in.generation, born: born, firstSeen: s.sequence, dir: in.fileType() == filesystem.Directory}
		u.lives[n] = l
	}
	mapped := in.hasMap()
	if alive {
		if l.hasMap && !l.dir && in.size < l.size {
			whole := *l
			whole.cut = true
			u.end(&whole, s)
			l.hasMap = false
		}
		l.alive, l.hasAlive, l.hasDead, l.size = s, true, false, in.size
		if l.dir {
			u.names.directory(&in, s.sequence)
		}
	} else if !l.hasDead {
		l.dead, l.hasDead = s, true
	}
	if !alive && in.dtime != 0 && !mapped {
		l.dtime = in.dtime
	}
	if mapped && (alive || !l.hasMap || in.sectors() >= l.blocks) {
		l.mapped, l.hasMap, l.blocks = s, true, in.sectors()
	}
}

// birth gives when the inode was made, for telling its files apart.
func (in *inode) birth() evidence.Time {
	if !in.has(0x98) {
		return evidence.Time{}
	}
	return in.time(bin.Little(in.raw), 0x90, 0x94)
}

// end says that a life was over when s was seen.
func (u *undeleter) end(l *life, s sight) {
	if !l.hasDead {
		l.dead, l.hasDead = s, true
	}
	if l.hasMap {
		u.lose(l)
	}
}

// lose notes a file that is gone.
func (u *undeleter) lose(l *life) {
	if len(u.gone) >= maxGone {
		u.full = true
		return
	}
	u.gone = append(u.gone, l)
}

// present holds what the ring tells of each inode against what it is now.
func (u *undeleter) present() {
	for n, l := range u.lives {
		in, err := u.f.inode(filesystem.Inode(n))
		if err != nil {
			continue
		}
		same := in.generation == l.generation && in.birth() == l.born
		if in.links > 0 && in.mode != 0 && same {
			continue // it lives
		}
		if same && u.f.isOrphan(n) {
			continue // residue finds it
		}
		if in.links == 0 && in.dtime != 0 {
			l.dtime = in.dtime
		}
		if l.hasMap {
			u.lose(l)
		}
	}
}

// giveBack notes a freed inode: a block of its map may lie somewhere.
func (u *undeleter) giveBack(in *inode) {
	if in.fileType() != filesystem.Regular || len(u.freed) >= maxFreedTried {
		return
	}
	m := u.f.metaOf(in)
	u.freed = append(u.freed, freed{in.number, in.generation, in.dtime, in.mode, m.UID, m.GID})
}

// residue looks at the inodes that are free now, or deleted and still open, and still have their map.
func (u *undeleter) residue(ctx context.Context) error {
	known := make(map[uint32]bool)
	for _, l := range u.gone {
		known[l.number] = true
	}
	f := u.f
	per := f.sb.inodesPerGroup
	for g := range f.groupsHere() {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := f.groupOf(g)
		if err != nil || d.flags&groupInodeUninit != 0 {
			continue
		}
		for i := range per - min(d.unused, per) {
			n := g*uint64(per) + uint64(i) + 1
			if n < 11 || n > 1<<32-1 { // the first ten are the filesystem's own
				continue
			}
			in, err := f.inode(filesystem.Inode(n))
			if err != nil || in.links != 0 || in.mode == 0 {
				continue
			}
			orphan := f.isOrphan(uint32(n))
			if in.dtime != 0 && !orphan {
				u.names.freed(in.dtime)
				u.giveBack(&in)
			}
			if !in.hasMap() || known[uint32(n)] && !orphan {
				continue
			}
			l := &life{number: uint32(n), generation: in.generation, born: in.birth(), hasMap: true, orphan: orphan, residue: true,
				mapped: sight{off: in.off}, dir: in.fileType() == filesystem.Directory}
			if !orphan {
				l.dtime = in.dtime
			}
			if old := u.lives[uint32(n)]; old != nil && old.generation == l.generation {
				l.firstSeen, l.alive, l.hasAlive, l.dead, l.hasDead = old.firstSeen, old.alive, old.hasAlive, old.dead, old.hasDead
			}
			u.lose(l)
		}
	}
	return nil
}
