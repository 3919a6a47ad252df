package btrfs

import (
	"context"
	"iter"
	"sort"

	"telltale/filesystem"
)

const maxRuns = 4 << 20 // free runs of one chunk

// run is a stretch of addresses.
type run struct{ from, end int64 }

// FreeSpace gives what the extent tree has nobody for, in every copy, and what of the
// devices is not given to any chunk. Superblocks are left out.
func (f *FS) FreeSpace(ctx context.Context) iter.Seq2[filesystem.Extent, error] {
	return func(yield func(filesystem.Extent, error) bool) {
		for _, d := range f.devices {
			if !f.freeOf(ctx, d, yield) {
				return
			}
		}
	}
}

// piece is a stripe of a chunk on a device.
type piece struct {
	k      *chunk
	stripe int64
	run
}

func (f *FS) piecesOf(d *device) (list []piece) {
	for _, k := range f.chunks {
		per := k.perStripe()
		for i, s := range k.stripes {
			if f.deviceOf(s) == d && s.off < d.size {
				list = append(list, piece{k, int64(i), run{s.off, s.off + min(per, d.size-s.off)}})
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].from < list[j].from })
	return list
}

// perStripe gives how many bytes of a device a chunk takes.
func (k *chunk) perStripe() int64 { return (k.length + k.columns() - 1) / k.columns() }

// reach gives how much of a chunk can lie on the devices that are there: its length
// may be anything.
func (v *volume) reach(k *chunk) int64 {
	most := int64(0)
	for _, s := range k.stripes {
		if d := v.deviceOf(s); d != nil {
			most = max(most, d.size-s.off)
		}
	}
	if rows := (most + stripeAlign - 1) / stripeAlign; rows < k.length/stripeAlign/k.columns() {
		return rows * stripeAlign * k.columns()
	}
	return k.length
}

func (f *FS) freeOf(ctx context.Context, d *device, yield func(filesystem.Extent, error) bool) bool {
	give := func(r run) bool { return f.cutSupers(d, r, yield) }
	end := int64(0)
	for _, p := range f.piecesOf(d) {
		if err := ctx.Err(); err != nil {
			return yield(filesystem.Extent{}, err)
		}
		if p.from > end && !give(run{end, p.from}) {
			return false
		}
		end = max(end, p.end)
		gaps, err := f.gaps(p.k)
		if err != nil && !yield(filesystem.Extent{}, err) {
			return false
		}
		if err != nil {
			continue
		}
		for _, r := range p.k.onStripe(p.stripe, gaps) {
			if r.from += p.from; !give(run{r.from, min(r.end+p.from, p.end)}) {
				return false
			}
		}
	}
	return end >= d.size || give(run{end, d.size})
}

// cutSupers yields a run without the superblocks in it.
func (f *FS) cutSupers(d *device, r run, yield func(filesystem.Extent, error) bool) bool {
	out := func(a, b int64) bool {
		return a >= b || yield(filesystem.Extent{Physical: d.base + a, Length: b - a}, nil)
	}
	for _, off := range superOffsets {
		if off < r.end && off+superSize > r.from {
			if !out(r.from, off) {
				return false
			}
			r.from = off + superSize
		}
	}
	return out(r.from, r.end)
}

// gaps gives the addresses of a chunk that no extent has. An extent tree that is
// damaged there is an error: what is behind it would look free.
func (f *FS) gaps(k *chunk) (list []run, err error) {
	root, ok := f.roots[treeExtent]
	if !ok {
		return nil, f.damage(k.logical, k.length, "which space of the chunk at %d is free cannot be told: there is no extent tree", k.logical)
	}
	last := k.logical + f.reach(k)
	at := k.logical
	if it, ok, err := f.before(root, key{uint64(at), 0, 0}); err == nil && ok {
		if r, ok := f.extentRun(it); ok {
			at = min(max(at, r.end), last)
		}
	}
	for it, err := range f.items(root, key{uint64(k.logical), 0, 0}, key{uint64(last) - 1, ^uint8(0), ^uint64(0)}) {
		if err != nil {
			return nil, err
		}
		r, ok := f.extentRun(it)
		if !ok {
			continue
		}
		if r.from > at {
			list = append(list, run{at - k.logical, r.from - k.logical})
		}
		if at = max(at, r.end); len(list) > maxRuns {
			return nil, f.damage(k.logical, k.length, "the chunk at %d has more than %d free runs", k.logical, maxRuns)
		}
	}
	if at < last {
		list = append(list, run{at - k.logical, last - k.logical})
	}
	return list, nil
}

// extentRun gives the addresses that an item of the extent tree stands for.
func (v *volume) extentRun(it item) (run, bool) {
	from, n := int64(it.object), int64(it.offset)
	if it.kind == kindMetadata {
		n = v.sb.node
	}
	if it.kind != kindExtent && it.kind != kindMetadata || from < 0 || n <= 0 || n > 1<<62-from {
		return run{}, false
	}
	return run{from, from + n}, true
}

// onStripe turns addresses within a chunk into those within one of its stripes.
func (k *chunk) onStripe(stripe int64, gaps []run) (list []run) {
	add := func(r run) {
		if n := len(list); n > 0 && list[n-1].end == r.from {
			list[n-1].end = r.end
			return
		}
		list = append(list, r)
	}
	striped := k.flags&(groupRaid0|groupRaid10|groupRaid5|groupRaid6) != 0
	for _, g := range gaps {
		if !striped {
			add(g)
			continue
		}
		for at := g.from; at < g.end && len(list) < maxRuns; {
			s := k.locate(at, 0)
			n := min(s.run, g.end-at)
			mine := s.stripe == stripe
			if k.flags&groupRaid10 != 0 {
				mine = s.stripe/k.sub == stripe/k.sub
			}
			if mine {
				add(run{s.off, s.off + n})
			}
			at += n
		}
	}
	return list
}
