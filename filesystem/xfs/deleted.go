package xfs

import (
	"context"
	"io"
	"iter"
	"math"
	"sort"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

var _ filesystem.Undeleter = (*FS)(nil)

const (
	maxFreeRuns = 4 << 20
	maxGuess    = 1 << 40 // bytes of a file whose size is taken from its extents
)

// undeleter brings together what the log, inode records and directory blocks tell.
type undeleter struct {
	f      *FS // the tree as it is now, the log replayed
	h      *chronicle
	names  *nameBook
	chunks map[uint32][]chunk
	free   []span
	errs   []error

	residues []*life // what lies where records of empty files still point
}

// span is a run of free bytes.
type span struct{ off, end int64 }

// Deleted finds deleted files by the log, also by what was long written back of it, and
// by what is left in inode records and directory blocks. A file counts as deleted when
// its inode is free now or has another generation. A log that is not written back is
// replayed first.
func (f *FS) Deleted(ctx context.Context) (filesystem.History, iter.Seq2[filesystem.Recovered, error]) {
	now := f
	var notes []string
	if v, done, err := f.replay(ctx); err != nil {
		notes = append(notes, "the log cannot be replayed: "+err.Error())
	} else if v != nil {
		now, notes = v, append(done.Notes, "what is deleted is told by the replayed view")
	}
	u := &undeleter{f: now, names: newNameBook(now), chunks: make(map[uint32][]chunk)}
	u.h = &chronicle{f: now, names: u.names, lives: make(map[filesystem.Inode][]*life), over: newOverlay(now.src, now.size, wholeOverlay)}
	u.h.out.Notes = notes
	err := u.h.read(ctx)
	if err == nil {
		err = u.names.live(func() bool { return ctx.Err() != nil })
	}
	if err == nil {
		err = ctx.Err()
	}
	return u.h.out, func(yield func(filesystem.Recovered, error) bool) {
		if err != nil {
			yield(filesystem.Recovered{}, err)
			return
		}
		u.all(ctx, yield)
	}
}

func (u *undeleter) all(ctx context.Context, yield func(filesystem.Recovered, error) bool) {
	u.freeSpace(ctx)
	u.orphans()
	u.neighbours()
	if err := u.lostChunks(ctx); err != nil {
		u.fault(err)
	}
	u.records(ctx)
	u.oldDirs(ctx)
	if u.h.full || u.names.full {
		u.fault(damage(0, 0, "there are more deleted files, names or directories than are kept in memory: some are missing"))
	}
	for _, err := range u.errs {
		if !yield(filesystem.Recovered{}, err) {
			return
		}
	}
	for _, n := range u.inodes() {
		if err := ctx.Err(); err != nil {
			yield(filesystem.Recovered{}, err)
			return
		}
		for i, l := range u.h.lives[n] {
			for _, c := range l.cuts {
				if r, ok := u.recoverCut(c, l, i); ok && !yield(r, nil) {
					return
				}
			}
			if r, ok := u.recover(l, i); ok && !yield(r, nil) {
				return
			}
		}
	}
	for _, l := range u.residues {
		if !yield(u.recoverEmptied(l), nil) {
			return
		}
	}
}

// inodes gives the inodes of all lives, in order.
func (u *undeleter) inodes() []filesystem.Inode {
	list := make([]filesystem.Inode, 0, len(u.h.lives))
	for n := range u.h.lives {
		list = append(list, n)
	}
	sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
	return list
}

func (u *undeleter) fault(err error) {
	if len(u.errs) < maxOrphanFaults {
		u.errs = append(u.errs, err)
	}
}

func (u *undeleter) freeSpace(ctx context.Context) {
	for e, err := range u.f.FreeSpace(ctx) {
		if err != nil {
			u.fault(err)
		} else if len(u.free) < maxFreeRuns {
			u.free = append(u.free, span{e.Physical, e.Physical + e.Length})
		}
	}
	sort.Slice(u.free, func(i, j int) bool { return u.free[i].off < u.free[j].off })
}

// inUse tells whether an inode is allocated now.
func (u *undeleter) inUse(n filesystem.Inode) bool {
	c, agino, ok := u.chunk(n)
	return ok && c.has(agino)
}

func (u *undeleter) chunk(n filesystem.Inode) (chunk, uint32, bool) {
	group, agino := u.f.split(n)
	list, ok := u.chunks[group]
	if !ok {
		var errs []error
		list, errs = u.f.chunks(group)
		for _, err := range errs {
			u.fault(err)
		}
		u.chunks[group] = list
	}
	i := sort.Search(len(list), func(i int) bool { return list[i].start > agino }) - 1
	if i < 0 || agino-list[i].start >= chunkInodes {
		return chunk{}, agino, false
	}
	return list[i], agino, true
}

// orphans adds the inodes that are deleted but still open.
func (u *undeleter) orphans() {
	u.f.findOrphans()
	for _, err := range u.f.orphan.errs {
		u.fault(err)
	}
	for _, n := range u.f.orphan.list {
		in, err := u.f.inode(n)
		if err != nil || u.known(n, in.gen) {
			continue
		}
		u.fromRecord(&in, "unlinked list")
	}
}

func (u *undeleter) known(n filesystem.Inode, gen uint32) bool {
	for _, l := range u.h.lives[n] {
		if l.gen == gen && l.core != nil {
			return true
		}
	}
	return false
}

// fromRecord adds a life by a record on disk that is as it was.
func (u *undeleter) fromRecord(in *inode, from string) {
	l := u.h.begin(in.number, in.gen, 0)
	if l == nil {
		return
	}
	l.core, l.from = in.raw[:in.literal()], from
	switch in.format {
	case formatLocal:
		l.local = in.dataFork()[:min(int64(len(in.dataFork())), in.size)]
	case formatExtents, formatBtree:
		l.m = u.f.mapFork(in, in.format, in.dataFork(), in.extents, false)
	}
}

// held gives how many bytes of extents lie in space that is free, and how many do not.
func (u *undeleter) held(list []filesystem.Extent) (free, reused int64) {
	for _, e := range list {
		if e.Physical < 0 {
			continue
		}
		end, in := e.Physical+e.Length, int64(0)
		for i := sort.Search(len(u.free), func(i int) bool { return u.free[i].end > e.Physical }); i < len(u.free) && u.free[i].off < end; i++ {
			in += min(u.free[i].end, end) - max(u.free[i].off, e.Physical)
		}
		free += in
		reused += e.Length - in
	}
	return free, reused
}

// recover gives what is to be told of a life, if it is over.
func (u *undeleter) recover(l *life, index int) (filesystem.Recovered, bool) {
	state := filesystem.Deleted
	if last := index == len(u.h.lives[l.ino])-1; last && !l.dead && u.inUse(l.ino) {
		in, err := u.f.inode(l.ino)
		switch {
		case err != nil:
		case in.gen != l.gen:
			if in.version >= 3 && !l.deadTime.Known() {
				l.deadTime = in.time(bin.Big(in.raw), 144) // when its number was given to another
			}
		case in.mode != 0 && in.links == 0 && u.f.isOrphan(l.ino):
			state = filesystem.Orphan
		default:
			return filesystem.Recovered{}, false
		}
	}
	if l.core == nil {
		return filesystem.Recovered{}, false
	}
	u.h.onDisk(l)
	rec := make([]byte, u.f.sb.inodeSize())
	copy(rec, l.core)
	in := inode{number: l.ino, raw: rec, off: placeOf(u.f, l.ino)}
	u.f.decode(&in)
	r := filesystem.Recovered{Meta: in.meta(), From: l.from, Before: l.deadTime}
	r.Meta.State = state
	if in.flags2&flag2Reflink != 0 {
		r.From += "; it shared space with other files, which may hold what counts as reused"
	}
	if !l.sized {
		r.After = r.Meta.Ctime
	} else {
		r.Meta.Mtime, r.Meta.Atime, r.Meta.Ctime, r.Meta.Crtime = evidence.Time{}, evidence.Time{}, evidence.Time{}, evidence.Time{}
	}
	u.content(l, &in, &r)
	u.path(l, index, &r)
	return r, true
}

// content fills in where a file's bytes are.
func (u *undeleter) content(l *life, in *inode, r *filesystem.Recovered) {
	c := &remains{f: u.f, size: in.size, off: in.off}
	r.Content = c
	switch {
	case in.format == formatDev:
		c.size = 0
	case in.format == formatLocal:
		c.local, c.inside = l.local, true
		r.Free = min(int64(len(l.local)), in.size)
		return
	case l.m != nil:
		c.m = l.m
	case in.extents == 0:
		c.m = &forkMap{}
	default:
		c.m = &forkMap{holey: true, damage: damage(in.off, len(in.raw), "inode %d: nothing tells where its content lay", l.ino)}
	}
	if c.m == nil || in.fileType() == filesystem.Directory {
		return
	}
	if in.fileType() == filesystem.Symlink && u.f.sb.v5() {
		c.skip = symlinkHead
	}
	list := u.f.extents(c.m, in.size)
	r.Extents = list
	if c.skip > 0 {
		r.Extents = behindHead(list)
	}
	if r.Meta.State == filesystem.Orphan { // its space is still its own
		for _, e := range list {
			if e.Physical >= 0 {
				r.Free += e.Length
			}
		}
		return
	}
	r.Free, r.Reused = u.held(list)
}

// path fills in the last path that is known.
func (u *undeleter) path(l *life, index int, r *filesystem.Recovered) {
	after, until := uint64(0), uint64(math.MaxUint64)
	if index > 0 {
		after = u.h.lives[l.ino][index-1].deadAt
	}
	if l.deadAt != 0 {
		until = l.deadAt
	}
	s := u.names.nameOf(l.ino, after, until)
	if s == nil {
		return
	}
	at := s.last
	if at == 0 {
		at = until
	}
	r.PathFrom = s.from()
	dir, ok := u.dir(s.parent, at, 0)
	if !ok {
		r.Path = string(s.name)
		r.PathFrom += ", its directory has no known path"
		return
	}
	r.Path = dir + "/" + string(s.name)
}

// dir gives the path that a directory had when the log was at lsn: that of the tree as it
// is if the directory is still the same, else by the names of the log.
func (u *undeleter) dir(n filesystem.Inode, lsn uint64, depth int) (string, bool) {
	if n == u.f.Root() {
		return "", true
	}
	if depth > maxPathDepth {
		return "", false
	}
	lives := u.h.lives[n]
	i := sort.Search(len(lives), func(i int) bool { return !lives[i].dead || lives[i].deadAt == 0 || lives[i].deadAt >= lsn })
	gone := i < len(lives) && lives[i].dead
	if d, ok := u.names.dirs[n]; ok && !gone {
		above, ok := u.dir(d.parent, lsn, depth+1)
		return above + "/" + string(d.name), ok
	}
	after, until := uint64(0), uint64(math.MaxUint64)
	if i > 0 {
		after = lives[i-1].deadAt
	}
	if gone {
		until = lives[i].deadAt
	}
	s := u.names.nameOf(n, after, until)
	if s == nil {
		return "", false
	}
	above, ok := u.dir(s.parent, max(s.last, 1), depth+1)
	return above + "/" + string(s.name), ok
}

// remains reads what is left of a file.
type remains struct {
	f      *FS
	off    int64 // of the inode's record
	size   int64
	m      *forkMap
	local  []byte
	inside bool  // the content lay in the inode
	skip   int64 // bytes before the content: symlinks of version 5 have a header
}

// ReadAt reads as io.ReaderAt does; what is lost is damage.
func (c *remains) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= c.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > c.size-off {
		p, end = p[:c.size-off], io.EOF
	}
	if c.inside {
		n := 0
		if off < int64(len(c.local)) {
			n = copy(p, c.local[off:])
		}
		if n < len(p) {
			return n, damage(c.off, int(c.f.sb.inodeSize()), "%d bytes of content that lay in the inode are lost", c.size-int64(len(c.local)))
		}
		return n, end
	}
	n, err := c.f.readRuns(c.m, p, off+c.skip)
	if err != nil {
		return n, err
	}
	return n, end
}
