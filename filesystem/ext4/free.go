package ext4

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"telltale/filesystem"
	"telltale/internal/cache"
)

// space tells which blocks are given away, by the groups' bitmaps.
type space struct {
	f       *FS
	perBit  int64 // blocks that a bit stands for: more than one with bigalloc
	bitmaps *cache.Cache[uint64, []byte]
	once    sync.Once
	meta    [][2]int64 // blocks that hold the groups' own structures: first, behind
}

const bitmapCacheBytes = 4 << 20

func (f *FS) newSpace() *space {
	s := &space{f: f, perBit: 1, bitmaps: cache.New[uint64, []byte](bitmapCacheBytes)}
	if f.sb.ro&roBigalloc != 0 && f.sb.logCluster >= f.sb.logBlock && f.sb.logCluster < 32 {
		s.perBit = 1 << (f.sb.logCluster - f.sb.logBlock)
	}
	return s
}

// bitmap gives a group's bitmap; nil with no error for a group that was never used.
func (s *space) bitmap(g uint64) ([]byte, error) {
	if b, ok := s.bitmaps.Get(g); ok {
		return b, nil
	}
	d, err := s.f.groupOf(g)
	if err != nil {
		return nil, err
	}
	if d.flags&groupBlockUninit != 0 {
		return nil, nil
	}
	if d.blockBitmap == 0 {
		return nil, damage(0, 0, "group %d: its block bitmap lies outside the filesystem", g)
	}
	b := make([]byte, s.f.blockSize)
	if err := s.f.readAt(b, d.blockBitmap); err != nil {
		return nil, err
	}
	s.bitmaps.Put(g, b, len(b))
	return b, nil
}

func (s *space) groupStart(g uint64) int64 {
	return int64(s.f.sb.firstDataBlock) + int64(g)*int64(s.f.sb.blocksPerGroup)
}

// taken tells whether a block is given away; one that cannot be told counts as taken.
func (s *space) taken(block int64) bool {
	g := uint64(block-int64(s.f.sb.firstDataBlock)) / uint64(s.f.sb.blocksPerGroup)
	if block < int64(s.f.sb.firstDataBlock) || g >= s.f.groupCount {
		return true
	}
	b, err := s.bitmap(g)
	if err != nil {
		return true
	}
	if b == nil {
		return s.isMeta(block)
	}
	bit := (block - s.groupStart(g)) / s.perBit
	return bit/8 >= int64(len(b)) || b[bit/8]&(1<<(bit%8)) != 0
}

// isMeta tells whether a block holds a structure of the groups.
func (s *space) isMeta(block int64) bool {
	s.once.Do(s.findMeta)
	i, found := slices.BinarySearchFunc(s.meta, block, func(r [2]int64, b int64) int {
		switch {
		case r[1] <= b:
			return -1
		case r[0] > b:
			return 1
		}
		return 0
	})
	return found && i < len(s.meta)
}

// maxGroups is how many groups' structures are looked for at most: 128 TiB of 4 KiB blocks. maxFlex is how many
// groups may keep their structures in one that lies before them.
const (
	maxGroups = 1 << 20
	maxFlex   = 1 << 12
)

// groupsHere gives how many groups can have anything in the source, whatever the superblock says.
func (f *FS) groupsHere() uint64 {
	held := uint64(f.size/f.blockSize)/uint64(f.sb.blocksPerGroup) + 1
	return min(f.groupCount, maxGroups, held+maxFlex)
}

func (s *space) findMeta() {
	f := s.f
	table := (int64(f.sb.inodesPerGroup)*int64(f.sb.inodeSize) + f.blockSize - 1) / f.blockSize
	add := func(first, n int64) { s.meta = append(s.meta, [2]int64{first, first + n}) }
	descriptors := (int64(f.groupCount)*f.descSize() + f.blockSize - 1) / f.blockSize
	metaBG := f.sb.incompat&incompatMetaBG != 0
	if metaBG {
		descriptors = int64(f.sb.firstMetaGroup)
	}
	for g := range f.groupsHere() {
		if f.sb.hasSuper(g) {
			add(f.superBlockOf(g)/f.blockSize, 1+descriptors+int64(f.sb.reservedGDT))
		}
		if perBlock := uint64(f.blockSize / f.descSize()); metaBG && g%perBlock == 0 {
			for _, at := range f.descriptorPlaces(g, f.descSize()) {
				add(at/f.blockSize, 1)
			}
		}
		d, err := f.groupOf(g)
		if err != nil {
			continue
		}
		add(d.table/f.blockSize, table)
		for _, b := range [...]int64{d.blockBitmap, d.inodeBitmap} {
			if b > 0 {
				add(b/f.blockSize, 1)
			}
		}
	}
	slices.SortFunc(s.meta, func(a, b [2]int64) int { return int(min(max(a[0]-b[0], -1), 1)) })
	joined := s.meta[:0]
	for _, r := range s.meta {
		if n := len(joined); n > 0 && r[0] <= joined[n-1][1] {
			joined[n-1][1] = max(joined[n-1][1], r[1])
			continue
		}
		joined = append(joined, r)
	}
	s.meta = joined
}

// FreeSpace gives the runs of blocks that belong to nobody by the groups' bitmaps, in bytes.
func (f *FS) FreeSpace(ctx context.Context) iter.Seq2[filesystem.Extent, error] {
	return func(yield func(filesystem.Extent, error) bool) {
		s := f.newSpace()
		var run filesystem.Extent
		flush := func() bool {
			ok := run.Length == 0 || yield(run, nil)
			run = filesystem.Extent{}
			return ok
		}
		give := func(first, n int64) bool {
			at, length := first*f.blockSize, n*f.blockSize
			if run.Length > 0 && run.Physical+run.Length == at {
				run.Length += length
				return true
			}
			ok := flush()
			run = filesystem.Extent{Physical: at, Length: length}
			return ok
		}
		for g := range f.groupsHere() {
			if err := ctx.Err(); err != nil {
				yield(filesystem.Extent{}, err)
				return
			}
			err := s.group(g, give)
			if errors.Is(err, errStopped) || err != nil && (!flush() || !yield(filesystem.Extent{}, err)) {
				return
			}
		}
		flush()
	}
}

// unused gives the free runs of a group that was never used: all but what holds the groups' own structures.
func (s *space) unused(start, end int64, give func(first, n int64) bool) error {
	s.once.Do(s.findMeta)
	i, _ := slices.BinarySearchFunc(s.meta, start, func(r [2]int64, b int64) int { return cmp.Compare(r[1]-1, b) })
	for at := start; at < end; i++ {
		stop, next := end, end
		if i < len(s.meta) && s.meta[i][0] < end {
			stop, next = max(s.meta[i][0], at), max(s.meta[i][1], at)
		}
		if stop > at && !give(at, stop-at) {
			return errStopped
		}
		at = next
	}
	return nil
}

// errStopped says that the caller wants no more.
var errStopped = errors.New("stopped")

// group gives the free runs of one group.
func (s *space) group(g uint64, give func(first, n int64) bool) error {
	f := s.f
	start := s.groupStart(g)
	end := min(start+int64(f.sb.blocksPerGroup), f.blocks)
	b, err := s.bitmap(g)
	if err != nil {
		return err
	}
	if b == nil {
		return s.unused(start, end, give)
	}
	for at := start; at < end; {
		if (at-start)%(8*s.perBit) == 0 && (at-start)/s.perBit/8 < int64(len(b)) {
			switch b[(at-start)/s.perBit/8] {
			case 0xff:
				at += 8 * s.perBit
				continue
			case 0:
				n := min(8*s.perBit, end-at)
				if !give(at, n) {
					return errStopped
				}
				at += n
				continue
			}
		}
		n := min(s.perBit, end-at)
		if !s.taken(at) && !give(at, n) {
			return errStopped
		}
		at += n
	}
	return nil
}
