package lvm

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sort"

	"telltale/internal/bin"
	"telltale/internal/cache"
)

// The metadata of a thin pool (dm-thin-metadata.c, persistent-data/dm-btree-internal.h): blocks of 4 KiB,
// the first of them the superblock; a tree of the devices' details, and a tree of trees with the mappings.
const (
	metaBlock    = 4096     // bytes, THIN_METADATA_BLOCK_SIZE
	thinMagic    = 27022010 // THIN_SUPERBLOCK_MAGIC
	superXor     = 160774   // SUPERBLOCK_CSUM_XOR
	btreeXor     = 121107   // BTREE_CSUM_XOR
	internalNode = 1        // INTERNAL_NODE
	leafNode     = 2        // LEAF_NODE
	nodeHeader   = 32       // bytes of struct node_header
	maxTreeDepth = 16
	maxThinChunk = 1 << 30 // bytes; dm-thin takes up to 1 GiB
	maxDevices   = 1 << 16 // that are looked at for ones that no volume names
	nodeCache    = 1024    // nodes of each of two generations
	timeBits     = 24      // of a mapping: when it was made, in transactions
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// blockSum is dm_bm_checksum: CRC-32C, not inverted at the end.
func blockSum(b []byte, xor uint32) uint32 { return ^crc32.Checksum(b, castagnoli) ^ xor }

// pool is a thin pool.
type pool struct {
	data, meta  *node
	chunk       int64 // bytes
	transaction uint64
	needsCheck  bool
	mappings    uint64 // root of the tree of trees
	details     uint64
	nodes       *cache.Cache[uint64, *treeNode]
	err         error
}

// treeNode is a checked node of a tree.
type treeNode struct {
	leaf   bool
	keys   []uint64
	values []byte // of all keys
	size   int    // bytes of a value
}

// pool opens a pool, or tells why it cannot be.
func (b *builder) pool(name string, depth int) *pool {
	if p := b.pools[name]; p != nil {
		return p
	}
	p := &pool{nodes: cache.New[uint64, *treeNode](nodeCache), err: fmt.Errorf("pool %q lies on itself", name)}
	b.pools[name] = p
	p.err = b.openPool(p, name, depth)
	return p
}

func (b *builder) openPool(p *pool, name string, depth int) error {
	l := b.g.lvs[name]
	if l == nil || len(l.segments) != 1 || l.segments[0].kind != "thin-pool" {
		return fmt.Errorf("%q is no thin pool", name)
	}
	c := l.segments[0].conf
	p.meta, p.data = b.volume(c.text("metadata"), depth+1), b.volume(c.text("pool"), depth+1)
	if err := errors.Join(p.meta.err, p.data.err); err != nil {
		return err
	}
	raw := make([]byte, metaBlock)
	if n, err := p.meta.ReadAt(raw, 0); n < len(raw) {
		return fmt.Errorf("read the metadata of pool %q: %w", name, err)
	}
	s := bin.Little(raw)
	check := s.U32()
	p.needsCheck = s.U32()&1 != 0 // THIN_METADATA_NEEDS_CHECK_FLAG
	if s.Seek(32).U64() != thinMagic {
		return fmt.Errorf("the metadata of pool %q has no superblock", name)
	}
	if blockSum(raw[4:], superXor) != check {
		return fmt.Errorf("the metadata of pool %q: the superblock: %w", name, errChecksum)
	}
	if v := s.U32(); v < 1 || v > 2 {
		return fmt.Errorf("the metadata of pool %q has version %d: %w", name, v, errRefused)
	}
	p.transaction = s.Skip(4).U64()
	p.mappings, p.details = s.Seek(320).U64(), s.U64()
	p.chunk = int64(s.U32()) * sector
	if block := s.U32(); block != metaBlock/sector {
		return fmt.Errorf("the metadata of pool %q has blocks of %d sectors: %w", name, block, errRefused)
	}
	if f := s.Seek(360).U32(); f != 0 {
		return fmt.Errorf("the metadata of pool %q has unknown features %#x: %w", name, f, errRefused)
	}
	if p.chunk <= 0 || p.chunk > maxThinChunk {
		return fmt.Errorf("pool %q has chunks of %d bytes", name, p.chunk)
	}
	return nil
}

// node reads and checks a node of a tree whose values have size bytes in the leaves.
func (p *pool) node(at uint64, size int) (*treeNode, error) {
	if n, ok := p.nodes.Get(at); ok {
		if n.leaf && n.size != size {
			return nil, fmt.Errorf("node %d has values of %d bytes, not %d", at, n.size, size)
		}
		return n, nil
	}
	if at >= uint64(p.meta.Size/metaBlock) {
		return nil, fmt.Errorf("node %d lies beyond the metadata's %d blocks", at, p.meta.Size/metaBlock)
	}
	raw := make([]byte, metaBlock)
	if n, err := p.meta.ReadAt(raw, int64(at)*metaBlock); n < len(raw) {
		return nil, err
	}
	n, err := parseNode(raw, at)
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", at, err)
	}
	if n.size != size && (n.leaf || n.size != 8) {
		return nil, fmt.Errorf("node %d has values of %d bytes, not %d", at, n.size, size)
	}
	p.nodes.Put(at, n, 1)
	return n, nil
}

func parseNode(raw []byte, at uint64) (*treeNode, error) {
	c := bin.Little(raw)
	check, flags, own := c.U32(), c.U32(), c.U64()
	entries, most, size := c.U32(), c.U32(), c.U32()
	if blockSum(raw[4:], btreeXor) != check {
		return nil, errChecksum
	}
	if own != at || flags != internalNode && flags != leafNode || entries > most || most > metaBlock/8 || size == 0 || size > metaBlock || nodeHeader+int(most)*(8+int(size)) > metaBlock {
		return nil, fmt.Errorf("it says that it is node %d, flags %d, with %d of %d values of %d bytes", own, flags, entries, most, size)
	}
	n := &treeNode{leaf: flags == leafNode, size: int(size), keys: make([]uint64, entries)}
	c.Seek(nodeHeader)
	for i := range n.keys {
		n.keys[i] = c.U64()
	}
	if !slices.IsSorted(n.keys) {
		return nil, errors.New("its keys are not in order")
	}
	n.values = c.Seek(nodeHeader + int(most)*8).Bytes(int(entries) * n.size)
	return n, c.Err()
}

func (n *treeNode) value(i int) *bin.Cursor { return bin.Little(n.values[i*n.size:][:n.size]) }

// find gives the value of a key in the tree at root.
func (p *pool) find(root, key uint64, size int) (*bin.Cursor, bool, error) {
	for range maxTreeDepth {
		n, err := p.node(root, size)
		if err != nil {
			return nil, false, err
		}
		i := sort.Search(len(n.keys), func(i int) bool { return n.keys[i] > key }) - 1
		if i < 0 {
			return nil, false, nil
		}
		if n.leaf {
			return n.value(i), n.keys[i] == key, nil
		}
		root = n.value(i).U64()
	}
	return nil, false, errors.New("a tree of mappings is too deep")
}

// keys gives all keys of a tree, up to most.
func (p *pool) keys(root uint64, size, depth int, keys []uint64, most int) ([]uint64, error) {
	if depth > maxTreeDepth {
		return keys, errors.New("a tree of devices is too deep")
	}
	n, err := p.node(root, size)
	if err != nil {
		return keys, err
	}
	if n.leaf {
		return append(keys, n.keys[:min(len(n.keys), most-len(keys))]...), nil
	}
	for i := range n.keys {
		before := len(keys)
		if keys, err = p.keys(n.value(i).U64(), size, depth+1, keys, most); err != nil || len(keys) >= most {
			return keys, err
		}
		if len(keys) == before { // dm-thin makes none: many of them are a trap
			return keys, errors.New("a tree of devices has an empty branch")
		}
	}
	return keys, nil
}

// thinVolume is a thin volume.
type thinVolume struct {
	p        *pool
	root     uint64 // of its mappings
	size     int64
	external *node // what unmapped blocks show; nil: zeros
}

func (b *builder) thin(n *node, s segment, size int64, depth int) (io.ReaderAt, error) {
	p := b.pool(s.conf.text("thin_pool"), depth)
	if p.err != nil {
		return nil, p.err
	}
	if err := errors.Join(n.add(p.data, 1), n.add(p.meta, 1)); err != nil {
		return nil, err
	}
	id := s.conf.number("device_id")
	root, found, err := p.find(p.mappings, uint64(id), 8)
	if err != nil {
		return nil, fmt.Errorf("look for thin device %d: %w", id, err)
	}
	if !found {
		return nil, fmt.Errorf("the pool has no thin device %d", id)
	}
	v := &thinVolume{p: p, root: root.U64(), size: size}
	if name := s.conf.text("external_origin"); name != "" {
		v.external = b.volume(name, depth+1)
		if v.external.err != nil {
			return nil, v.external.err
		}
		if err := n.add(v.external, 1); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// ReadAt reads chunk by chunk.
func (v *thinVolume) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= v.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), v.size-off)]
	for n < len(want) {
		at := off + int64(n)
		in := at % v.p.chunk
		part := want[n : n+int(min(v.p.chunk-in, int64(len(want)-n)))]
		m, err := v.chunk(part, at/v.p.chunk, in)
		if n += m; m < len(part) {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (v *thinVolume) chunk(part []byte, number, in int64) (int, error) {
	value, found, err := v.p.find(v.root, uint64(number), 8)
	if err != nil {
		return 0, fmt.Errorf("look for chunk %d: %w", number, err)
	}
	if found {
		block := value.U64() >> timeBits
		if block > uint64(v.p.data.Size/v.p.chunk) {
			return 0, fmt.Errorf("chunk %d is mapped to block %d, beyond the pool's %d", number, block, v.p.data.Size/v.p.chunk)
		}
		return v.p.data.ReadAt(part, int64(block)*v.p.chunk+in)
	}
	clear(part)
	if off := number*v.p.chunk + in; v.external != nil && off < v.external.Size {
		inside := part[:min(int64(len(part)), v.external.Size-off)]
		if n, err := v.external.ReadAt(inside, off); n < len(inside) {
			return n, err
		}
	}
	return len(part), nil
}
