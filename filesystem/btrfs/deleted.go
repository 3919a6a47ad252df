package btrfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"sort"
	"strings"

	"telltale/filesystem"
)

const (
	maxVersions = 1 << 20 // of inodes that are told apart
	maxCompared = 8 << 20 // bytes of two versions of one file that are compared
)

var _ filesystem.Undeleter = (*FS)(nil)

// Deleted finds what older generations of the trees still have: files that were deleted since, and
// older versions of files, the deleted ones included, whose content was changed otherwise than by
// adding to its end. Newest come first. A path that does not begin with "/" lacks its upper part.
func (f *FS) Deleted(ctx context.Context) (filesystem.History, iter.Seq2[filesystem.Recovered, error]) {
	h := filesystem.History{Source: "older trees"}
	o, err := f.scan(ctx)
	if err != nil {
		return h, func(yield func(filesystem.Recovered, error) bool) { yield(filesystem.Recovered{}, err) }
	}
	h.Bytes, h.Transactions = o.scanned, len(o.generations)
	first, last := ^uint64(0), uint64(0)
	for g := range o.generations {
		first, last = min(first, g), max(last, g)
	}
	if h.Transactions > 0 {
		h.From, h.To = o.notBefore(first), o.notAfter(last)
		o.notes = append(o.notes, fmt.Sprintf("tree leaves of %d older generations were found, %d to %d; the newest is %d", h.Transactions, first, last, f.root.generation))
	} else {
		o.notes = append(o.notes, "no leaves of older generations are left")
	}
	if _, ok := f.roots[treeExtent]; !ok {
		o.notes = append(o.notes, "there is no extent tree: which space was given away since cannot be told")
	}
	h.Notes = o.notes
	return h, func(yield func(filesystem.Recovered, error) bool) {
		if !f.openFiles(ctx, yield) {
			return
		}
		s := search{older: o, seen: make(map[version]struct{}), newest: make(map[file]*state)}
		s.run(ctx, yield)
	}
}

// openFiles gives the orphans.
func (f *FS) openFiles(ctx context.Context, yield func(filesystem.Recovered, error) bool) bool {
	for m, err := range f.Orphans(ctx) {
		if err != nil {
			if !yield(filesystem.Recovered{}, err) {
				return false
			}
			continue
		}
		r := filesystem.Recovered{Meta: m, From: "orphan list", Free: m.Size, After: m.Ctime}
		r.Content = io.NewSectionReader(inodeReader{f, m.Inode}, 0, m.Size)
		var err error
		if r.Extents, err = f.Extents(m.Inode); err != nil && !yield(filesystem.Recovered{}, err) {
			return false
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

type inodeReader struct {
	f *FS
	n filesystem.Inode
}

func (r inodeReader) ReadAt(p []byte, off int64) (int, error) { return r.f.ReadAt(r.n, p, off) }

// file is one inode of all times: numbers of deleted ones are not given again, but a
// snapshot and its origin share them.
type file struct{ tree, object, made uint64 }

// version is one state of a file: its last transaction tells them apart, and its size within that.
type version struct {
	file
	transaction, size uint64
}

// state is the newest version seen so far of a file, which older ones are held against.
type state struct {
	in     inode
	m      *contentMap
	hashes []uint64
	live   bool
}

type search struct {
	*older
	seen   map[version]struct{}
	newest map[file]*state
}

// run goes through the leaves that are not live, newest first.
func (s *search) run(ctx context.Context, yield func(filesystem.Recovered, error) bool) {
	type found struct {
		tree uint64
		*leaf
	}
	var list []found
	for tree, x := range s.trees {
		for i := range x.leaves {
			if isSubvolume(tree) && !x.leaves[i].live {
				list = append(list, found{tree, &x.leaves[i]})
			}
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].generation != list[j].generation {
			return list[i].generation > list[j].generation
		}
		if list[i].committed != list[j].committed {
			return list[i].committed
		}
		return list[i].at < list[j].at
	})
	for _, l := range list {
		n, err := s.f.node(pointer{at: l.at, generation: l.generation})
		if err != nil {
			if !yield(filesystem.Recovered{}, err) {
				return
			}
			continue
		}
		for i := range n.keys {
			if n.keys[i].kind != kindInode {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(filesystem.Recovered{}, err)
				return
			}
			if len(s.seen) >= maxVersions || s.steps > maxSteps {
				yield(filesystem.Recovered{}, s.f.damage(l.at, s.f.sb.node, "older trees hold more than %d versions of inodes or too many leaves: those older than generation %d are left out", maxVersions, l.generation))
				return
			}
			if r, ok := s.inode(l.tree, l.leaf, n.item(i)); ok && !yield(r, nil) {
				return
			}
		}
	}
}

// inode looks at one old inode item, and tells whether it is news.
func (s *search) inode(tree uint64, l *leaf, it item) (r filesystem.Recovered, ok bool) {
	in, err := readInode(it)
	if err != nil || in.fileType() == filesystem.UnknownType || it.object >= maxObject || in.links == 0 {
		return r, false
	}
	k := file{tree, it.object, in.generation}
	v := version{k, in.transaction, in.size}
	if _, ok := s.seen[v]; ok {
		return r, false
	}
	s.seen[v] = struct{}{}
	known := s.state(k)
	if known.live && (in.transaction == known.in.transaction || in.fileType() != filesystem.Regular) {
		return r, false
	}
	end := s.until(s.trees[tree], it.key, l.generation)
	m := s.content(tree, &in, end-1, l.generation)
	h := hashOf(m, in.size)
	for _, o := range known.hashes {
		if o == h {
			return r, false
		}
	}
	if len(known.hashes) > 0 && (in.size == 0 || in.fileType() != filesystem.Regular || s.grown(&in, m, known)) {
		return r, false
	}
	if known.hashes = append(known.hashes, h); !known.live {
		known.in, known.m = in, m
	}
	return s.recovered(tree, l, end, in, m), true
}

// state gives what is known of a file; at first that is what is live.
func (s *search) state(k file) *state {
	if t, ok := s.newest[k]; ok {
		return t
	}
	t := &state{}
	s.newest[k] = t
	if i, ok := s.f.trees.index[k.tree]; ok && s.f.trees.list[i].refs > 0 {
		src := s.f.live(i)
		if in, err := inodeOf(src, k.object); err == nil && in.generation == k.made {
			t.in, t.live = in, true
			if in.fileType() == filesystem.Regular {
				t.m = mapContent(src, &in)
				t.hashes = append(t.hashes, hashOf(t.m, in.size))
			}
		}
	}
	return t
}

// content maps a file as of the last generation that had this version. The leaves
// beside that of the inode may be lost; then those of the inode's own generation are tried.
func (s *search) content(tree uint64, in *inode, last, own uint64) *contentMap {
	if t := in.fileType(); t != filesystem.Regular && t != filesystem.Symlink {
		return &contentMap{}
	}
	var best *contentMap
	for _, g := range []uint64{last, own} {
		m := mapContent(s.at(tree, g), in)
		if m.whole(in) {
			return m
		}
		if best == nil || m.bytes > best.bytes {
			best = m
		}
	}
	best.tear(itemDamage(in.it, "inode %d: the older leaves that tell where its content lies are not all there", in.object))
	return best
}

// whole tells whether a map has all that the inode counts.
func (m *contentMap) whole(in *inode) bool {
	if m.torn {
		return false
	}
	if len(m.segments) > 0 && m.segments[0].kind == extentInline {
		return m.segments[0].length == in.length()
	}
	return uint64(m.bytes) == in.bytes
}

// hashOf tells contents apart by where they lie.
func hashOf(m *contentMap, size uint64) uint64 {
	h := fnv.New64a()
	var b [8]byte
	add := func(v uint64) {
		binary.LittleEndian.PutUint64(b[:], v)
		h.Write(b[:])
	}
	add(size)
	for i := range m.segments {
		s := &m.segments[i]
		if s.kind == extentInline {
			h.Write(s.inline)
			continue
		}
		if s.disk != 0 {
			add(uint64(s.off))
			add(uint64(s.disk + s.skip))
			add(s.made)
		}
	}
	return h.Sum64()
}

// grown tells whether a newer version only added to the end of an older one. Its
// last block was written anew, so bytes are compared where places differ.
func (s *search) grown(in *inode, m *contentMap, newer *state) bool {
	if newer.m == nil || in.size > newer.in.size || m.torn || newer.m.torn {
		return false
	}
	a := reader{v: s.f.volume, m: m, size: in.length(), sums: noSums, what: filesystem.Inode(in.object)}
	b := a
	b.m, b.size = newer.m, newer.in.length()
	var x, y [16 << 10]byte
	for off, compared := int64(0), 0; off < a.size; {
		if n := same(m, newer.m, off); n > 0 {
			off += n
			continue
		}
		n := min(int64(len(x)), a.size-off)
		if compared += int(n); compared > maxCompared {
			return false
		}
		i, _ := a.ReadAt(x[:n], off)
		j, _ := b.ReadAt(y[:n], off)
		if int64(i) < n || int64(j) < n || !bytes.Equal(x[:n], y[:n]) {
			return false
		}
		off += n
	}
	return true
}

// same gives how many bytes from off on lie at the same place in both.
func same(a, b *contentMap, off int64) int64 {
	p, q := a.segment(off), b.segment(off)
	if p == nil || q == nil || p.kind != q.kind || p.kind == extentInline || p.disk != q.disk || p.made != q.made || p.off-p.skip != q.off-q.skip {
		return 0
	}
	return min(p.off+p.length, q.off+q.length) - off
}

func (m *contentMap) segment(off int64) *segment {
	g := m.segments
	i := sort.Search(len(g), func(i int) bool { return g[i].off+g[i].length > off })
	if i == len(g) || g[i].off > off {
		return nil
	}
	return &g[i]
}

func (s *search) recovered(tree uint64, l *leaf, end uint64, in inode, m *contentMap) filesystem.Recovered {
	n := filesystem.Inode(in.object)
	if i, ok := s.f.trees.index[tree]; ok {
		n = s.f.number(i, in.object)
	}
	r := filesystem.Recovered{Meta: in.meta(n), After: s.notBefore(l.generation), Before: s.notAfter(end)}
	r.Meta.State = filesystem.Deleted
	r.From = fmt.Sprintf("older tree %d", l.generation)
	if !l.committed {
		r.From += ", written before its transaction was whole"
	}
	if r.Path = s.path(tree, in.object, end-1, l.generation); r.Path != "" {
		r.PathFrom = r.From
	}
	sums := noSums
	if in.flags&inodeNoDataSum == 0 {
		sums = s.sums(m, end-1)
	}
	r.Content = &reader{v: s.f.volume, m: m, size: in.length(), sums: sums, what: n}
	if t := in.fileType(); t == filesystem.Regular {
		r.Extents = s.f.extents(m, in.length())
		s.fate(m, &r)
	} else if t != filesystem.Symlink {
		r.Content = bytes.NewReader(nil)
	}
	return r
}

// sums gives the checksums of then. A leaf of them counts only where it is not older than
// the extent: else its sums may be of what lay there before.
func (s *search) sums(m *contentMap, g uint64) sumSource {
	made := make(map[int64]uint64)
	for i := range m.segments {
		made[m.segments[i].disk] = m.segments[i].made
	}
	starts := make([]int64, 0, len(made))
	for at := range made {
		starts = append(starts, at)
	}
	sort.Slice(starts, func(i, j int) bool { return starts[i] < starts[j] })
	return func(from, end int64) (runs []sumRun) {
		i := sort.Search(len(starts), func(i int) bool { return starts[i] > from })
		x := s.trees[treeCsum]
		if i == 0 || x == nil {
			return nil
		}
		least := made[starts[i-1]]
		l := s.best(x, key{csumObject, kindCsum, uint64(from)}, g)
		if l == nil || l.generation < least {
			return nil
		}
		n, err := s.f.node(pointer{at: l.at, generation: l.generation})
		if err != nil {
			return nil
		}
		for j := range n.keys {
			if n.keys[j].offset < uint64(end) {
				runs = appendSums(runs, n.item(j))
			}
		}
		return runs
	}
}

// fate counts what of the content lies in space that was given away since.
func (s *search) fate(m *contentMap, r *filesystem.Recovered) {
	root, ok := s.f.roots[treeExtent]
	for i := range m.segments {
		g := &m.segments[i]
		switch {
		case g.kind == extentInline:
			r.Free += g.length
		case g.disk == 0 || g.kind == extentPrealloc:
		case ok && s.f.givenAway(root, g):
			r.Reused += g.length
		default:
			r.Free += g.length
		}
	}
}

// givenAway tells whether another extent has some of a segment's place. The same extent,
// still in use by a snapshot or by the file's other versions, is not another.
func (v *volume) givenAway(root pointer, g *segment) bool {
	end := g.disk + g.diskLength
	other := func(it item) bool {
		r, ok := v.extentRun(it)
		if !ok || r.end <= g.disk || r.from >= end {
			return false
		}
		generation := cursorOf(it).Skip(min(8, len(it.data))).U64()
		return r.from != g.disk || r.end != end || generation != g.made
	}
	if it, ok, err := v.before(root, key{uint64(g.disk), 0, 0}); err == nil && ok && other(it) {
		return true
	}
	for it, err := range v.items(root, key{uint64(g.disk), 0, 0}, key{uint64(end) - 1, ^uint8(0), ^uint64(0)}) {
		if err == nil && other(it) {
			return true
		}
	}
	return false
}

// path gives a file's last known path, by the names of then, and where they are lost by those of now.
func (s *search) path(tree, object, last, own uint64) string {
	sources := []source{s.at(tree, last), s.at(tree, own)}
	if i, ok := s.f.trees.index[tree]; ok {
		sources = append(sources, s.f.live(i))
	}
	var parts []string
	top := false
	for range maxNameParts {
		if top = object == firstFree; top {
			break
		}
		x, ok := firstName(sources, object)
		if !ok || x.parent == object {
			break
		}
		parts, object = append(parts, string(x.name)), x.parent
	}
	if len(parts) == 0 {
		return ""
	}
	reverse(parts)
	p := strings.Join(parts, "/")
	if !top {
		return p
	}
	return s.prefix(tree, last, own, 0) + "/" + p
}

func firstName(sources []source, object uint64) (name, bool) {
	for _, src := range sources {
		for x, err := range names(src, object) {
			if err == nil {
				return x, true
			}
		}
	}
	return name{}, false
}

// prefix gives where a subvolume lies within the mounted tree, or within the whole
// filesystem where it does not lie in that.
func (s *search) prefix(tree, last, own uint64, depth int) string {
	f := s.f
	if tree == f.trees.list[f.top].id {
		return ""
	}
	if _, ok := f.trees.index[tree]; ok {
		p, top := f.treePath(tree), f.treePath(f.trees.list[f.top].id)
		if rest, ok := strings.CutPrefix(p, strings.TrimSuffix(top, "/")+"/"); ok {
			return "/" + rest
		}
		return p
	}
	for _, g := range []uint64{last, own} { // the subvolume itself was deleted
		if p, ok := s.oldPrefix(tree, g, last, own, depth); ok {
			return p
		}
	}
	return fmt.Sprintf("subvolume %d:", tree)
}

// oldPrefix gives where a subvolume lay that is no more.
func (s *search) oldPrefix(tree, g, last, own uint64, depth int) (string, bool) {
	for it, err := range all(s.at(1, g), tree, kindRootBackref) {
		c := cursorOf(it)
		dir := c.U64()
		n := c.Skip(8).Bytes(int(c.U16()))
		if err != nil || c.Err() != nil || depth >= maxLevel {
			return "", false
		}
		var parts []string
		if i, ok := s.f.trees.index[it.offset]; ok {
			parts, _ = s.f.pathUp(s.f.live(i), dir, firstFree)
			reverse(parts)
		}
		parts = append(parts, string(n))
		return s.prefix(it.offset, last, own, depth+1) + "/" + strings.Join(parts, "/"), true
	}
	return "", false
}
