package btrfs

import (
	"bytes"
	"fmt"

	"telltale/internal/bin"
)

// Tree nodes (struct btrfs_header, btrfs_item, btrfs_key_ptr).
const (
	nodeHead    = 101 // bytes
	leafItem    = 25  // bytes
	nodePointer = 33  // bytes
	keySize     = 17  // bytes, struct btrfs_disk_key
	maxLevel    = 8   // BTRFS_MAX_LEVEL
)

// key orders the items of a tree: by object, kind, offset.
type key struct {
	object uint64
	kind   uint8
	offset uint64
}

var lastKey = key{^uint64(0), ^uint8(0), ^uint64(0)}

func (k key) less(o key) bool {
	if k.object != o.object {
		return k.object < o.object
	}
	if k.kind != o.kind {
		return k.kind < o.kind
	}
	return k.offset < o.offset
}

func (k key) String() string { return fmt.Sprintf("(%d %d %d)", k.object, k.kind, k.offset) }

func cursorKey(c *bin.Cursor) key { return key{c.U64(), c.U8(), c.U64()} }

func readKey(b []byte) (key, error) {
	c := bin.Little(b)
	k := cursorKey(c)
	return k, c.Err()
}

// node is a tree block that was checked and taken apart. It is never changed.
type node struct {
	logical, physical int64 // physical is -1 where it was rebuilt or is not known
	generation        uint64
	owner             uint64
	level             uint8
	raw               []byte
	keys              []key
	spans             [][2]uint32 // of items: from, to in raw
	children          []pointer
}

// item is one record of a leaf. Its data is shared, never changed.
type item struct {
	key
	data []byte
	at   int64  // physical, -1 where not known
	by   uint64 // generation of its leaf
}

func (n *node) item(i int) item {
	s := n.spans[i]
	it := item{key: n.keys[i], data: n.raw[s[0]:s[1]:s[1]], at: -1, by: n.generation}
	if n.physical >= 0 {
		it.at = n.physical + int64(s[0])
	}
	return it
}

// cost is about what a node takes up in a cache.
func (n *node) cost() int { return len(n.raw) + 32*len(n.keys) + 24*len(n.children) + 200 }

// parseNode takes a block apart whose checksum is right. What stands in it may still be anything.
func parseNode(b []byte) (*node, error) {
	c := bin.Little(b).Seek(48)
	n := &node{logical: int64(c.U64()), physical: -1, raw: b}
	n.generation = c.Skip(24).U64()
	n.owner = c.U64()
	count := int(c.U32())
	n.level = c.U8()
	if err := c.Err(); err != nil {
		return nil, err
	}
	size := leafItem
	if n.level > 0 {
		size = nodePointer
	}
	if n.level >= maxLevel || count < 0 || count > (len(b)-nodeHead)/size {
		return nil, fmt.Errorf("has %d items at level %d", count, n.level)
	}
	n.keys = make([]key, count)
	if n.level > 0 {
		n.children = make([]pointer, count)
	} else {
		n.spans = make([][2]uint32, count)
	}
	for i := range count {
		n.keys[i] = cursorKey(c)
		if i > 0 && !n.keys[i-1].less(n.keys[i]) {
			return nil, fmt.Errorf("key %v stands behind %v", n.keys[i], n.keys[i-1])
		}
		if n.level > 0 {
			n.children[i] = pointer{at: int64(c.U64()), generation: c.U64(), level: n.level - 1}
			continue
		}
		off, length := c.U32(), c.U32()
		if room := uint32(len(b) - nodeHead); off > room || length > room-off {
			return nil, fmt.Errorf("item %v has %d bytes at %d", n.keys[i], length, off)
		}
		n.spans[i] = [2]uint32{nodeHead + off, nodeHead + off + length}
	}
	return n, c.Err()
}

// node reads the node that p leads to, from the first mirror where it is as it should be.
func (v *volume) node(p pointer) (*node, error) {
	n, first := v.fetch(p)
	if first != nil {
		v.remember(v.broken, p.at)
	}
	if n == nil {
		return nil, v.damage(p.at, v.sb.node, "tree node %d: %v", p.at, first)
	}
	return n, nil
}

// fetch gives a node, nil if no mirror has it, and what is wrong with the first mirror.
func (v *volume) fetch(p pointer) (n *node, first error) {
	if n, ok := v.nodes.Get(p.at); ok {
		if n.generation != p.generation || n.level != p.level {
			return nil, fmt.Errorf("is of generation %d and level %d, not %d and %d", n.generation, n.level, p.generation, p.level)
		}
		return n, nil
	}
	for m := range v.mirrors(p.at) {
		n, err := v.nodeCopy(p.at, m)
		if err == nil && (n.generation != p.generation || n.level != p.level) {
			err = fmt.Errorf("is of generation %d and level %d, not %d and %d", n.generation, n.level, p.generation, p.level)
		}
		if err == nil {
			v.nodes.Put(p.at, n, n.cost())
			return n, first
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (v *volume) nodeCopy(logical int64, mirror int) (*node, error) {
	b := make([]byte, v.sb.node)
	if err := v.read(b, logical, mirror); err != nil {
		return nil, err
	}
	n, err := v.parse(b, logical)
	if err != nil {
		return nil, err
	}
	if k := v.chunks.find(logical); k != nil && (k.parity() == 0 || mirror == 0) {
		if at, run, err := v.place(logical, mirror); err == nil && run >= v.sb.node && at.dev != nil {
			n.physical = at.dev.base + at.off
		}
	}
	return n, nil
}

// parse checks what a block says of itself.
func (v *volume) parse(b []byte, logical int64) (*node, error) {
	if !v.ours(b) {
		return nil, fmt.Errorf("is no tree node of this filesystem")
	}
	if !v.sb.csum.matches(b) {
		return nil, fmt.Errorf("does not match its checksum")
	}
	n, err := parseNode(b)
	if err == nil && n.logical != logical {
		err = fmt.Errorf("says it lies at %d", n.logical)
	}
	return n, err
}

func (v *volume) ours(b []byte) bool {
	for i := range v.fsids {
		if bytes.Equal(b[csumSize:csumSize+16], v.fsids[i][:]) {
			return true
		}
	}
	return false
}
