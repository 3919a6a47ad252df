package ext4

import (
	"context"
	"fmt"
	"slices"

	"telltale/evidence"
	"telltale/filesystem"
)

// ring is all that the journal still holds, also of transactions that were written back long ago: each
// is an earlier state of the blocks that it names.
type ring struct {
	f       *FS // the view that is to be called the present
	blocks  []ringBlock
	commits map[uint32]evidence.Time
	byBlock map[int64][]int32 // indices into blocks, oldest first; made where it is asked for
	bad     int               // blocks that do not match their checksum
	unread  int               // blocks of the ring that cannot be read
}

// ringBlock is one logged block of the filesystem.
type ringBlock struct {
	block int64
	logged
}

// readRing takes the ring in, oldest transaction first. src is what the journal is read from.
func readRing(ctx context.Context, f *FS, j *journal) (*ring, error) {
	r := &ring{f: f, commits: make(map[uint32]evidence.Time)}
	b, data := make([]byte, j.f.blockSize), make([]byte, j.f.blockSize)
	var tags []tag
	for n := j.first; n < j.end; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := j.read(n, b); err != nil {
			r.unread++
			continue
		}
		kind, seq, ok := header(b)
		switch {
		case !ok:
		case kind == journalCommit:
			r.commits[seq] = commitTime(b)
		case kind == journalDescriptor && j.tailOK(b):
			tags = j.tags(b, tags[:0])
			r.transaction(j, n, seq, tags, data)
		}
	}
	slices.SortStableFunc(r.blocks, func(a, b ringBlock) int {
		switch {
		case before(a.sequence, b.sequence):
			return -1
		case before(b.sequence, a.sequence):
			return 1
		}
		return 0
	})
	return r, nil
}

// transaction takes in the blocks behind a descriptor, up to where a newer transaction lies over them.
func (r *ring) transaction(j *journal, n int64, seq uint32, tags []tag, data []byte) {
	for _, t := range tags {
		n = j.next(n)
		place, err := j.read(n, data)
		if err != nil {
			continue
		}
		if _, _, own := header(data); own {
			return
		}
		if !j.blockOK(t, seq, data) {
			r.bad++
			continue
		}
		if t.block >= 0 && t.block < j.f.blocks && len(r.blocks) < maxJournal {
			r.blocks = append(r.blocks, ringBlock{t.block, logged{seq, t.escaped(), place}})
		}
	}
}

// read gives the content of a logged block.
func (r *ring) read(b *ringBlock, buf []byte) error {
	if err := r.f.readAt(buf, b.place*r.f.blockSize); err != nil {
		return err
	}
	if b.escaped {
		unescape(buf, 0)
	}
	return nil
}

// span gives when the oldest and the newest transaction in the ring were committed.
func (r *ring) span() (from, to evidence.Time, n int) {
	seen := make(map[uint32]bool)
	for i := range r.blocks {
		s := r.blocks[i].sequence
		if seen[s] {
			continue
		}
		seen[s] = true
		if t := r.commits[s]; t.Known() {
			from, to = evidence.Min(from, t), evidence.Max(to, t)
			n++
		}
	}
	return from, to, n
}

// past is the filesystem as a transaction left it, as far as the ring remembers: for the blocks of
// extent trees, which are used again soon after a file is gone.
type past struct {
	r   *ring
	seq uint32
}

func (p past) ReadAt(b []byte, off int64) (int, error) {
	size := p.r.f.blockSize
	if off%size == 0 && int64(len(b)) == size {
		if i := p.r.newest(off/size, p.seq); i >= 0 {
			if err := p.r.read(&p.r.blocks[i], b); err == nil {
				return len(b), nil
			}
		}
	}
	return p.r.f.src.ReadAt(b, off)
}

// newest gives the index of the newest version of a block that is not newer than seq, -1 for none.
func (r *ring) newest(block int64, seq uint32) int32 {
	if r.byBlock == nil {
		r.byBlock = make(map[int64][]int32)
		for i := range r.blocks {
			b := r.blocks[i].block
			r.byBlock[b] = append(r.byBlock[b], int32(i))
		}
	}
	best := int32(-1)
	for _, i := range r.byBlock[block] {
		if before(seq, r.blocks[i].sequence) {
			break
		}
		best = i
	}
	return best
}

// tables finds the inodes that a block of an inode table holds.
type tables struct {
	f      *FS
	groups []uint64 // in the order of their tables
	starts []int64  // first block of each group's table
	blocks int64    // of one table
}

func (f *FS) newTables() *tables {
	t := &tables{f: f, blocks: (int64(f.sb.inodesPerGroup)*int64(f.sb.inodeSize) + f.blockSize - 1) / f.blockSize}
	for g := range f.groupsHere() {
		if d, err := f.groupOf(g); err == nil {
			t.groups = append(t.groups, g)
			t.starts = append(t.starts, d.table/f.blockSize)
		}
	}
	order := make([]int, len(t.groups))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(min(max(t.starts[a]-t.starts[b], -1), 1)) })
	groups, starts := make([]uint64, len(order)), make([]int64, len(order))
	for i, o := range order {
		groups[i], starts[i] = t.groups[o], t.starts[o]
	}
	t.groups, t.starts = groups, starts
	return t
}

// first gives the number of the first inode in a block, and how many follow it there; 0 where the block
// belongs to no table.
func (t *tables) first(block int64) (n uint32, count int) {
	i, found := slices.BinarySearch(t.starts, block)
	if !found {
		i--
	}
	if i < 0 || block >= t.starts[i]+t.blocks {
		return 0, 0
	}
	per := t.f.blockSize / int64(t.f.sb.inodeSize)
	index := (block - t.starts[i]) * per
	left := int64(t.f.sb.inodesPerGroup) - index
	number := t.groups[i]*uint64(t.f.sb.inodesPerGroup) + uint64(index) + 1
	if left <= 0 || number > 1<<32-1 {
		return 0, 0
	}
	return uint32(number), int(min(per, left))
}

func (r *ring) history() filesystem.History {
	h := filesystem.History{Source: "journal"}
	h.From, h.To, h.Transactions = r.span()
	h.Bytes = int64(len(r.blocks)) * r.f.blockSize
	if r.unread > 0 {
		h.Notes = append(h.Notes, fmt.Sprintf("%d blocks of the journal cannot be read: what they tell is not known", r.unread))
	}
	if r.bad > 0 {
		h.Notes = append(h.Notes, fmt.Sprintf("%d logged blocks do not match their checksum and were left out", r.bad))
	}
	return h
}
