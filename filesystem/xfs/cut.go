package xfs

import (
	"encoding/binary"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// Files that live on and held more before: one that was cut shorter, or emptied and written anew, as logs are. The log still has the state
// before, with its extents, and where their blocks were not given away what the file held is there.

// cutOff keeps what the log said of a file until in is logged, if that holds less, or begins in other blocks.
func (h *chronicle) cutOff(l *life, in *inode, x *inodeItem, lsn uint64, ctime evidence.Time) {
	if l.core == nil || l.m == nil || len(l.m.runs) == 0 || in.fileType() != filesystem.Regular || in.flags2&flag2Reflink != 0 { // a write to shared blocks goes elsewhere: nothing was cut
		return
	}
	was := binary.BigEndian.Uint64(l.core[sizeAt:])
	if was == 0 || was > 1<<62 || uint64(in.size) >= was && !h.elsewhere(l.m, in, x) {
		return
	}
	if h.count++; h.count > maxLives || h.bytes > maxLifeBytes {
		h.full = true
		return
	}
	h.bytes += 512 + len(l.m.runs)*runBytes
	l.cuts = append(l.cuts, &life{ino: l.ino, gen: l.gen, core: l.core, m: l.m, extents: l.extents, first: l.first, last: l.last, dead: true, deadAt: lsn, deadTime: ctime, from: l.from})
}

// elsewhere tells whether a file's first block is another one now.
func (h *chronicle) elsewhere(old *forkMap, in *inode, x *inodeItem) bool {
	fork := in.dataFork()
	if x.data == nil || in.format != formatExtents || in.extents == 0 || len(fork) < extentSize || old.runs[0].first != 0 || old.runs[0].phys < 0 {
		return false
	}
	w := mapper{f: h.f, in: in}
	r, start := unpackExtent(fork)
	return w.physical(&r, start) && r.phys >= 0 && (r.first != 0 || r.phys != old.runs[0].phys)
}

// recoverCut gives what a file held before it was cut, where blocks of it that it has no more are still free.
func (u *undeleter) recoverCut(c, l *life, index int) (filesystem.Recovered, bool) {
	rec := make([]byte, u.f.sb.inodeSize())
	copy(rec, c.core)
	in := inode{number: c.ino, raw: rec, off: placeOf(u.f, c.ino)}
	u.f.decode(&in)
	r := filesystem.Recovered{Meta: in.meta(), From: c.from, Cut: true, Before: c.deadTime, After: in.meta().Ctime}
	r.Meta.State = filesystem.Deleted
	if r.Before.Known() && r.Before.Before(r.After) {
		r.After = evidence.Time{}
	}
	u.content(c, &in, &r)
	if r.Free == 0 {
		return r, false
	}
	own := u.stillOwn(c, r.Extents)
	r.Free, r.Reused = r.Free+own, r.Reused-own
	u.path(l, index, &r)
	return r, true
}

// stillOwn gives how many bytes of old extents the file still has in the same place.
func (u *undeleter) stillOwn(c *life, old []filesystem.Extent) (n int64) {
	in, err := u.f.inode(c.ino)
	if err != nil || in.gen != c.gen || in.mode == 0 || in.links == 0 || in.format != formatExtents && in.format != formatBtree {
		return 0
	}
	now := u.f.extents(u.f.mapFork(&in, in.format, in.dataFork(), in.extents, false), in.size)
	for i, k := 0, 0; i < len(old) && k < len(now); { // both are in the order of the file
		a, b := &old[i], &now[k]
		from, to := max(a.Logical, b.Logical), min(a.Logical+a.Length, b.Logical+b.Length)
		if from < to && a.Physical >= 0 && b.Physical >= 0 && a.Physical-a.Logical == b.Physical-b.Logical {
			n += to - from
		}
		if a.Logical+a.Length < b.Logical+b.Length {
			i++
		} else {
			k++
		}
	}
	return n
}

// emptied looks at a file that is empty now for extents left in its record.
func (u *undeleter) emptied(in *inode) {
	if in.mode == 0 || in.links == 0 || in.size != 0 || in.extents != 0 || in.format != formatExtents || in.fileType() != filesystem.Regular {
		return
	}
	for _, l := range u.h.lives[in.number] {
		if len(l.cuts) > 0 {
			return // the log knows better
		}
	}
	m := u.f.residue(in)
	if len(m.runs) == 0 || m.runs[len(m.runs)-1].end() > maxGuess/u.f.blockSize {
		return
	}
	size := m.runs[len(m.runs)-1].end() * u.f.blockSize
	if free, reused := u.held(u.f.extents(m, size)); free == 0 || reused > 0 {
		return // nothing tells that this was ever a file's
	}
	if u.h.count++; u.h.count > maxLives || u.h.bytes > maxLifeBytes {
		u.h.full = true
		return
	}
	u.h.bytes += 512 + len(m.runs)*runBytes
	core := append([]byte(nil), in.raw[:in.literal()]...)
	binary.BigEndian.PutUint64(core[sizeAt:], uint64(size))
	u.residues = append(u.residues, &life{ino: in.number, gen: in.gen, core: core, m: m, sized: true, deadTime: in.time(bin.Big(in.raw), timesAt+16),
		from: "extents left in the record of a file that is empty now, which also give the size: what it held before, or what another held that had its number"})
}

// recoverEmptied gives what lies where an empty file's record still points. Whether it was this file's nobody knows, so it has no path and no times.
func (u *undeleter) recoverEmptied(l *life) filesystem.Recovered {
	rec := make([]byte, u.f.sb.inodeSize())
	copy(rec, l.core)
	in := inode{number: l.ino, raw: rec, off: placeOf(u.f, l.ino)}
	u.f.decode(&in)
	r := filesystem.Recovered{Meta: in.meta(), From: l.from, Before: l.deadTime}
	r.Meta.State = filesystem.Deleted
	r.Meta.Mtime, r.Meta.Atime, r.Meta.Ctime, r.Meta.Crtime = evidence.Time{}, evidence.Time{}, evidence.Time{}, evidence.Time{}
	u.content(l, &in, &r)
	return r
}
