package btrfs

import (
	"fmt"
	"iter"
	"sort"

	"telltale/filesystem"
)

// Object ids and kinds of items (uapi/linux/btrfs_tree.h).
const (
	treeExtent     = 2
	treeDev        = 4
	treeFS         = 5
	treeCsum       = 7
	treeBlockGroup = 11
	firstFree      = 256
	lastFree       = ^uint64(0) - 255
	orphanObject   = ^uint64(0) - 4 // -5
	logObject      = ^uint64(0) - 5 // -6
	csumObject     = ^uint64(0) - 9 // -10
	emptyDir       = 2              // a place for a subvolume that is not there
	maxObject      = 1 << slotShift // of an inode that has a number here

	kindInode       = 1
	kindRef         = 12
	kindExtRef      = 13
	kindXattr       = 24
	kindOrphan      = 48
	kindLogIndex    = 72
	kindDirItem     = 84
	kindDirIndex    = 96
	kindExtentData  = 108
	kindCsum        = 128
	kindRoot        = 132
	kindRootBackref = 144
	kindExtent      = 168
	kindMetadata    = 169
	kindChunk       = 228
)

// items gives the items of a tree from one key to another, both included. A node that
// cannot be read is damage; what lies behind it follows all the same. Every node must
// keep to the range of keys that its parent gives it, so a tree cannot run in circles
// or have more nodes than there are.
func (v *volume) items(root pointer, from, to key) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		n, err := v.node(root)
		if err != nil {
			yield(item{}, err)
			return
		}
		v.descend(n, from, to, lastKey, yield)
	}
}

// descend gives the items of one node; no key in it may lie beyond high.
func (v *volume) descend(n *node, from, to, high key, yield func(item, error) bool) bool {
	if len(n.keys) > 0 && high.less(n.keys[len(n.keys)-1]) {
		return yield(item{}, v.damage(n.logical, v.sb.node, "tree node %d: key %v lies beyond what its parent gives it", n.logical, n.keys[len(n.keys)-1]))
	}
	i := sort.Search(len(n.keys), func(i int) bool { return !n.keys[i].less(from) })
	if n.level == 0 {
		for ; i < len(n.keys) && !to.less(n.keys[i]); i++ {
			if !yield(n.item(i), nil) {
				return false
			}
		}
		return true
	}
	if i > 0 && (i == len(n.keys) || from.less(n.keys[i])) {
		i-- // the child before may hold it
	}
	for ; i < len(n.keys) && !to.less(n.keys[i]); i++ {
		last := high
		if i+1 < len(n.keys) {
			last = n.keys[i+1]
		}
		c, err := v.node(n.children[i])
		if err == nil && (len(c.keys) == 0 || c.keys[0] != n.keys[i]) {
			err = v.damage(c.logical, v.sb.node, "tree node %d: does not begin with the key %v that its parent says", c.logical, n.keys[i])
		}
		if err != nil {
			if !yield(item{}, err) {
				return false
			}
			continue
		}
		if !v.descend(c, from, to, last, yield) {
			return false
		}
	}
	return true
}

// lookup gives one item, filesystem.ErrNotExist if there is none.
func (v *volume) lookup(root pointer, k key) (item, error) {
	for it, err := range v.items(root, k, k) {
		return it, err
	}
	return item{}, fmt.Errorf("item %v: %w", k, filesystem.ErrNotExist)
}

// before gives the last item not beyond k.
func (v *volume) before(root pointer, k key) (item, bool, error) {
	p := root
	for range maxLevel {
		n, err := v.node(p)
		if err != nil {
			return item{}, false, err
		}
		i := sort.Search(len(n.keys), func(i int) bool { return k.less(n.keys[i]) }) - 1
		if i < 0 {
			return item{}, false, nil
		}
		if n.level == 0 {
			return n.item(i), true, nil
		}
		p = n.children[i]
	}
	return item{}, false, nil
}
