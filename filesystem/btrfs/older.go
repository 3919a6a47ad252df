package btrfs

import (
	"context"
	"fmt"
	"iter"
	"sort"

	"telltale/evidence"
)

// Btrfs never changes a tree node in its place: each transaction writes new ones, and
// the old ones stay until their space is needed again. The whole space of metadata is
// searched for leaves; which tree and generation they are of stands in them.

const (
	maxLeaves = 512 << 10 // that are kept in mind
	scanPiece = 1 << 20   // bytes
	maxTimes  = 1 << 20
	maxSteps  = 200_000_000 // through the index, in all
)

// leaf is one that was found: its tree's items from first to last as of a generation.
type leaf struct {
	at          int64
	generation  uint64
	first, last key
	live        bool
	committed   bool // a root of its time leads to it
}

// leafIndex holds the leaves of one tree by their first key, with a tree of the highest
// last key over them, so that those that hold a key are found without passing all.
type leafIndex struct {
	leaves []leaf
	high   []key // high[1] is of all; the children of i are 2i and 2i+1
	base   int
}

func (x *leafIndex) build() {
	sort.Slice(x.leaves, func(i, j int) bool { return x.leaves[i].first.less(x.leaves[j].first) })
	for x.base = 1; x.base < len(x.leaves); {
		x.base *= 2
	}
	x.high = make([]key, 2*x.base)
	for i := range x.leaves {
		x.high[x.base+i] = x.leaves[i].last
	}
	for i := x.base - 1; i > 0; i-- {
		x.high[i] = x.high[2*i]
		if x.high[i].less(x.high[2*i+1]) {
			x.high[i] = x.high[2*i+1]
		}
	}
}

// after gives the index of the first leaf that begins beyond k.
func (x *leafIndex) after(k key) int {
	return sort.Search(len(x.leaves), func(i int) bool { return k.less(x.leaves[i].first) })
}

// covering calls f for every leaf whose range holds k.
func (x *leafIndex) covering(k key, steps *int, f func(*leaf)) {
	x.visit(1, 0, x.base, x.after(k), k, steps, f)
}

func (x *leafIndex) visit(i, from, size, end int, k key, steps *int, f func(*leaf)) {
	if *steps++; from >= end || x.high[i].less(k) || *steps > maxSteps {
		return
	}
	if size == 1 {
		f(&x.leaves[from])
		return
	}
	x.visit(2*i, from, size/2, end, k, steps, f)
	x.visit(2*i+1, from+size/2, size/2, end, k, steps, f)
}

// moment tells until when, at least and at most, a generation was written.
type moment struct {
	generation uint64
	at         evidence.Time
}

// older is what was found of earlier generations.
type older struct {
	f           *FS
	trees       map[uint64]*leafIndex
	moments     []moment
	generations map[uint64]struct{} // of leaves that are not live
	scanned     int64               // bytes
	looked      int64               // bytes, whether they could be read or not
	found       int                 // leaves kept
	full        bool
	steps       int
	notes       []string
}

// kept tells which trees' leaves are of use.
func kept(owner uint64) bool {
	return owner == treeCsum || owner == 1 || isSubvolume(owner)
}

// scan searches the space of metadata.
func (f *FS) scan(ctx context.Context) (*older, error) {
	o := &older{f: f, trees: make(map[uint64]*leafIndex), generations: make(map[uint64]struct{})}
	for _, k := range f.chunks {
		if k.flags&groupMetadata == 0 || o.looked > 4*f.size+1<<30 {
			continue
		}
		for off, end := int64(0), f.reach(k); off < end; off += scanPiece {
			if o.looked += scanPiece; o.looked > 4*f.size+1<<30 {
				o.notes = append(o.notes, "the chunks of metadata are bigger than the devices: not all were searched")
				break
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			o.piece(k, off)
		}
	}
	if o.full {
		o.notes = append(o.notes, fmt.Sprintf("more than %d leaves were found: the rest is left out", maxLeaves))
	}
	for _, x := range o.trees {
		x.build()
	}
	w := walker{older: o, leaves: make(map[int64]*leaf), seen: make(map[int64]struct{})}
	for _, x := range o.trees {
		for i := range x.leaves {
			w.leaves[x.leaves[i].at] = &x.leaves[i]
		}
	}
	w.roots()
	return o, nil
}

// piece searches one part of a chunk. A node may begin at any sector and reach into the next part.
func (o *older) piece(k *chunk, off int64) {
	v := o.f.volume
	b := make([]byte, min(scanPiece+v.sb.node-v.sb.sector, k.length-off))
	from := k.logical + off
	if v.read(b, from, 0) != nil {
		o.sectors(k, off, min(scanPiece, k.length-off))
		return
	}
	o.scanned += min(scanPiece, k.length-off)
	for at := int64(0); at < scanPiece && at <= int64(len(b))-v.sb.node; {
		p := b[at : at+v.sb.node]
		if !v.ours(p) {
			at += v.sb.sector
			continue
		}
		if o.node(p, from+at) {
			at += v.sb.node
		} else {
			at += v.sb.sector
		}
	}
}

// sectors tries node by node and copy by copy, where a part cannot be read at once.
func (o *older) sectors(k *chunk, off, length int64) {
	v := o.f.volume
	for at := off; at < off+length && at <= k.length-v.sb.node; at += v.sb.node {
		for m := range k.mirrors() {
			b := make([]byte, v.sb.node)
			if v.read(b, k.logical+at, m) == nil && v.ours(b) && o.node(b, k.logical+at) {
				break
			}
		}
		o.scanned += v.sb.node
	}
}

// node takes a leaf in, and tells whether there was a sound node at all.
func (o *older) node(b []byte, logical int64) bool {
	v := o.f.volume
	n, err := v.parse(b, logical)
	for m := 1; err != nil && m < v.mirrors(logical); m++ {
		n, err = v.nodeCopy(logical, m)
	}
	if err != nil {
		return false
	}
	if n.level != 0 || len(n.keys) == 0 || !kept(n.owner) {
		return true
	}
	if o.found >= maxLeaves || len(o.trees) >= maxTrees {
		o.full = true
		return true
	}
	o.found++
	l := leaf{at: logical, generation: n.generation, first: n.keys[0], last: n.keys[len(n.keys)-1], live: v.inUse(logical)}
	l.committed = l.live
	if !l.live && isSubvolume(n.owner) {
		o.generations[n.generation] = struct{}{}
	}
	if o.trees[n.owner] == nil {
		o.trees[n.owner] = &leafIndex{}
	}
	o.trees[n.owner].leaves = append(o.trees[n.owner].leaves, l)
	return true
}

// inUse tells whether a tree node is one of the live trees, by the extent tree.
func (v *volume) inUse(logical int64) bool {
	root, ok := v.roots[treeExtent]
	if !ok {
		return false
	}
	for _, err := range v.items(root, key{uint64(logical), kindExtent, 0}, key{uint64(logical), kindMetadata, ^uint64(0)}) {
		return err == nil
	}
	return false
}

// walker goes down from the roots of all times. The kernel may write a leaf out and change it
// again within one transaction: then there are several of the same generation, and only
// the one that a root leads to is what was committed.
type walker struct {
	*older
	leaves map[int64]*leaf
	seen   map[int64]struct{} // inner nodes
}

// roots follows every root item there is or was. Each also dates a generation: it tells when
// its tree's last inode was changed, and in which transaction.
func (w *walker) roots() {
	at := make(map[uint64]evidence.Time)
	x := w.trees[1]
	for i := 0; x != nil && i < len(x.leaves); i++ {
		n, _ := w.f.fetch(pointer{at: x.leaves[i].at, generation: x.leaves[i].generation})
		for j := 0; n != nil && j < len(n.keys); j++ {
			if n.keys[j].kind != kindRoot || !kept(n.keys[j].object) {
				continue
			}
			r, err := readRoot(n.item(j))
			if err != nil {
				continue
			}
			w.down(r.pointer)
			if r.ctime.Known() && isSubvolume(n.keys[j].object) && len(at) < maxTimes {
				at[r.changed] = evidence.Max(at[r.changed], r.ctime)
			}
		}
	}
	for g, t := range at {
		w.moments = append(w.moments, moment{g, t})
	}
	sort.Slice(w.moments, func(i, j int) bool { return w.moments[i].generation < w.moments[j].generation })
}

// down marks the leaves below a node. What was overwritten since is passed over: its
// generation is another one.
func (w *walker) down(p pointer) {
	if p.level == 0 {
		if l := w.leaves[p.at]; l != nil && l.generation == p.generation {
			l.committed = true
		}
		return
	}
	if _, ok := w.seen[p.at]; ok || len(w.seen) >= maxLeaves {
		return
	}
	n, _ := w.f.fetch(p)
	if n == nil {
		return
	}
	w.seen[p.at] = struct{}{}
	for _, c := range n.children {
		w.down(c)
	}
}

// notBefore gives a time that generation g was written after.
func (o *older) notBefore(g uint64) evidence.Time {
	i := sort.Search(len(o.moments), func(i int) bool { return o.moments[i].generation > g })
	if i == 0 {
		return evidence.Time{}
	}
	return o.moments[i-1].at
}

// notAfter gives a time by which all changes of generation g had been made.
func (o *older) notAfter(g uint64) evidence.Time {
	i := sort.Search(len(o.moments), func(i int) bool { return o.moments[i].generation >= g })
	if i == len(o.moments) {
		return evidence.Time{}
	}
	return o.moments[i].at
}

// at gives a tree's items as of generation g, as far as its leaves of then are still there:
// of several that hold a key the newest committed one not beyond g counts.
func (o *older) at(tree, g uint64) source {
	x := o.trees[tree]
	return func(from, to key) iter.Seq2[item, error] {
		return func(yield func(item, error) bool) {
			if x == nil {
				return
			}
			for pos := from; !to.less(pos) && o.steps <= maxSteps; {
				l := o.best(x, pos, g)
				if l == nil {
					if l = o.next(x, pos, g); l == nil || to.less(l.first) {
						return
					}
					pos = l.first
					continue
				}
				n, err := o.f.node(pointer{at: l.at, generation: l.generation})
				if err != nil {
					yield(item{}, err)
					return
				}
				i := sort.Search(len(n.keys), func(i int) bool { return !n.keys[i].less(pos) })
				for ; i < len(n.keys) && !to.less(n.keys[i]); i++ {
					if !yield(n.item(i), nil) {
						return
					}
				}
				if pos = successor(l.last); pos == (key{}) {
					return
				}
			}
		}
	}
}

// successor gives the next possible key.
func successor(k key) key {
	if k.offset++; k.offset == 0 {
		if k.kind++; k.kind == 0 {
			k.object++
		}
	}
	return k
}

func (o *older) best(x *leafIndex, pos key, g uint64) (best *leaf) {
	x.covering(pos, &o.steps, func(l *leaf) {
		if l.generation <= g && (best == nil || l.committed && !best.committed ||
			l.committed == best.committed && l.generation > best.generation) {
			best = l
		}
	})
	return best
}

func (o *older) next(x *leafIndex, pos key, g uint64) *leaf {
	for i := x.after(pos); i < len(x.leaves); i++ {
		if o.steps++; x.leaves[i].generation <= g || o.steps > maxSteps {
			return &x.leaves[i]
		}
	}
	return nil
}

// until gives the generation in which a leaf that held k was replaced: the first later one
// of a leaf that holds k's place, or the newest of all.
func (o *older) until(x *leafIndex, k key, g uint64) uint64 {
	end := o.f.root.generation
	x.covering(k, &o.steps, func(l *leaf) {
		if l.generation > g && l.generation < end {
			end = l.generation
		}
	})
	return max(end, g+1)
}
