// Package ext4 reads ext2, ext3 and ext4 filesystems, damaged ones included: as they
// lie on disk, with the journal replayed in memory (Replay), and what was deleted from
// them (Deleted). All views are the same reader, which takes all its bytes through FS.src. Offsets are in bytes
// from the beginning of the filesystem unless they are called blocks.
//
// Source: kernel Documentation/filesystems/ext4 and fs/ext4 (6.12).
package ext4

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
	src  io.ReaderAt // all bytes come through it: a replayed journal is laid over it here
	size int64       // of src
	sb   *superblock

	blockSize  int64
	blocks     int64
	groupCount uint64
	notes      []string

	meta   *cache.Cache[int64, []byte]               // metadata blocks, by block number
	tables *cache.Cache[int64, []byte]               // pieces of inode tables, by offset
	groups *cache.Cache[uint64, group]               // descriptors, by group
	maps   *cache.Cache[filesystem.Inode, *blockMap] // where content lies
	bufs   sync.Pool                                 // *[]byte of dirBuffer bytes
	bad    places.Count[structure]                   // whose checksum does not match, and damaged block maps

	replayed bool         // its journal lies over it
	fast     *fastChanges // fast commits that lie over it, nil for none

	orphan struct {
		once sync.Once
		list []uint32
		set  map[uint32]struct{}
		errs []error
	}
}

var (
	_ filesystem.FS         = (*FS)(nil)
	_ filesystem.Xattrer    = (*FS)(nil)
	_ filesystem.Orphaner   = (*FS)(nil)
	_ filesystem.Replayer   = (*FS)(nil)
	_ filesystem.Undeleter  = (*FS)(nil)
	_ filesystem.FreeSpacer = (*FS)(nil)
)

// What the caches hold at most, each twice that (see cache).
const (
	metaCacheBytes  = 2 << 20
	tableCacheBytes = 8 << 20
	tableChunk      = 64 << 10
	groupCacheItems = 16 << 10
	mapCacheBytes   = 4 << 20
)

// Format describes the member.
func Format() filesystem.Format {
	return filesystem.Format{
		Name:  "ext4",
		Doc:   "ext2, ext3 and ext4 filesystem",
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

// probe looks for the magic number, which has only two bytes, and for one field more
// that is as it should be; a damaged superblock must still be taken for one.
func probe(head []byte) bool {
	c := bin.Little(head).Seek(superOffset + 0x18)
	logBlock := c.U32()
	magic := c.Seek(superOffset + 0x38).U16()
	creator, revision := c.Seek(superOffset+0x48).U32(), c.U32()
	return c.Err() == nil && magic == superMagic && (logBlock <= maxLogBlock || creator <= 4 || revision <= 1)
}

// Open opens the filesystem in the first size bytes of r. Where the first superblock
// cannot be used it looks for a copy and says so in Info. Unknown incompatible
// features give an error that names them and wraps filesystem.ErrNotSupported. It
// takes no budget: what it keeps is bounded whatever the input says (caches of about
// 30 MiB, and the block maps of at most two badly broken-up files, 32 MiB each).
func Open(r io.ReaderAt, size int64) (*FS, error) {
	var f *FS
	s, err := readSuper(r, size, superOffset)
	if errors.Is(err, filesystem.ErrNotSupported) && (s == nil || s.checksumOK) {
		return nil, fmt.Errorf("open ext4: %w", err)
	}
	if err == nil {
		s.block = superOffset / s.blockSize()
		if f = newFS(r, size, s); f.hasRoot() {
			return f, nil
		}
	}
	if c := fromCopy(r, size, s); c != nil {
		why := "does not lead to a root directory"
		if err != nil {
			why = err.Error()
		}
		c.note("the first superblock is broken (%s): its copy in group %d is used, which does not know whether it was unmounted cleanly", why, c.sb.group)
		return c, nil
	}
	if f == nil {
		return nil, fmt.Errorf("open ext4: %w", err)
	}
	f.note("the root directory cannot be read: files are found by inode only")
	return f, nil
}

func newFS(r io.ReaderAt, size int64, s *superblock) *FS {
	f := &FS{
		src: r, size: size, sb: s,
		blockSize: s.blockSize(), blocks: int64(s.blocks), groupCount: s.groups(),
		meta:   cache.New[int64, []byte](metaCacheBytes),
		tables: cache.New[int64, []byte](tableCacheBytes),
		groups: cache.New[uint64, group](groupCacheItems),
		maps:   cache.New[filesystem.Inode, *blockMap](mapCacheBytes),
	}
	f.bufs.New = func() any { b := make([]byte, dirBuffer); return &b }
	if !s.checksumOK {
		f.bad.Add(superStructure, s.block*f.blockSize)
	}
	if end := f.blocks * f.blockSize; end > size {
		f.note("the source ends %d bytes before the filesystem does: what lies there cannot be read", end-size)
	}
	if want := f.groupCount * uint64(s.inodesPerGroup); want != uint64(s.inodes) {
		f.note("the superblock counts %d inodes, its groups hold %d", s.inodes, want)
	}
	return f
}

func readSuper(r io.ReaderAt, size, off int64) (*superblock, error) {
	if off > size-superSize {
		return nil, fmt.Errorf("superblock at byte %d lies beyond the end of the source at %d: %w", off, size, errNoSuper)
	}
	raw := make([]byte, superSize)
	if n, err := r.ReadAt(raw, off); n < len(raw) {
		return nil, fmt.Errorf("read superblock at byte %d: %w", off, err)
	}
	return parseSuper(raw)
}

// fromCopy looks for a superblock's copy that leads to a root directory, first where
// the broken one (nil if it made no sense) says, then where mke2fs puts them.
func fromCopy(r io.ReaderAt, size int64, broken *superblock) *FS {
	for logBlock := uint32(0); logBlock <= maxLogBlock; logBlock++ {
		block := int64(1024) << logBlock
		first := int64(0)
		if logBlock == 0 {
			first = 1 // a 1 KiB block 0 is the boot block's
		}
		perGroup := []int64{8 * block, 65528} // EXT2_MAX_BLOCKS_PER_GROUP of old tools
		if broken != nil && broken.logBlock == logBlock {
			perGroup = append(perGroup, int64(broken.blocksPerGroup))
		}
		for _, g := range []int64{1, 3, 5, 7, 9, 25, 27, 49} {
			for _, n := range perGroup {
				off := (first + g*n) * block
				s, err := readSuper(r, size, off)
				if err != nil || s.logBlock != logBlock || s.revision > goodOldRev && s.group != uint32(g) {
					continue
				}
				s.block, s.group = off/block, uint32(g) // the first revision does not say the group
				if f := newFS(r, size, s); f.hasRoot() {
					return f
				}
			}
		}
	}
	return nil
}

func (f *FS) hasRoot() bool {
	in, err := f.inode(rootInode)
	return err == nil && in.fileType() == filesystem.Directory
}

func (f *FS) note(format string, a ...any) { f.notes = append(f.notes, fmt.Sprintf(format, a...)) }

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return rootInode }

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

// block gives a block of metadata, which must not be changed.
func (f *FS) block(n int64) ([]byte, error) {
	if n <= 0 || n >= f.blocks {
		return nil, damage(0, 0, "block %d lies outside the filesystem of %d blocks", n, f.blocks)
	}
	if b, ok := f.meta.Get(n); ok {
		return b, nil
	}
	b := make([]byte, f.blockSize)
	if err := f.readAt(b, n*f.blockSize); err != nil {
		return nil, err
	}
	f.meta.Put(n, b, len(b))
	return b, nil
}

func damage(off int64, length int, format string, a ...any) *evidence.Damage {
	return &evidence.Damage{Ref: evidence.Ref{Off: off, Len: int64(length)}, Reason: fmt.Sprintf(format, a...)}
}
