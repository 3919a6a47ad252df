// Package vfat reads FAT12, FAT16, FAT32 and exFAT: sticks, cards and the partitions that machines start from. It finds
// deleted files by the entries that stay in directories. It reads no TexFAT and no BitLocker.
//
// An inode's number is the offset in bytes of the file's directory entry; the root, which has none, is 1. FAT keeps
// local times without their zone: they are given as if they were UTC, and Info says so. Clusters count from 2.
//
// Source: Microsoft FAT specification (2005, "fatgen103"); exFAT file system specification (2019, revision 1.00).
package vfat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/cache"
	"telltale/internal/limit"
)

// FS is an open filesystem. It is safe for concurrent use where its source is.
type FS struct {
	src   io.ReaderAt
	size  int64
	g     geometry
	notes []string
	label string

	table  *cache.Cache[int64, []byte]            // pieces of the table, by offset
	chains *cache.Cache[filesystem.Inode, *chain] // by inode

	bitmap *chain // exFAT: which clusters are taken; nil where it was not found

	mu    sync.Mutex
	split map[filesystem.Inode]int64 // exFAT: where an entry's second part lies that is not right behind it
}

var (
	_ filesystem.FS         = (*FS)(nil)
	_ filesystem.Undeleter  = (*FS)(nil)
	_ filesystem.FreeSpacer = (*FS)(nil)
)

// rootInode names the root.
const rootInode filesystem.Inode = 1

// What the caches hold at most, each twice that (see cache).
const (
	tableCacheBytes = 4 << 20
	tablePiece      = 16 << 10
	chainCacheBytes = 4 << 20
)

// Format is the member of the family.
func Format() filesystem.Format {
	return filesystem.Format{
		Name: "vfat", Doc: "FAT12, FAT16, FAT32 and exFAT",
		Probe: func(head []byte) bool { _, err := parseBoot(head); return err == nil },
		Open: func(r io.ReaderAt, size int64, _ *limit.Budget) (filesystem.FS, error) {
			return Open(r, size)
		},
	}
}

// Open reads the boot sector.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	f := &FS{src: r, size: size, table: cache.New[int64, []byte](tableCacheBytes), chains: cache.New[filesystem.Inode, *chain](chainCacheBytes), split: map[filesystem.Inode]int64{}}
	var b [bootSize]byte
	err := f.readAt(b[:], 0)
	if err == nil {
		f.g, err = parseBoot(b[:])
	}
	if err != nil {
		return nil, fmt.Errorf("FAT boot sector: %w", err)
	}
	if end := f.g.data + int64(f.g.clusters)*f.g.cluster; end > size {
		f.notes = append(f.notes, fmt.Sprintf("the source ends at byte %d of %d: what lies behind is lost", size, end))
	}
	if f.g.kind != exFAT {
		f.notes = append(f.notes, "its times are local times without a zone, shown as if they were UTC")
	}
	f.label = f.g.label
	f.special()
	if f.dirty() {
		f.notes = append(f.notes, "it was not unmounted cleanly")
	}
	return f, nil
}

// dirty tells whether the filesystem says that it was in use.
func (f *FS) dirty() bool {
	if f.g.dirty {
		return true
	}
	v, err := f.next(1)
	switch {
	case err != nil:
		return false
	case f.g.kind == fat16:
		return v&0x8000 == 0
	case f.g.kind == fat32:
		return v&0x0800_0000 == 0
	}
	return false
}

// Root gives the root directory.
func (f *FS) Root() filesystem.Inode { return rootInode }

// Info describes the filesystem.
func (f *FS) Info() filesystem.Info {
	return filesystem.Info{Kind: "vfat", UUID: fmt.Sprintf("%04X-%04X", f.g.serial>>16, f.g.serial&0xffff), Label: f.label, Features: []string{f.g.kind.String()}, Notes: f.notes}
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

// Stat gives a file's metadata.
func (f *FS) Stat(n filesystem.Inode) (filesystem.Meta, error) {
	e, err := f.entry(n)
	if err != nil {
		return filesystem.Meta{}, err
	}
	return e.meta, nil
}

// ReadAt reads a file's content.
func (f *FS) ReadAt(n filesystem.Inode, p []byte, off int64) (int, error) {
	c, err := f.contentOf(n)
	if err != nil {
		return 0, err
	}
	return c.ReadAt(p, off)
}

// Readlink fails: there are no symlinks.
func (f *FS) Readlink(n filesystem.Inode) ([]byte, error) {
	return nil, fmt.Errorf("inode %d is no symlink: %w", n, filesystem.ErrNotSupported)
}

// Extents tells where a file's content lies.
func (f *FS) Extents(n filesystem.Inode) ([]filesystem.Extent, error) {
	e, err := f.entry(n)
	if err != nil || e.meta.Type != filesystem.Regular {
		return nil, err
	}
	c, err := f.contentOf(n)
	if err != nil {
		return nil, err
	}
	return c.extents(), c.damaged
}

func (f *FS) contentOf(n filesystem.Inode) (*chain, error) {
	if c, ok := f.chains.Get(n); ok {
		return c, nil
	}
	e, err := f.entry(n)
	if err != nil {
		return nil, err
	}
	if e.meta.Type != filesystem.Regular {
		return nil, fmt.Errorf("inode %d is no regular file: %w", n, filesystem.ErrNotSupported)
	}
	c := f.follow(e)
	f.chains.Put(n, c, 100+24*len(c.runs))
	return c, nil
}

func damage(off, length int64, format string, a ...any) *evidence.Damage {
	return &evidence.Damage{Ref: evidence.Ref{Off: off, Len: length}, Reason: fmt.Sprintf(format, a...)}
}

func le16(b []byte, at int) int64 { return int64(binary.LittleEndian.Uint16(b[at:])) }
func le32(b []byte, at int) int64 { return int64(binary.LittleEndian.Uint32(b[at:])) }
