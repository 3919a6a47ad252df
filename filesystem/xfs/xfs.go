// Package xfs reads XFS filesystems of versions 4 and 5, damaged ones included; it
// replays the log in memory, as a second view, and finds deleted files by what log,
// inode records and directory blocks still hold. It does not read what lies on another
// device: realtime files and external logs. Offsets are in bytes from the beginning of
// the filesystem unless they are called blocks; blocks are counted through all groups,
// unlike the kernel's fsblocks, whose group is in the high bits.
//
// Source: "XFS Algorithms & Data Structures" (xfs-documentation), fs/xfs/libxfs
// xfs_format.h, xfs_da_format.h and xfs_log_format.h (kernel 6.12).
package xfs

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/cache"
	"telltale/internal/limit"
	"telltale/internal/places"
)

// FS is an open filesystem. It is safe for concurrent use where its source is.
type FS struct {
	src  io.ReaderAt // all bytes come through it: a replayed log is laid over it here
	size int64       // of src
	sb   *superblock

	blockSize int64
	blocks    int64
	notes     []string
	replayed  bool // src has the log laid over it
	unsealed  bool // src holds buffers as they were logged, whose checksums are older

	meta   *cache.Cache[int64, []byte]              // tree blocks, by block number
	tables *cache.Cache[int64, []byte]              // pieces that hold inode records, by offset
	maps   *cache.Cache[filesystem.Inode, *forkMap] // where content lies
	bad    places.Count[structure]                  // whose checksum does not match, and damaged block maps
	orphan struct {
		once sync.Once
		list []filesystem.Inode
		set  map[filesystem.Inode]struct{}
		errs []error
	}
	dirty struct {
		once sync.Once
		is   bool
		note string
	}
}

var (
	_ filesystem.FS         = (*FS)(nil)
	_ filesystem.Xattrer    = (*FS)(nil)
	_ filesystem.Orphaner   = (*FS)(nil)
	_ filesystem.FreeSpacer = (*FS)(nil)
)

// What the caches hold at most, each twice that (see internal/cache).
const (
	metaCacheBytes  = 4 << 20
	tableCacheBytes = 8 << 20
	tableChunk      = 64 << 10
	mapCacheBytes   = 4 << 20
)

// Format describes the member.
func Format() filesystem.Format {
	return filesystem.Format{
		Name:  "xfs",
		Doc:   "XFS filesystem, versions 4 and 5",
		Probe: probe,
		Open: func(r io.ReaderAt, size int64, _ *limit.Budget) (filesystem.FS, error) {
			f, err := Open(r, size)
			if err != nil {
				return nil, err
			}
			return f, nil
		},
	}
}

// probe looks for the superblock, or for the two headers that follow it a sector each
// later: a damaged superblock must still be taken for one.
func probe(head []byte) bool {
	if bin.Big(head).U32() == superMagic {
		return true
	}
	for sector := 512; sector <= 1<<maxSectorLog; sector <<= 1 {
		c := bin.Big(head)
		if c.Seek(sector).U32() == agfMagic && c.Seek(2*sector).U32() == agiMagic {
			return true
		}
	}
	return false
}

// Open opens the filesystem in the first size bytes of r. Where the first superblock
// cannot be used it looks for a copy and says so in Info. Unknown incompatible
// features give an error that names them and wraps filesystem.ErrNotSupported. It
// takes no budget: what it keeps is bounded whatever the input says.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	var f *FS
	s, err := readSuper(r, size, 0)
	if errors.Is(err, filesystem.ErrNotSupported) && s.checksumOK {
		return nil, fmt.Errorf("open xfs: %w", err)
	}
	if err == nil {
		if f = newFS(r, size, s); f.hasRoot() {
			return f, nil
		}
	}
	if c := fromCopy(r, size, s); c != nil {
		why := "does not lead to a root directory"
		if err != nil {
			why = err.Error()
		}
		c.note("the first superblock is broken (%s): its copy at byte %d is used", why, c.sb.off)
		return c, nil
	}
	if f == nil {
		return nil, fmt.Errorf("open xfs: %w", err)
	}
	f.note("the root directory cannot be read: files are found by inode only")
	return f, nil
}

func newFS(r io.ReaderAt, size int64, s *superblock) *FS {
	f := &FS{
		src: r, size: size, sb: s,
		blockSize: s.blockSize(), blocks: int64(s.blocks),
		meta:   cache.New[int64, []byte](metaCacheBytes),
		tables: cache.New[int64, []byte](tableCacheBytes),
		maps:   cache.New[filesystem.Inode, *forkMap](mapCacheBytes),
	}
	if !s.checksumOK {
		f.bad.Add(superStructure, s.off)
	}
	if end := f.blocks * f.blockSize; end > size {
		f.note("the source ends %d bytes before the filesystem does: what lies there cannot be read", end-size)
	}
	return f
}

// fromCopy looks for a superblock at the start of another group that leads to a root
// directory: where the broken one says (nil if it made no sense), where the length in
// the first group's free space header says, and where mkfs.xfs puts four groups.
func fromCopy(r io.ReaderAt, size int64, broken *superblock) *FS {
	var steps []int64
	if broken != nil {
		steps = append(steps, broken.agBytes())
	}
	lengths := agLengths(r, size)
	for log := uint(minBlockLog); log <= maxBlockLog; log++ {
		for _, n := range lengths {
			steps = append(steps, n<<log)
		}
		quarter := size >> log / 4
		steps = append(steps, quarter<<log, (quarter+1)<<log)
	}
	for _, step := range append(steps, 1<<40) {
		for _, g := range []int64{1, 2, 3} {
			if step <= 0 || step > size/g {
				continue
			}
			s, err := readSuper(r, size, g*step)
			if err != nil || s.agBytes() != step {
				continue
			}
			if f := newFS(r, size, s); f.hasRoot() {
				return f
			}
		}
	}
	return nil
}

// agLengths gives what the free space header of group 0 tells of its length in blocks,
// for each sector size that shows one.
func agLengths(r io.ReaderAt, size int64) (list []int64) {
	for sector := int64(512); sector <= 1<<maxSectorLog && sector <= size-16; sector <<= 1 {
		raw := make([]byte, 16)
		if n, _ := r.ReadAt(raw, sector); n < len(raw) {
			continue
		}
		if c := bin.Big(raw); c.U32() == agfMagic {
			list = append(list, int64(c.Skip(8).U32()))
		}
	}
	return list
}

func (f *FS) hasRoot() bool {
	in, err := f.inode(f.Root())
	return err == nil && in.fileType() == filesystem.Directory
}

func (f *FS) note(format string, a ...any) { f.notes = append(f.notes, fmt.Sprintf(format, a...)) }

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return filesystem.Inode(f.sb.root) }

// readAt fills p from off. What fails is damage, with its place.
func (f *FS) readAt(p []byte, off int64) error {
	if off < 0 || off > f.size || int64(len(p)) > f.size-off {
		return damage(0, 0, "%d bytes at %d lie beyond the end of the source at %d", len(p), off, f.size)
	}
	if n, err := f.src.ReadAt(p, off); n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return damage(off, len(p), "cannot be read: %v", err)
	}
	return nil
}

// block gives a block of metadata, which must not be changed. Its checksum, at crcAt
// in version 5, is checked when it is first read; a mismatch is counted as a fault of
// kind.
func (f *FS) block(n int64, crcAt int, kind structure) ([]byte, error) {
	if n < 0 || n >= f.blocks {
		return nil, damage(0, 0, "block %d lies outside the filesystem of %d blocks", n, f.blocks)
	}
	if b, ok := f.meta.Get(n); ok {
		return b, nil
	}
	b := make([]byte, f.blockSize)
	if err := f.readAt(b, n*f.blockSize); err != nil {
		return nil, err
	}
	if f.sb.v5() && !f.unsealed && !checksumOK(b, crcAt) {
		f.bad.Add(kind, n*f.blockSize)
	}
	f.meta.Put(n, b, len(b))
	return b, nil
}

// fromFSBlock gives the block that an fsblock number of the format means, whose high
// bits are the group.
func (f *FS) fromFSBlock(n uint64) (int64, bool) {
	s := f.sb
	group, within := n>>s.agLog, n&(1<<s.agLog-1)
	if group >= uint64(s.agCount) {
		return 0, false
	}
	return f.agBlock(uint32(group), uint32(within))
}

// agBlock gives the block that stands at within in a group.
func (f *FS) agBlock(group, within uint32) (int64, bool) {
	if within >= f.sb.agBlocks {
		return 0, false
	}
	n := int64(group)*int64(f.sb.agBlocks) + int64(within)
	return n, n < f.blocks
}

// groupLength gives how many blocks a group has: the last may be shorter.
func (f *FS) groupLength(group uint32) int64 {
	return min(int64(f.sb.agBlocks), f.blocks-int64(group)*int64(f.sb.agBlocks))
}

func damage(off int64, length int, format string, a ...any) *evidence.Damage {
	return &evidence.Damage{Ref: evidence.Ref{Off: off, Len: int64(length)}, Reason: fmt.Sprintf(format, a...)}
}
