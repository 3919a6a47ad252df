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

	counted int64 // blocks that were looked at
	pieces  int   // runs of the files that were given
	freed   []freed
}

// countFactor is how many times over the deleted files may have had all blocks of the filesystem.
const countFactor = 16

// maxPieces bounds the runs of all files that are given, 56 bytes each: crafted inodes can share one large tree.
const maxPieces = 8 << 20

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
		u.stray(ctx, yield)
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
		h.Unread = err.Error()
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
	many := u.pieces >= maxPieces
	if in.flags&flagInline == 0 && !in.fast() && !many {
		m = u.mapOld(in, l)
		file.m = m
		u.pieces += len(m.runs)
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
	if many {
		r.Content, r.Reused = nil, in.size
		r.From += "; where its content lies was not looked for: there are too many pieces of deleted files"
		return r, true
	}
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
		if at := u.unlinked(l); at.Known() && !at.Before(r.After) && (!r.Before.Known() || at.Before(r.Before.Add(time.Second))) { // a commit's clock is a coarse one
			r.After, r.Before = at, at
		}
	}
	// The inode's own time is that of its end: later than that of its last name, where a program held it open.
	if d := r.Meta.Dtime; d.Known() && !d.Add(time.Second).Before(r.After) {
		r.Before = evidence.Min(r.Before, d.Add(time.Second))
	}
	if r.Before.Known() && r.Before.Before(r.After) {
		r.After = evidence.Time{}
	}
}

// unlinked gives when the last name was taken: the change time of the first version without one.
func (u *undeleter) unlinked(l *life) evidence.Time {
	if l.cut || l.dead.off == 0 {
		return evidence.Time{}
	}
	in, err := u.record(l, l.dead)
	if err != nil || in.links != 0 || in.generation != l.generation {
		return evidence.Time{}
	}
	return u.f.metaOf(in).Ctime
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
		if u.counted += int64(x.count); u.counted > countFactor*u.f.blocks { // so many files cannot all have had so much
			r.Reused += max(0, min(int64(x.count)*u.f.blockSize, r.Meta.Size-int64(x.first)*u.f.blockSize))
			continue
		}
		for i := range int64(x.count) {
			n := min(u.f.blockSize, r.Meta.Size-(int64(x.first)+i)*u.f.blockSize)
			if n <= 0 {
				return
			}
			switch b := x.phys + i; {
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
		list = append(list, fmt.Sprintf("there is more to tell than of %d inodes and %d deleted files: the others were not followed", maxLives, maxGone))
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
