// Package erofs reads EROFS: the read-only trees of Android, of image-based systems and of container images. It reads
// plain, inline and chunked files, and files compressed by lz4; other compressions, tails packed with the indexes,
// fragments and layouts over several devices are refused by name. Offsets are in bytes.
//
// An inode's number here is the offset of its record; an image's own (nid) counts 32-byte slots of its metadata area.
//
// Source: kernel Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h (6.12).
package erofs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
	"telltale/internal/cache"
	"telltale/internal/limit"
)

// The superblock (struct erofs_super_block).
const (
	superOffset = 1024
	superSize   = 128 // bytes
	magic       = 0xE0F5E1E2
	slotSize    = 32 // bytes of an inode's slot
	minBits     = 9
	maxBits     = 16
)

// Features that change the format (EROFS_FEATURE_INCOMPAT_*). Several share a bit.
const (
	zeroPadding = 0x01 // packed data stands at the end of its blocks
	bigPcluster = 0x02 // also: settings of compressions stand behind the superblock
	chunked     = 0x04
	deviceTable = 0x08 // also: two compressions in one file
	tailPacking = 0x10
	fragments   = 0x20 // also: deduplication
	prefixes    = 0x40 // of extended attributes
	known       = 0x7f
)

var featureNames = []string{"lz4-0padding", "big-pcluster", "chunked-file", "device-table", "ztailpacking", "fragments", "xattr-prefixes", "48bit", "metabox"}

// FS is an open filesystem. It is safe for concurrent use where its source is.
type FS struct {
	src      io.ReaderAt
	size     int64
	bits     uint
	block    int64
	root     int64 // offset of the root's record
	meta     int64
	xattrs   int64
	features uint32
	made     evidence.Time
	uuid     string
	label    string
	notes    []string
	prefix   []string // long prefixes of extended attributes

	maps   *cache.Cache[filesystem.Inode, *contentMap]
	blocks *cache.Cache[int64, []byte] // unpacked pieces, by where they lie packed
}

var (
	_ filesystem.FS      = (*FS)(nil)
	_ filesystem.Xattrer = (*FS)(nil)
)

// What the caches hold at most, each twice that (see cache).
const (
	mapCacheBytes   = 8 << 20
	blockCacheBytes = 8 << 20
)

// Format is the member of the family.
func Format() filesystem.Format {
	return filesystem.Format{
		Name: "erofs", Doc: "EROFS: read-only trees of Android and image-based systems",
		Probe: func(head []byte) bool {
			return len(head) >= superOffset+superSize && binary.LittleEndian.Uint32(head[superOffset:]) == magic
		},
		Open: func(r io.ReaderAt, size int64, _ *limit.Budget) (filesystem.FS, error) {
			return Open(r, size)
		},
	}
}

// Open reads the superblock.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	f := &FS{src: r, size: size, maps: cache.New[filesystem.Inode, *contentMap](mapCacheBytes), blocks: cache.New[int64, []byte](blockCacheBytes)}
	var b [superSize]byte
	if err := f.readAt(b[:], superOffset); err != nil {
		return nil, fmt.Errorf("erofs superblock: %w", err)
	}
	c := bin.Little(b[:])
	if c.U32() != magic {
		return nil, fmt.Errorf("erofs superblock: no magic: %w", filesystem.ErrNotSupported)
	}
	f.features = bin.Little(b[80:]).U32()
	if more := f.features &^ known; more != 0 {
		return nil, fmt.Errorf("erofs features %s: %w", strings.Join(names(more), " "), filesystem.ErrNotSupported)
	}
	c.Seek(12)
	f.bits = uint(c.U8())
	if f.bits < minBits || f.bits > maxBits || b[90] != 0 {
		return nil, damage(superOffset, superSize, "blocks of 2^%d bytes, directory blocks 2^%d times as long", f.bits, b[90])
	}
	f.block = 1 << f.bits
	root := int64(c.Skip(1).U16())
	sec, nsec := c.Skip(8).U64(), c.U32()
	blocks := int64(c.U32())
	f.meta, f.xattrs = int64(c.U32())<<f.bits, int64(c.U32())<<f.bits
	u := c.Bytes(16)
	f.uuid = fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
	f.label = string(c.CString(16))
	f.made = evidence.Unix(int64(sec&(1<<40-1)), int64(nsec%1e9), time.Nanosecond)
	f.root = f.meta + root*slotSize
	if blocks<<f.bits > size {
		f.notes = append(f.notes, fmt.Sprintf("the image ends at byte %d of %d: what lies behind is lost", size, blocks<<f.bits))
	}
	if f.features&prefixes != 0 && b[91] != 0 {
		f.prefix = f.longPrefixes(int64(binary.LittleEndian.Uint32(b[92:]))<<2, int(b[91]))
	}
	return f, nil
}

func names(bits uint32) (list []string) {
	for i := range 32 {
		if bits>>i&1 == 0 {
			continue
		}
		if i < len(featureNames) {
			list = append(list, featureNames[i])
		} else {
			list = append(list, fmt.Sprintf("FEATURE_I%d", i))
		}
	}
	return list
}

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return filesystem.Inode(f.root) }

// Info describes the filesystem.
func (f *FS) Info() filesystem.Info {
	return filesystem.Info{Kind: "erofs", UUID: f.uuid, Label: f.label, Features: names(f.features), Created: f.made, Notes: f.notes}
}

// readAt fills p from off. What fails is damage, with its place.
func (f *FS) readAt(p []byte, off int64) error {
	if off < 0 || off > f.size || int64(len(p)) > f.size-off {
		return damage(0, 0, "%d bytes at %d lie beyond the end of the source at %d", len(p), off, f.size)
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
