// Package squashfs reads squashfs 4.0 filesystems: the packed trees of appliances, live systems and snap packages.
// It reads images compressed by gzip, xz, lzo, lz4 and zstd; lzma is refused by name. Versions before 4.0 are no
// members. Offsets are in bytes from the beginning of the filesystem.
//
// An inode's number here is its reference, plus one: where its record lies (the metadata block's offset in the inode
// table << 16, and the offset within the block). The numbers that the image gives its inodes need an optional table to
// be found by, and nothing holds them unique.
//
// Source: kernel Documentation/filesystems/squashfs.rst and fs/squashfs (6.12).
package squashfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/cache"
	"telltale/internal/limit"
)

// The superblock (struct squashfs_super_block) and what its fields may say.
const (
	magic          = 0x73717368 // "hsqs"
	superSize      = 96         // bytes
	metadataSize   = 8192       // bytes of a metadata block, unpacked
	minBlock       = 4 << 10
	maxBlock       = 1 << 20
	noTable        = 1<<64 - 1 // an optional table that is not there
	flagExport     = 0x80
	flagNoXattrs   = 0x200
	maxIDs         = 1 << 16
	tableEntryPtr  = 8 // bytes of a pointer to a metadata block
	idsPerBlock    = metadataSize / 4
	fragsPerBlock  = metadataSize / 16
	fragEntrySize  = 16
	xattrsPerBlock = metadataSize / 16
)

// superblock is what the head of the image says.
type superblock struct {
	inodes, made, blockSize, fragments uint32
	compression, log, flags, ids       uint16
	root, used                         uint64
	idTable, xattrTable, inodeTable    uint64
	dirTable, fragTable, exportTable   uint64
}

// FS is an open filesystem. It is safe for concurrent use where its source is.
type FS struct {
	src   io.ReaderAt
	size  int64 // of what the image uses of src
	sb    superblock
	ids   []uint32
	notes []string
	pack  *unpacker

	xattrBase  int64 // of the keys and values
	xattrCount uint32

	meta   *cache.Cache[int64, metaBlock]              // by offset
	blocks *cache.Cache[int64, []byte]                 // of content, unpacked, by offset
	maps   *cache.Cache[filesystem.Inode, *contentMap] // where content lies
}

var (
	_ filesystem.FS      = (*FS)(nil)
	_ filesystem.Xattrer = (*FS)(nil)
)

// What the caches hold at most, each twice that (see cache).
const (
	metaCacheBytes  = 4 << 20
	blockCacheBytes = 8 << 20
	mapCacheBytes   = 8 << 20
)

// Format is the member of the family.
func Format() filesystem.Format {
	return filesystem.Format{
		Name: "squashfs", Doc: "squashfs 4.0: packed read-only trees",
		Probe: probe,
		Open: func(r io.ReaderAt, size int64, _ *limit.Budget) (filesystem.FS, error) {
			return Open(r, size)
		},
	}
}

func probe(head []byte) bool {
	return len(head) >= superSize && binary.LittleEndian.Uint32(head) == magic && binary.LittleEndian.Uint16(head[28:]) == 4
}

// Open reads the superblock and the small tables.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	f := &FS{src: r, size: size, meta: cache.New[int64, metaBlock](metaCacheBytes), blocks: cache.New[int64, []byte](blockCacheBytes), maps: cache.New[filesystem.Inode, *contentMap](mapCacheBytes)}
	var b [superSize]byte
	if err := f.readAt(b[:], 0); err != nil {
		return nil, fmt.Errorf("squashfs superblock: %w", err)
	}
	if err := f.superblock(b[:]); err != nil {
		return nil, err
	}
	if f.sb.used > uint64(size) {
		f.notes = append(f.notes, fmt.Sprintf("the image ends at byte %d of %d: what lies behind is lost", size, f.sb.used))
	} else if f.sb.used >= superSize {
		f.size = int64(f.sb.used)
	}
	if err := f.readIDs(); err != nil {
		f.notes = append(f.notes, "owners are not known: "+err.Error())
	}
	if err := f.readXattrHeader(); err != nil {
		f.notes = append(f.notes, "extended attributes are not known: "+err.Error())
	}
	return f, nil
}

func (f *FS) superblock(b []byte) error {
	if !probe(b) {
		return fmt.Errorf("squashfs superblock: no magic of version 4: %w", filesystem.ErrNotSupported)
	}
	c := bin.Little(b).Skip(4)
	s := &f.sb
	s.inodes, s.made, s.blockSize, s.fragments = c.U32(), c.U32(), c.U32(), c.U32()
	s.compression, s.log, s.flags, s.ids = c.U16(), c.U16(), c.U16(), c.U16()
	minor := c.Skip(2).U16()
	s.root, s.used, s.idTable, s.xattrTable = c.U64(), c.U64(), c.U64(), c.U64()
	s.inodeTable, s.dirTable, s.fragTable, s.exportTable = c.U64(), c.U64(), c.U64(), c.U64()
	switch {
	case c.Err() != nil:
		return fmt.Errorf("squashfs superblock: %w", c.Err())
	case minor != 0:
		return fmt.Errorf("squashfs 4.%d: %w", minor, filesystem.ErrNotSupported)
	case s.blockSize < minBlock || s.blockSize > maxBlock || s.blockSize&(s.blockSize-1) != 0:
		return &evidence.Damage{Ref: evidence.Ref{Len: superSize}, Reason: fmt.Sprintf("squashfs superblock: blocks of %d bytes", s.blockSize)}
	}
	var err error
	f.pack, err = newUnpacker(s.compression)
	return err
}

// readIDs reads the owners: user and group ids are indexes into one table.
func (f *FS) readIDs() error {
	n := int(f.sb.ids)
	f.ids = make([]uint32, 0, n)
	for i := 0; i < n; i += idsPerBlock {
		b, err := f.tableBlock(f.sb.idTable, i/idsPerBlock)
		if err != nil {
			return err
		}
		c := bin.Little(b)
		for range min(idsPerBlock, n-i) {
			f.ids = append(f.ids, c.U32())
		}
		if c.Err() != nil {
			return damage(int64(f.sb.idTable), 0, "table of owners: %v", c.Err())
		}
	}
	return nil
}

// tableBlock gives a metadata block of a table that is a list of pointers to such.
func (f *FS) tableBlock(table uint64, n int) ([]byte, error) {
	var p [tableEntryPtr]byte
	if table > uint64(f.size) {
		return nil, damage(0, 0, "table at %d lies beyond the end at %d", table, f.size)
	}
	if err := f.readAt(p[:], int64(table)+int64(n)*tableEntryPtr); err != nil {
		return nil, err
	}
	at := binary.LittleEndian.Uint64(p[:])
	if at > uint64(f.size) {
		return nil, damage(int64(table), 0, "block %d of a table at %d lies beyond the end at %d", n, at, f.size)
	}
	m, err := f.metadata(int64(at))
	return m.b, err
}

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return filesystem.Inode(f.sb.root + 1) }

// Info describes the filesystem.
func (f *FS) Info() filesystem.Info {
	i := filesystem.Info{Kind: "squashfs", Created: evidence.Unix(int64(f.sb.made), 0, time.Second), Notes: f.notes}
	i.Features = append(i.Features, compressions[f.sb.compression])
	if f.sb.flags&flagExport != 0 {
		i.Features = append(i.Features, "exportable")
	}
	return i
}

// readAt fills p from off. What fails is damage, with its place.
func (f *FS) readAt(p []byte, off int64) error {
	if off < 0 || off > f.size || int64(len(p)) > f.size-off {
		return damage(0, 0, "%d bytes at %d lie beyond the end at %d", len(p), off, f.size)
	}
	if n, err := f.src.ReadAt(p, off); n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return damage(off, int64(len(p)), "cannot be read: %v", err)
	}
	return nil
}

func damage(off, length int64, format string, a ...any) *evidence.Damage {
	return &evidence.Damage{Ref: evidence.Ref{Off: off, Len: length}, Reason: fmt.Sprintf(format, a...)}
}
