// Package memtree keeps the directory of an archive in memory: archives list their
// members in any order, name the same path twice, and leave directories out. Inode
// numbers are given in the order of first sight. The last member of a name wins, as
// it does when the archive is extracted.
package memtree

import (
	"fmt"
	"strings"

	"telltale/internal/limit"
)

// Root is the inode of the archive's top.
const Root = 1

// Tree is a directory tree; T is what the archive knows of each member.
type Tree[T any] struct {
	nodes []node[T]
}

type node[T any] struct {
	names []string // of the children, in the order of first sight
	child map[string]int
	value T
	dir   bool
}

// New gives a tree with a top; implied makes the value of a directory that is not listed.
func New[T any](top T) *Tree[T] {
	return &Tree[T]{nodes: []node[T]{{}, {value: top, dir: true}}}
}

// Clean takes an archive member's name apart. Names that try to leave the archive stay within it: ".." is
// kept as a plain name would be, and marked, so that the file is seen and goes nowhere.
func Clean(name string) []string {
	var out []string
	for _, s := range strings.Split(name, "/") {
		switch s {
		case "", ".":
		case "..":
			out = append(out, "%2e%2e")
		default:
			out = append(out, s)
		}
	}
	return out
}

// Add puts a member at path, with implied for directories on the way that are not yet there.
func (t *Tree[T]) Add(path []string, v, implied T, dir bool) (int, error) {
	if len(path) > 4*limit.Depth {
		return 0, fmt.Errorf("a name with %d directories: %w", len(path), limit.ErrLimit)
	}
	at := Root
	for i, name := range path {
		n := &t.nodes[at]
		next, ok := n.child[name]
		last := i == len(path)-1
		if !ok {
			if len(t.nodes) > limit.Entries {
				return 0, fmt.Errorf("more than %d members: %w", limit.Entries, limit.ErrLimit)
			}
			next = len(t.nodes)
			if n.child == nil {
				n.child = map[string]int{}
			}
			n.child[name] = next
			n.names = append(n.names, name)
			n.dir = true
			t.nodes = append(t.nodes, node[T]{value: implied, dir: !last || dir})
		}
		if last {
			t.nodes[next].value = v
			t.nodes[next].dir = dir || len(t.nodes[next].names) > 0
		}
		at = next
	}
	return at, nil
}

// Get gives what is known of an inode.
func (t *Tree[T]) Get(inode uint64) (v T, ok bool) {
	if inode == 0 || inode >= uint64(len(t.nodes)) {
		return v, false
	}
	return t.nodes[inode].value, true
}

// Find gives the inode of a path.
func (t *Tree[T]) Find(path []string) (int, bool) {
	at := Root
	for _, name := range path {
		next, ok := t.nodes[at].child[name]
		if !ok {
			return 0, false
		}
		at = next
	}
	return at, true
}

// Children calls f for the names in a directory until it says no.
func (t *Tree[T]) Children(inode uint64, f func(name string, inode int) bool) {
	if inode == 0 || inode >= uint64(len(t.nodes)) {
		return
	}
	n := &t.nodes[inode]
	for _, name := range n.names {
		if !f(name, n.child[name]) {
			return
		}
	}
}
