package ext4

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/holes"
)

// Replay gives the filesystem as the kernel shows it once it has replayed the journal: each block that a
// committed transaction wrote is read from the ring. Nothing is written. It gives nil where the
// filesystem was unmounted cleanly.
func (f *FS) Replay(ctx context.Context) (filesystem.FS, filesystem.Replayed, error) {
	v, r, err := f.replay(ctx)
	if v == nil {
		return nil, r, err
	}
	return v, r, err
}

func (f *FS) replay(ctx context.Context) (*FS, filesystem.Replayed, error) {
	var did filesystem.Replayed
	if f.sb.incompat&incompatRecover == 0 || f.replayed {
		return nil, did, nil
	}
	j, err := f.openJournal()
	if err != nil {
		return nil, did, fmt.Errorf("replay: %w", err)
	}
	p := replayer{j: j, ctx: ctx, did: &did, revoked: make(map[int64]uint32), newest: make(map[int64]logged)}
	next := j.sequence
	if j.start != 0 {
		if next, err = p.pass(p.collectRevokes); err == nil {
			_, err = p.pass(p.apply)
		}
		if err != nil {
			return nil, did, err
		}
	}
	did.Blocks = len(p.newest)
	v, err := Open(newOverlay(f, p.newest), f.size)
	if err != nil {
		return nil, did, fmt.Errorf("replay: the filesystem cannot be read any more once it is replayed: %w", err)
	}
	v.replayed = true
	if j.incompat&journalFast != 0 {
		v.fast, err = j.fastCommits(ctx, v, next, &did)
	}
	v.note("this is how it becomes when its journal is replayed, in memory: %d transactions, %d blocks", did.Transactions, did.Blocks)
	return v, did, err
}

// logged is a block of the filesystem as the ring has it.
type logged struct {
	sequence uint32
	escaped  bool
	place    int64 // block of the filesystem at which the ring keeps it
}

// replayer goes through the transactions as fs/jbd2/recovery.c does.
type replayer struct {
	j       *journal
	ctx     context.Context
	did     *filesystem.Replayed
	revoked map[int64]uint32 // by block: the last transaction that revoked it
	newest  map[int64]logged
	refused int
}

// pass visits each block of each committed transaction, from the oldest, and gives the sequence number
// that would come next.
func (p *replayer) pass(visit func(sequence uint32, b []byte, ring int64, tags []tag)) (uint32, error) {
	j := p.j
	b := make([]byte, j.f.blockSize)
	last, err := p.lastCommitted(b)
	if err != nil {
		return 0, err
	}
	at, seq := j.start, j.sequence
	var tags []tag
	for left := j.end - j.first; left > 0 && seq != last; left-- {
		if err := p.ctx.Err(); err != nil {
			return 0, err
		}
		if _, err := j.read(at, b); err != nil {
			return 0, err
		}
		kind, _, _ := header(b)
		at = j.next(at)
		switch kind {
		case journalDescriptor:
			tags = j.tags(b, tags[:0])
			visit(seq, nil, at, tags)
			for range tags {
				at, left = j.next(at), left-1
			}
		case journalRevoke:
			visit(seq, b, at, nil)
		case journalCommit:
			seq++
		}
	}
	return last, nil
}

// lastCommitted gives the sequence number behind the last whole transaction.
func (p *replayer) lastCommitted(b []byte) (uint32, error) {
	j := p.j
	at, seq := j.start, j.sequence
	var tags []tag
	p.did.Transactions, p.did.First, p.did.Last = 0, evidence.Time{}, evidence.Time{}
	for left := j.end - j.first; left > 0; left-- {
		if err := p.ctx.Err(); err != nil {
			return 0, err
		}
		if _, err := j.read(at, b); err != nil {
			p.note("the journal cannot be read behind transaction %d: %v", seq, err)
			return seq, nil
		}
		kind, s, ok := header(b)
		if !ok || s != seq {
			return seq, nil
		}
		at = j.next(at)
		switch kind {
		case journalDescriptor, journalRevoke:
			if !j.tailOK(b) {
				p.note("transaction %d is not whole: a block of it does not match its checksum; it is not replayed, nor what comes after", seq)
				return seq, nil
			}
			if kind == journalDescriptor {
				tags = j.tags(b, tags[:0])
				for range tags {
					at, left = j.next(at), left-1
				}
			}
		case journalCommit:
			if !j.commitOK(b) {
				p.note("the commit of transaction %d does not match its checksum: it is not replayed, nor what comes after", seq)
				return seq, nil
			}
			t := commitTime(b)
			if p.did.Transactions == 0 {
				p.did.First = t
			}
			p.did.Last = t
			p.did.Transactions++
			seq++
		default:
			return seq, nil
		}
	}
	return seq, nil
}

func (p *replayer) note(format string, a ...any) {
	s := fmt.Sprintf(format, a...)
	if !slices.Contains(p.did.Notes, s) {
		p.did.Notes = append(p.did.Notes, s)
	}
}

func (p *replayer) collectRevokes(sequence uint32, b []byte, _ int64, _ []tag) {
	if b != nil {
		p.j.revoked(b, func(block int64) { p.revoked[block] = sequence })
	}
}

func (p *replayer) apply(sequence uint32, _ []byte, ring int64, tags []tag) {
	b := make([]byte, p.j.f.blockSize)
	for _, t := range tags {
		at := ring
		ring = p.j.next(ring)
		if by, ok := p.revoked[t.block]; ok && !before(by, sequence) {
			continue
		}
		place, err := p.j.read(at, b)
		if err == nil && !p.j.blockOK(t, sequence, b) {
			err = errors.New("it does not match its checksum")
		}
		if err != nil || t.block <= 0 && p.j.f.blockSize == 1024 || t.block < 0 || t.block >= p.j.f.blocks {
			if p.refused++; p.refused <= 20 {
				p.note("block %d of transaction %d is not replayed: %v", t.block, sequence, err)
			}
			continue
		}
		p.newest[t.block] = logged{sequence, t.escaped(), place}
	}
}

// overlay is a source with blocks taken from elsewhere in it. It is not changed once it is made.
type overlay struct {
	src    io.ReaderAt
	size   int64 // of a block
	blocks []int64
	from   map[int64]logged
}

func newOverlay(f *FS, from map[int64]logged) *overlay {
	o := &overlay{src: f.src, size: f.blockSize, from: from, blocks: make([]int64, 0, len(from))}
	for b := range from {
		o.blocks = append(o.blocks, b)
	}
	slices.Sort(o.blocks)
	return o
}

// ReadAt reads as io.ReaderAt does. What lies between two blocks of the overlay is asked for at once.
func (o *overlay) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read at offset %d", off)
	}
	i, _ := slices.BinarySearch(o.blocks, off/o.size)
	for n := 0; n < len(p); {
		at := off + int64(n)
		rest := p[n:]
		if i >= len(o.blocks) || at < o.blocks[i]*o.size {
			if i < len(o.blocks) {
				rest = rest[:min(int64(len(rest)), o.blocks[i]*o.size-at)]
			}
			k, err := o.src.ReadAt(rest, at)
			if n += k; k < len(rest) {
				return n, err
			}
			continue
		}
		l, within := o.from[o.blocks[i]], at-o.blocks[i]*o.size
		rest = rest[:min(int64(len(rest)), o.size-within)]
		k, err := o.src.ReadAt(rest, l.place*o.size+within)
		if l.escaped {
			unescape(rest[:k], within)
		}
		if n += k; k < len(rest) {
			return n, err
		}
		i++
	}
	return len(p), nil
}

// Next tells where data go on: in the source, or in a block that lies over it.
func (o *overlay) Next(off int64) int64 {
	n := holes.Next(o.src, off)
	i, found := slices.BinarySearch(o.blocks, off/o.size)
	if found {
		return off
	}
	if i < len(o.blocks) {
		n = min(n, o.blocks[i]*o.size)
	}
	return n
}

// unescape puts back the magic number that a logged block began with. p begins at byte off of the block.
func unescape(p []byte, off int64) {
	for i, x := range [4]byte{0xc0, 0x3b, 0x39, 0x98} {
		if at := int64(i) - off; at >= 0 && at < int64(len(p)) {
			p[at] = x
		}
	}
}
