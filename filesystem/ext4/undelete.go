package ext4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// How a deleted file is found. Since ext3, deleting a file empties the map in its inode, and since Linux
// 5.13 its name is wiped from the directory; what stays is the journal: it logs whole blocks, so that each
// block of an inode table in it carries all inodes next to the one that changed, as they were then, and each
// block of a directory all its names. The newest version of an inode that still has its map tells where the
// content lies. Beside it: files that are deleted and still open, whose inodes are whole, and inodes of ext2,
// which keep their map.

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

// maxLives bounds the inodes that are followed.
const maxLives = 4 << 20

// undeleter looks for deleted files in one filesystem.
type undeleter struct {
	f      *FS // the present: replayed, where there was something to replay
	ring   *ring
	space  *space
	lives  map[uint32]*life
	gone   []*life
	names  *names
	claims map[uint64][]byte // by group: the blocks that a file deleted later has had
	full   bool

	counted int64 // blocks that were claimed
}

// countFactor is how many times over the deleted files may have had all blocks of the filesystem.
const countFactor = 16

// Deleted finds deleted files: those that the journal remembers, and those that are deleted and still
// open. It looks at the filesystem as it is with its journal replayed.
func (f *FS) Deleted(ctx context.Context) (filesystem.History, iter.Seq2[filesystem.Recovered, error]) {
	u, h, err := f.newUndeleter(ctx)
	if err == nil {
		err = u.find(ctx)
	}
	if err == nil {
		h.Notes = append(h.Notes, u.notes()...)
	}
	return h, func(yield func(filesystem.Recovered, error) bool) {
		if err != nil {
			yield(filesystem.Recovered{}, err)
			return
		}
		for _, l := range u.gone {
			if err := ctx.Err(); err != nil {
				yield(filesystem.Recovered{}, err)
				return
			}
			if r, ok := u.recover(l); ok && !yield(r, nil) {
				return
			}
		}
	}
}

func (f *FS) newUndeleter(ctx context.Context) (*undeleter, filesystem.History, error) {
	h := filesystem.History{Source: "journal"}
	now := f
	if v, _, err := f.replay(ctx); err != nil {
		h.Notes = append(h.Notes, fmt.Sprintf("the journal was not replayed: %v", err))
	} else if v != nil {
		now = v
	}
	u := &undeleter{f: now, ring: &ring{f: now}, lives: make(map[uint32]*life), claims: make(map[uint64][]byte)}
	j, err := f.openJournal()
	switch {
	case errors.Is(err, errNoJournal):
		h.Notes = append(h.Notes, "there is no journal: only what inodes themselves keep can be found")
	case err != nil:
		h.Notes = append(h.Notes, fmt.Sprintf("the journal cannot be read: %v", err))
	default:
		if u.ring, err = readRing(ctx, now, j); err != nil {
			return nil, h, err
		}
		r := u.ring.history()
		r.Notes = append(h.Notes, r.Notes...)
		h = r
	}
	u.space = now.newSpace()
	return u, h, nil
}

// find follows the inodes through the ring, then holds them against the present.
func (u *undeleter) find(ctx context.Context) error {
	t := u.f.newTables()
	u.names = newNames(u, t)
	if err := u.eachInode(ctx, t, u.see); err != nil {
		return err
	}
	u.present()
	if err := u.residue(ctx); err != nil {
		return err
	}
	slices.SortFunc(u.gone, func(a, b *life) int { // latest deleted first: they have the better claim to their blocks
		if a.hasDead != b.hasDead {
			return map[bool]int{true: 1, false: -1}[a.hasDead]
		}
		return cmp.Or(int(int32(b.dead.sequence-a.dead.sequence)), cmp.Compare(b.dtime, a.dtime), cmp.Compare(a.number, b.number))
	})
	u.names.want(u.gone)
	if u.f.sb.incompat&incompatInline != 0 {
		if err := u.eachInode(ctx, t, u.inlineNames); err != nil {
			return err
		}
	}
	return u.names.collect(ctx)
}

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
		u.gone = append(u.gone, l)
	}
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
			u.gone = append(u.gone, l)
		}
	}
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
			u.gone = append(u.gone, l)
		}
	}
	return nil
}

// record reads a version of an inode.
func (u *undeleter) record(l *life, s sight) (*inode, error) {
	raw := make([]byte, u.f.sb.inodeSize)
	if err := u.f.readAt(raw, s.off); err != nil {
		return nil, err
	}
	if s.first {
		unescape(raw, 0)
	}
	in := u.decodeOld(l.number, raw, s.off)
	return &in, nil
}

// mapOld gives where the content lay: by the tree's blocks as they were then, or as they are now,
// whichever is whole.
func (u *undeleter) mapOld(in *inode, l *life) *blockMap {
	now := u.f.mapRecord(in)
	if now.damage == nil && !deepMap(in) || l.residue || len(u.ring.blocks) == 0 {
		return now
	}
	v := newFS(past{u.ring, l.mapped.sequence}, u.f.size, u.f.sb)
	if m := v.mapRecord(in); m.damage == nil || now.damage != nil {
		return m
	}
	return now
}

// deepMap tells whether a map has blocks of its own.
func deepMap(in *inode) bool {
	if in.flags&flagExtents != 0 {
		return bin.Little(in.iblock()).Seek(6).U16() > 0
	}
	c := bin.Little(in.iblock()).Seek(directPointers * 4)
	return c.U32()|c.U32()|c.U32() != 0
}

// recover makes of a life what the caller gets.
func (u *undeleter) recover(l *life) (filesystem.Recovered, bool) {
	in, err := u.record(l, l.mapped)
	if err != nil || in.fileType() == filesystem.Directory {
		return filesystem.Recovered{}, false
	}
	m := &blockMap{}
	file := &oldFile{f: u.f, in: in}
	if in.flags&flagInline == 0 && !in.fast() {
		m = u.mapOld(in, l)
		file.m = m
	}
	r := filesystem.Recovered{Meta: u.f.metaOf(in), From: u.from(l, l.mapped), Content: file, Cut: l.cut}
	r.Meta.State = filesystem.Deleted
	if l.orphan {
		r.Meta.State, r.Meta.Links = filesystem.Orphan, 0
	}
	r.Meta.Dtime = evidence.Time{}
	if l.dtime != 0 && !l.cut {
		r.Meta.Dtime = evidence.Time{Sec: int64(l.dtime), Step: time.Second}
	}
	u.bounds(l, &r)
	r.Path, r.PathFrom = u.names.path(l)
	if file.m != nil {
		r.Extents = m.extents(in.size, u.f.blockSize)
		u.count(l, m, &r)
	} else {
		r.Extents = u.f.inCoreExtents(in)
	}
	return r, true
}

// bounds says between which times the file was deleted.
func (u *undeleter) bounds(l *life, r *filesystem.Recovered) {
	if l.hasAlive {
		r.After = u.ring.commits[l.alive.sequence]
	}
	r.After = evidence.Max(r.After, r.Meta.Ctime)
	if l.orphan {
		return
	}
	if l.hasDead {
		r.Before = u.ring.commits[l.dead.sequence]
	}
	if d := r.Meta.Dtime; d.Known() && !d.Add(time.Second).Before(r.After) {
		r.After, r.Before = evidence.Max(r.After, d), evidence.Min(r.Before, d.Add(time.Second))
	}
	if r.Before.Known() && r.Before.Before(r.After) {
		r.After = evidence.Time{}
	}
}

func (u *undeleter) from(l *life, s sight) string {
	switch {
	case l.orphan:
		return "orphan list"
	case l.residue:
		return "inode"
	}
	return fmt.Sprintf("journal transaction %d", s.sequence)
}

// count says how much of the content lies in blocks that nobody has had since.
func (u *undeleter) count(l *life, m *blockMap, r *filesystem.Recovered) {
	var own *blockMap
	if l.cut {
		if in, err := u.f.inode(filesystem.Inode(l.number)); err == nil && in.generation == l.generation {
			own = u.f.mapRecord(&in)
		}
	}
	lately := u.f.fast != nil && u.f.fast.links[l.number] < 0 // the bitmaps do not know it yet
	for _, x := range m.runs {
		if x.phys < 0 {
			continue
		}
		for i := range int64(x.count) {
			n := min(u.f.blockSize, r.Meta.Size-(int64(x.first)+i)*u.f.blockSize)
			if n <= 0 {
				return
			}
			switch b := x.phys + i; {
			case u.counted > countFactor*u.f.blocks:
				r.Reused += n // so many files cannot all have had so much
			case l.orphan || lately || own.has(int64(x.first)+i, b):
				r.Free += n
			case u.space.taken(b) || !u.claim(b):
				r.Reused += n
			default:
				r.Free += n
			}
		}
	}
}

// has tells whether the file's block lies at phys.
func (m *blockMap) has(block, phys int64) bool {
	if m == nil {
		return false
	}
	i := m.find(block)
	return i < len(m.runs) && int64(m.runs[i].first) <= block && m.runs[i].phys+block-int64(m.runs[i].first) == phys
}

// claim marks a free block as the content of a file, and tells whether no file that was deleted later had it.
func (u *undeleter) claim(b int64) bool {
	u.counted++
	const per = 32 << 10 // blocks in a piece of the map
	g, bit := uint64(b/per), b%per
	if u.claims[g] == nil {
		u.claims[g] = make([]byte, per/8)
	}
	x := &u.claims[g][bit/8]
	was := *x&(1<<(bit%8)) != 0
	*x |= 1 << (bit % 8)
	return !was
}

func (u *undeleter) notes() (list []string) {
	if u.full {
		list = append(list, fmt.Sprintf("the journal tells of more than %d inodes: the others were not followed", maxLives))
	}
	return append(list, u.names.notes()...)
}

// oldFile is the content of a file that is gone.
type oldFile struct {
	f  *FS
	in *inode
	m  *blockMap // nil where the content lies in the inode
}

// ReadAt reads as io.ReaderAt does.
func (o *oldFile) ReadAt(p []byte, off int64) (int, error) {
	if o.in.flags&flagEncrypt != 0 {
		return 0, fmt.Errorf("inode %d: content: %w", o.in.number, filesystem.ErrEncrypted)
	}
	if o.m == nil {
		return o.f.content(o.in, p, off)
	}
	if off < 0 || off >= o.in.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > o.in.size-off {
		p, end = p[:o.in.size-off], io.EOF
	}
	n, err := o.f.readRuns(o.in, o.m, p, off)
	if err == nil {
		err = end
	}
	return n, err
}
