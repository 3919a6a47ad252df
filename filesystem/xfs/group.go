package xfs

import (
	"context"
	"iter"
	"sort"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// The trees of an allocation group, and where its headers keep what is needed.
const (
	bnoMagic   = 0x41425442 // "ABTB": free space by block number
	bnoMagic5  = 0x41423342 // "AB3B"
	inoMagic   = 0x49414254 // "IABT": inode chunks
	inoMagic5  = 0x49414233 // "IAB3"
	shortHead  = 16         // bytes, XFS_BTREE_SBLOCK_LEN
	shortHead5 = 56         // bytes, XFS_BTREE_SBLOCK_CRC_LEN
	shortCRC   = 52

	agfCRC      = 216
	agfBnoRoot  = 16
	agfBnoLevel = 28
	agiCRC      = 312
	agiRoot     = 20
	agiLevel    = 24
	agiUnlinked = 40
	buckets     = 64 // XFS_AGI_UNLINKED_BUCKETS

	chunkInodes   = 64 // of one record of the inode tree
	maxGroupNodes = 4 << 20
)

// groupHeader gives a header of a group: the second sector (AGF) or the third (AGI).
func (f *FS) groupHeader(group uint32, index int64, magic uint32, crcAt int) ([]byte, int64, error) {
	at := int64(group)*f.sb.agBytes() + index*f.sb.sector
	b := make([]byte, f.sb.sector)
	if err := f.readAt(b, at); err != nil {
		return nil, at, err
	}
	if bin.Big(b).U32() != magic {
		return nil, at, damage(at, len(b), "header %d of group %d has no magic number", index, group)
	}
	if f.sb.v5() && !checksumOK(b, crcAt) {
		f.bad.Add(agStructure, at)
	}
	return b, at, nil
}

// groupTree walks one tree of a group in order.
type groupTree struct {
	f       *FS
	group   uint32
	magic   uint32
	record  int // bytes
	key     int // bytes
	seen    map[int64]struct{}
	each    func(rec *bin.Cursor) bool
	fault   func(error)
	stopped bool
}

func (t *groupTree) node(within uint32, level int) {
	f := t.f
	n, ok := f.agBlock(t.group, within)
	if _, again := t.seen[n]; !ok || again || within == 0 || len(t.seen) > maxGroupNodes {
		t.fault(damage(0, 0, "group %d: tree block %d cannot be or is met twice", t.group, within))
		return
	}
	t.seen[n] = struct{}{}
	at := n * f.blockSize
	b, err := f.block(n, shortCRC, treeStructure)
	if err != nil {
		t.fault(err)
		return
	}
	if f.bad.Has(treeStructure, at) {
		t.fault(damage(at, len(b), "group %d: tree block does not match its checksum; it is read all the same", t.group))
	}
	head := shortHead
	if f.sb.v5() {
		head = shortHead5
	}
	c := bin.Big(b)
	magic, l, count := c.U32(), int(c.U16()), int(c.U16())
	size := t.record
	if level > 0 {
		size = t.key + 4
	}
	most := (len(b) - head) / size
	if magic != t.magic || l != level || count > most {
		t.fault(damage(at, len(b), "group %d: no tree block of level %d", t.group, level))
		return
	}
	for i := 0; i < count && !t.stopped; i++ {
		if level == 0 {
			t.stopped = !t.each(bin.Big(b[head+i*size : head+(i+1)*size]))
		} else {
			t.node(bin.Big(b).Seek(head+most*t.key+i*4).U32(), level-1)
		}
	}
}

// tree walks the tree whose root and level stand in a header.
func (f *FS) tree(t *groupTree, header []byte, rootAt, levelAt int) {
	t.f, t.seen = f, make(map[int64]struct{})
	root, level := bin.Big(header).Seek(rootAt).U32(), bin.Big(header).Seek(levelAt).U32()
	if level == 0 || level > maxLevels {
		t.fault(damage(int64(t.group)*f.sb.agBytes(), 0, "group %d: tree of %d levels", t.group, level))
		return
	}
	t.node(root, int(level)-1)
}

// FreeSpace gives the runs that belong to no file, by the free space trees. The few
// blocks that each group holds back for these trees are not among them.
func (f *FS) FreeSpace(ctx context.Context) iter.Seq2[filesystem.Extent, error] {
	return func(yield func(filesystem.Extent, error) bool) {
		stopped := false
		give := func(e filesystem.Extent, err error) {
			stopped = stopped || !yield(e, err)
		}
		for g := uint32(0); g < f.sb.agCount && !stopped; g++ {
			if err := ctx.Err(); err != nil {
				give(filesystem.Extent{}, err)
				return
			}
			f.freeOf(g, func(e filesystem.Extent, err error) bool { give(e, err); return !stopped })
		}
	}
}

func (f *FS) freeOf(g uint32, give func(filesystem.Extent, error) bool) {
	header, _, err := f.groupHeader(g, 1, agfMagic, agfCRC)
	if err != nil {
		give(filesystem.Extent{}, err)
		return
	}
	t := &groupTree{group: g, magic: bnoMagic, record: 8, key: 8}
	if f.sb.v5() {
		t.magic = bnoMagic5
	}
	t.fault = func(err error) { t.stopped = t.stopped || !give(filesystem.Extent{}, err) }
	last := int64(0)
	t.each = func(c *bin.Cursor) bool {
		start, count := int64(c.U32()), int64(c.U32())
		if start < last || count == 0 || count > f.groupLength(g)-start {
			return give(filesystem.Extent{}, damage(0, 0, "group %d: free run of %d blocks at %d", g, count, start))
		}
		last = start + count
		return give(filesystem.Extent{Physical: int64(g)*f.sb.agBytes() + start*f.blockSize, Length: count * f.blockSize}, nil)
	}
	f.tree(t, header, agfBnoRoot, agfBnoLevel)
}

// chunk is a record of the inode tree: 64 inodes from start, counted in the group.
type chunk struct {
	start uint32
	free  uint64 // bit for each inode that is in no use
	holes uint16 // bit for each four inodes that are not there
}

// has tells whether the chunk holds the inode, in use.
func (c chunk) has(agino uint32) bool {
	i := agino - c.start
	return agino >= c.start && i < chunkInodes && c.free>>i&1 == 0 && c.holes>>(i/4)&1 == 0
}

// maxChunks is how many records of one group's inode tree are kept: 64 million inodes.
const maxChunks = 1 << 20

// chunks gives a group's inode chunks, in order.
func (f *FS) chunks(g uint32) (list []chunk, errs []error) {
	header, _, err := f.groupHeader(g, 2, agiMagic, agiCRC)
	if err != nil {
		return nil, []error{err}
	}
	t := &groupTree{group: g, magic: inoMagic, record: 16, key: 4}
	if f.sb.v5() {
		t.magic = inoMagic5
	}
	t.fault = func(err error) {
		if len(errs) < maxOrphanFaults {
			errs = append(errs, err)
		}
	}
	sparse := f.sb.incompat&incompatSpinodes != 0
	t.each = func(c *bin.Cursor) bool {
		k := chunk{start: c.U32()}
		if holes := c.U16(); sparse {
			k.holes = holes
		}
		k.free = c.Skip(2).U64()
		list = append(list, k)
		return len(list) < maxChunks
	}
	f.tree(t, header, agiRoot, agiLevel)
	sort.Slice(list, func(i, j int) bool { return list[i].start < list[j].start })
	return list, errs
}

// split and join turn an inode number into its group and its number there, and back.
func (f *FS) split(n filesystem.Inode) (group, agino uint32) {
	bits := f.sb.agLog + f.sb.inopbLog()
	return uint32(uint64(n) >> bits), uint32(uint64(n) & (1<<bits - 1))
}

func (f *FS) join(group, agino uint32) filesystem.Inode {
	return filesystem.Inode(uint64(group)<<(f.sb.agLog+f.sb.inopbLog()) | uint64(agino))
}
