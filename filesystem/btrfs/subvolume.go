package btrfs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// How inode numbers tell the trees apart (see the package comment).
const (
	slotShift   = 48
	maxTrees    = 1<<16 - 2
	simpleSlot  = 1<<16 - 1 // of empty directories that stand where a subvolume is not
	maxSimple   = 1 << 16
	maxBackrefs = 1 << 18
)

const (
	rootReadOnly = 1 << 0
)

// root is a tree's root item.
type root struct {
	pointer
	directory, refs, flags uint64
	uuid, parent           uuid
	changed                uint64 // ctransid: the transaction of ctime
	ctime, made            evidence.Time
	at                     int64
}

func readRoot(it item) (root, error) {
	c := bin.Little(it.data).Seek(inodeSize)
	r := root{at: it.at}
	r.generation = c.U64()
	r.directory = c.U64()
	r.pointer.at = int64(c.U64())
	r.flags = c.Skip(24).U64()
	r.refs = uint64(c.U32())
	r.level = c.Skip(18).U8()
	if err := c.Err(); err != nil {
		return r, fmt.Errorf("root item %v: %w", it.key, err)
	}
	if r.level >= maxLevel {
		return r, fmt.Errorf("root item %v: level %d", it.key, r.level)
	}
	if c.Left() >= 8 && c.U64() == r.generation { // older kernels leave the rest as it is
		copy(r.uuid[:], c.Bytes(16))
		copy(r.parent[:], c.Bytes(16))
		r.changed = c.Skip(16).U64()
		r.ctime = readTime(c.Skip(24))
		r.made = readTime(c)
		if c.Err() != nil {
			r.uuid, r.parent, r.made, r.ctime = uuid{}, uuid{}, evidence.Time{}, evidence.Time{}
		}
	}
	return r, nil
}

func readTime(c *bin.Cursor) evidence.Time {
	sec, ns := int64(c.U64()), c.U32()
	if ns >= 1e9 {
		return evidence.Time{Sec: sec, Step: time.Second}
	}
	if sec == 0 && ns == 0 {
		return evidence.Time{}
	}
	return evidence.Time{Sec: sec, Nsec: int32(ns), Step: 1}
}

// tree is a subvolume.
type tree struct {
	id uint64
	root
}

// directory is its root directory's object id.
func (t *tree) directory() uint64 {
	if t.root.directory == 0 {
		return firstFree
	}
	return t.root.directory
}

// backref tells where a subvolume hangs: in which directory of which other one.
type backref struct {
	parent, directory uint64
	name              string
}

// treeTable holds all subvolumes, which are numbered by their place in it.
type treeTable struct {
	list     []*tree
	index    map[uint64]int
	backrefs map[uint64][]backref
	damage   []error

	mu     sync.Mutex
	simple []filesystem.Inode // directories that an empty one lies in
	known  map[filesystem.Inode]uint64
}

func isSubvolume(id uint64) bool { return id == treeFS || id >= firstFree && id <= lastFree }

// loadTrees lists the subvolumes.
func (v *volume) loadTrees() *treeTable {
	t := &treeTable{index: make(map[uint64]int), backrefs: make(map[uint64][]backref), known: make(map[filesystem.Inode]uint64)}
	refs := 0
	for it, err := range v.items(v.root, key{object: treeFS}, lastKey) {
		if err != nil {
			if len(t.damage) < 100 {
				t.damage = append(t.damage, err)
			}
			continue
		}
		if !isSubvolume(it.object) {
			continue
		}
		switch it.kind {
		case kindRoot:
			r, err := readRoot(it)
			if err != nil {
				v.note("subvolume %d: %v", it.object, err)
				continue
			}
			if i, ok := t.index[it.object]; ok { // a newer item of the same tree
				t.list[i].root = r
			} else if len(t.list) < maxTrees {
				t.index[it.object] = len(t.list)
				t.list = append(t.list, &tree{it.object, r})
			}
		case kindRootBackref:
			c := bin.Little(it.data)
			dir := c.U64()
			name := c.Skip(8).Bytes(int(c.U16()))
			if refs++; refs < maxBackrefs && c.Err() == nil {
				t.backrefs[it.object] = append(t.backrefs[it.object], backref{it.offset, dir, string(name)})
			}
		}
	}
	if len(t.list) >= maxTrees {
		v.note("there are more than %d subvolumes: the rest is not read", maxTrees)
	}
	if len(t.damage) > 0 {
		v.note("the root tree is damaged, subvolumes may be missing: %v", t.damage[0])
	}
	return t
}

// defaultTree finds what the kernel mounts: the entry "default" of the root tree's directory.
func (f *FS) defaultTree() (int, error) {
	id := uint64(treeFS)
	it, err := f.lookup(f.root, key{f.sb.rootDir, kindDirItem, nameHash([]byte("default"))})
	if err == nil {
		for e := range entries(it) {
			if string(e.name) == "default" && e.location.kind == kindRoot && isSubvolume(e.location.object) {
				id = e.location.object
			}
		}
	} else if !errors.Is(err, filesystem.ErrNotExist) {
		f.note("which subvolume is mounted by default cannot be read: %v", err)
	}
	if i, ok := f.trees.index[id]; ok {
		return i, nil
	}
	if i, ok := f.trees.index[treeFS]; ok {
		f.note("the default subvolume %d is not there: the top level is shown", id)
		return i, nil
	}
	return 0, fmt.Errorf("there is no subvolume %d: %w", id, errNoSuper)
}

// number makes the inode number of an object in tree i.
func (f *FS) number(i int, object uint64) filesystem.Inode {
	if i == f.top {
		return filesystem.Inode(object)
	}
	return filesystem.Inode(uint64(i+1)<<slotShift | object)
}

// locate takes a number apart.
func (f *FS) locate(n filesystem.Inode) (i int, object uint64, err error) {
	slot, object := int(n>>slotShift), uint64(n)&(maxObject-1)
	if slot == 0 {
		return f.top, object, nil
	}
	if slot > len(f.trees.list) {
		return 0, 0, fmt.Errorf("inode %d: %w", n, filesystem.ErrNotExist)
	}
	return slot - 1, object, nil
}

// enter gives the number of the directory that a subvolume's name leads to: its root,
// or an empty one where this name is not the subvolume's own, as in a snapshot of the
// tree that it hangs in (btrfs_lookup_dentry).
func (f *FS) enter(i int, dir filesystem.Inode, object, id uint64, name []byte) filesystem.Inode {
	t := f.trees
	if j, ok := t.index[id]; ok {
		for _, b := range t.backrefs[id] {
			if b.parent == t.list[i].id && b.directory == object && b.name == string(name) {
				return f.number(j, t.list[j].directory())
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.known[dir]
	if !ok {
		if n = uint64(len(t.simple)); n >= maxSimple {
			return 0
		}
		t.simple = append(t.simple, dir)
		t.known[dir] = n
	}
	return filesystem.Inode(uint64(simpleSlot)<<slotShift | n)
}

// parentOfEmpty tells in which directory an empty one lies that stands for a subvolume.
func (f *FS) parentOfEmpty(n filesystem.Inode) (filesystem.Inode, bool) {
	if n>>slotShift != simpleSlot {
		return 0, false
	}
	t := f.trees
	t.mu.Lock()
	defer t.mu.Unlock()
	i := uint64(n) & (maxObject - 1)
	if i >= uint64(len(t.simple)) {
		return 0, false
	}
	return t.simple[i], true
}

// Subvolumes gives every subvolume and snapshot. Paths begin at the top level, "/";
// what is being deleted has none.
func (f *FS) Subvolumes(ctx context.Context) ([]filesystem.Subvolume, error) {
	var list []filesystem.Subvolume
	for i, t := range f.trees.list {
		if err := ctx.Err(); err != nil {
			return list, err
		}
		s := filesystem.Subvolume{ID: t.id, ReadOnly: t.flags&rootReadOnly != 0, UUID: t.uuid.text(), Of: t.parent.text(), Made: t.made}
		s.FS = &FS{volume: f.volume, trees: f.treesOf(), top: i, log: f.log}
		s.Path = f.treePath(t.id)
		list = append(list, s)
	}
	if len(f.trees.damage) > 0 {
		return list, f.trees.damage[0]
	}
	return list, nil
}

// treesOf gives the table for another view: the empty directories are numbered by its own numbers.
func (f *FS) treesOf() *treeTable {
	t := f.trees
	return &treeTable{list: t.list, index: t.index, backrefs: t.backrefs, damage: t.damage, known: make(map[filesystem.Inode]uint64)}
}

// treePath gives a subvolume's path from the top level, "" where it has none.
func (f *FS) treePath(id uint64) string {
	var parts []string
	for range maxDepth {
		if id == treeFS {
			reverse(parts)
			return "/" + strings.Join(parts, "/")
		}
		refs := f.trees.backrefs[id]
		if len(refs) == 0 {
			return ""
		}
		r := refs[0]
		parts = append(parts, r.name)
		i, ok := f.trees.index[r.parent]
		if !ok {
			return ""
		}
		up, ok := f.pathUp(f.live(i), r.directory, f.trees.list[i].directory())
		if !ok {
			return ""
		}
		parts = append(parts, up...)
		id = r.parent
	}
	return ""
}

func reverse(s []string) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}
