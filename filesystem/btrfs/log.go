package btrfs

import (
	"context"
	"fmt"
	"iter"

	"telltale/evidence"
	"telltale/filesystem"
)

// The log holds, for every file that was fsynced since the last commit, the items that
// are newer than the tree's. After a crash the kernel writes them into the trees; here
// they are merged in memory, object by object.

const (
	maxLogBytes = 64 << 20 // of the log's items
	maxLogItems = 1 << 20  // that are merged
)

// replayedLog holds, by tree and object, all items of an object as they are after replay.
type replayedLog struct {
	merged map[uint64]map[uint64][]item
}

func (l *replayedLog) of(tree uint64) map[uint64][]item {
	if l == nil {
		return nil
	}
	return l.merged[tree]
}

// between gives the items of a sorted list within two keys.
func between(list []item, from, to key) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for _, it := range list {
			if it.key.less(from) {
				continue
			}
			if to.less(it.key) || !yield(it, nil) {
				return
			}
		}
	}
}

// Replay gives the view with the log replayed.
func (f *FS) Replay(ctx context.Context) (filesystem.FS, filesystem.Replayed, error) {
	var did filesystem.Replayed
	if f.sb.log.at == 0 || f.log != nil {
		return nil, did, nil
	}
	log := &replayedLog{merged: make(map[uint64]map[uint64][]item)}
	root := f.sb.log
	root.generation = f.sb.generation + 1
	left := maxLogBytes
	for it, err := range f.items(root, key{logObject, kindRoot, 0}, key{logObject, kindRoot, ^uint64(0)}) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, did, fmt.Errorf("read the log's root: %w", err)
		}
		r, err := readRoot(it)
		i, ok := f.trees.index[it.offset]
		if err != nil || !ok {
			did.Notes = append(did.Notes, fmt.Sprintf("log of tree %d cannot be replayed: there is no such tree, or %v", it.offset, err))
			continue
		}
		p := replay{f: f, base: f.live(i), log: make(map[uint64][]item), objects: make(map[uint64]*object), left: maxLogItems, did: &did}
		p.load(r.pointer, &left)
		log.merged[it.offset] = p.run()
		did.Transactions++
	}
	g := &FS{volume: f.volume, trees: f.treesOf(), top: f.top, log: log}
	return g, did, nil
}

// replay merges the log of one tree.
type replay struct {
	f       *FS
	base    source
	log     map[uint64][]item
	order   []uint64 // objects of the log that count
	objects map[uint64]*object
	left    int // items that may still be taken in
	did     *filesystem.Replayed
}

// object is one inode while the log is merged into it.
type object struct {
	inode   item
	in      inode
	known   bool // it has an inode item
	other   []item
	names   []name
	named   bool // it had a name at some time
	entries map[string]link
}

// link is an entry of a directory.
type link struct {
	index uint64
	to    key
	kind  uint8
	at    int64
}

func (p *replay) note(format string, a ...any) {
	if len(p.did.Notes) < 100 {
		p.did.Notes = append(p.did.Notes, fmt.Sprintf(format, a...))
	}
}

// load reads the log's items, and takes in the inodes that have a name.
func (p *replay) load(root pointer, left *int) {
	for it, err := range p.f.items(root, key{}, lastKey) {
		if err != nil {
			p.note("the log is damaged: %v", err)
			continue
		}
		if *left -= len(it.data) + 64; *left < 0 {
			p.note("the log has more than %d bytes: the rest is not replayed", maxLogBytes)
			return
		}
		p.log[it.object] = append(p.log[it.object], it)
		if it.kind != kindInode {
			continue
		}
		in, err := readInode(it)
		if err != nil || in.links == 0 {
			continue // made without a name and never linked
		}
		p.order = append(p.order, it.object)
		p.did.First = evidence.Min(p.did.First, in.ctime)
		p.did.Last = evidence.Max(p.did.Last, in.ctime)
	}
}

// object gives the state of an inode so far.
func (p *replay) object(n uint64) *object {
	if o, ok := p.objects[n]; ok {
		return o
	}
	o := &object{entries: make(map[string]link)}
	p.objects[n] = o
	for it, err := range p.base(key{n, 0, 0}, key{n, ^uint8(0), ^uint64(0)}) {
		if p.left--; p.left < 0 {
			p.note("more than %d items would change: the rest is not replayed", maxLogItems)
			break
		}
		if err != nil {
			p.note("what the log changes cannot be read: %v", err)
			continue
		}
		switch it.kind {
		case kindInode:
			o.setInode(it)
		case kindRef, kindExtRef, kindDirItem:
		case kindDirIndex:
			for e, err := range entries(it) {
				if err == nil {
					o.entries[string(e.name)] = link{it.offset, e.location, e.kind, it.at}
				}
			}
		default:
			o.other = append(o.other, it)
		}
	}
	for x, err := range names(p.base, n) {
		if err == nil {
			o.names, o.named = append(o.names, x), true
		}
	}
	return o
}

func (o *object) setInode(it item) {
	if in, err := readInode(it); err == nil {
		o.inode, o.in, o.known = it, in, true
	}
}

// run merges in the kernel's order: inodes with their extents and what was removed from
// directories, then names that directories gained, then the names of the inodes.
func (p *replay) run() map[uint64][]item {
	for _, n := range p.order {
		p.overwrite(n)
	}
	for _, n := range p.order {
		p.removals(n)
	}
	for _, n := range p.order {
		for _, it := range p.log[n] {
			if it.kind != kindDirIndex {
				continue
			}
			for e, err := range entries(it) {
				if err == nil {
					p.link(n, string(e.name), link{it.offset, e.location, e.kind, it.at})
				}
			}
		}
	}
	for _, n := range p.order {
		p.rename(n)
	}
	merged := make(map[uint64][]item, len(p.objects))
	for n, o := range p.objects {
		merged[n] = o.items(n)
	}
	return merged
}

// overwrite takes over the inode item, attributes and extents.
func (p *replay) overwrite(n uint64) {
	o := p.object(n)
	var extents, attrs []item
	for _, it := range p.log[n] {
		switch it.kind {
		case kindInode:
			p.overwriteInode(o, it)
		case kindXattr:
			attrs = append(attrs, it)
		case kindExtentData:
			extents = append(extents, it)
		}
	}
	kept := o.other[:0:0]
	for _, it := range o.other {
		if it.kind == kindExtentData {
			kept = append(kept, cutAround(it, extents, p.f.sb.sector)...)
		} else if it.kind != kindXattr {
			kept = append(kept, it)
		}
	}
	o.other = append(append(kept, attrs...), extents...)
}

// overwriteInode: generation 0 says that only the inode's being there was logged.
func (p *replay) overwriteInode(o *object, it item) {
	in, err := readInode(it)
	if err != nil {
		return
	}
	if in.generation != 0 || !o.known {
		o.setInode(it)
		return
	}
	if in.fileType() == filesystem.Regular && in.size != 0 {
		o.setInode(patched(o.inode, inodeSizeAt, in.size))
	}
}

// removals takes out of a directory what the log says is gone: within the ranges that
// it covers, all names that it does not have.
func (p *replay) removals(n uint64) {
	keep := make(map[uint64]bool)
	for _, it := range p.log[n] {
		if it.kind == kindDirIndex {
			keep[it.offset] = true
		}
	}
	for _, it := range p.log[n] {
		if it.kind != kindLogIndex {
			continue
		}
		end := cursorOf(it).U64()
		for name, l := range p.object(n).entries {
			if l.index >= it.offset && l.index <= end && !keep[l.index] {
				p.unlink(n, name)
			}
		}
	}
}

// rename gives an inode the names that the log has for it, and takes away those that
// it has no more in the same directories.
func (p *replay) rename(n uint64) {
	now := make(map[uint64]map[string]uint64)
	logged := func(from, to key) iter.Seq2[item, error] { return between(p.log[n], from, to) }
	o := p.object(n)
	for x, err := range names(logged, n) {
		if err != nil {
			p.note("%v", err)
			continue
		}
		if now[x.parent] == nil {
			now[x.parent] = make(map[string]uint64)
		}
		now[x.parent][string(x.name)] = x.index
	}
	for _, x := range append([]name(nil), o.names...) {
		if m := now[x.parent]; m != nil {
			if _, ok := m[string(x.name)]; !ok {
				p.unlink(x.parent, string(x.name))
			}
		}
	}
	kind := uint8(0)
	for k, t := range entryTypes {
		if t == o.in.fileType() {
			kind = uint8(k)
		}
	}
	for parent, m := range now {
		for name, index := range m {
			if parent != n {
				p.link(parent, name, link{index, key{n, kindInode, 0}, kind, o.inode.at})
			}
		}
	}
}

func (p *replay) unlink(dir uint64, s string) {
	d := p.object(dir)
	l, ok := d.entries[s]
	if !ok {
		return
	}
	delete(d.entries, s)
	if l.to.kind != kindInode {
		return
	}
	o := p.object(l.to.object)
	for i, x := range o.names {
		if x.parent == dir && string(x.name) == s {
			o.names = append(o.names[:i:i], o.names[i+1:]...)
			break
		}
	}
}

// link adds a name whose inode is there.
func (p *replay) link(dir uint64, s string, l link) {
	d := p.object(dir)
	if !d.known {
		return
	}
	if old, ok := d.entries[s]; ok && old.to != l.to {
		p.unlink(dir, s)
	}
	if l.to.kind != kindInode {
		d.entries[s] = l
		return
	}
	o := p.object(l.to.object)
	if !o.known {
		return
	}
	d.entries[s] = l
	for _, x := range o.names {
		if x.parent == dir && string(x.name) == s {
			return
		}
	}
	o.names, o.named = append(o.names, name{dir, l.index, []byte(s)}), true
}
