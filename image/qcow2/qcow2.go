// Package qcow2 reads QEMU's copy-on-write images, versions 2 and 3: compressed clusters
// (zlib, zstd), zero clusters, extended L2 entries, backing chains, external data files and
// internal snapshots. Backing and data files are opened by their base name beside the image
// and nowhere else; where one is not there, what lies in it is damage, never zeros.
// Encrypted images are refused; bitmaps and refcounts are not read. Offsets and sizes are in
// bytes, numbers big-endian.
//
// Source: QEMU docs/interop/qcow2.txt.
package qcow2

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/limit"
)

const (
	magic          = "QFI\xfb"
	minClusterBits = 9
	maxClusterBits = 21
	maxL1Bytes     = 32 << 20 // QEMU's own limit
	sliceBytes     = 64 << 10 // of an L2 table, read and held at once
	maxChain       = 64       // backing files behind one another
	maxSnapshots   = 1024
	maxNotes       = 100
	subclusters    = 32 // of a cluster with extended L2 entries
)

// Format describes the member.
func Format() image.Format {
	return image.Format{
		Name:  "qcow2",
		Doc:   "QEMU copy-on-write image (qcow2)",
		Probe: func(head, _ []byte) bool { return len(head) >= 4 && string(head[:4]) == magic },
		Open: func(ctx context.Context, f image.File, b *limit.Budget) (image.Disk, error) {
			return open(ctx, f, b, nil)
		},
	}
}

// disk is an image's present state or one of its snapshots.
type disk struct {
	extent.Disk
	file  image.File
	data  image.File // where uncompressed clusters lie: the image itself or its external data file
	h     *header
	l1    []byte // entries of 8 bytes
	tabs  *extent.LRU[int64, []byte]
	pools *pools

	missing string // why unallocated clusters cannot be had: the backing file is not there
	noData  string // why uncompressed clusters cannot be had: the data file is not there
	facts   []image.Fact
	notes   []string
	snaps   []image.Snapshot
}

// pools keep decompressors, which are expensive to make, for all disks of an image.
type pools struct{ flate, zstd, raw sync.Pool }

var (
	_ image.Describer   = (*disk)(nil)
	_ image.Snapshotter = (*disk)(nil)
)

// open opens an image; chain are the names of the images that are backed by it.
func open(ctx context.Context, f image.File, b *limit.Budget, chain []string) (*disk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := readHeader(f)
	if err != nil {
		return nil, fmt.Errorf("open qcow2 image %q: %w", f.Name, err)
	}
	cache := extent.CacheFor(len(chain))
	if err := b.Take(2*int64(cache), "caches of a qcow2 image"); err != nil {
		return nil, err
	}
	d := &disk{file: f, data: f, h: h, tabs: extent.NewLRU[int64, []byte](cache), pools: &pools{}}
	d.Cache = cache
	if d.l1, err = d.readL1(h.l1Offset, h.l1Size, h.size, b); err != nil {
		return nil, fmt.Errorf("open qcow2 image %q: %w", f.Name, err)
	}
	d.describe()
	d.openData()
	if err := d.openBacking(ctx, b, append(slices.Clone(chain), f.Name)); err != nil {
		return nil, err
	}
	d.setUp(h.size)
	d.readSnapshots(b)
	return d, nil
}

func (d *disk) setUp(size int64) {
	d.Disk = extent.Disk{Name: d.file.Name, Bytes: size, Unit: d.h.cluster, Map: d.piece, Decode: d.decode, Cache: d.Cache, Parent: d.Parent, ParentSize: d.ParentSize}
}

func (d *disk) note(format string, a ...any) {
	if n := fmt.Sprintf(format, a...); len(d.notes) < maxNotes && !slices.Contains(d.notes, n) {
		d.notes = append(d.notes, n)
	}
}

// Info gives the header's facts and what had to be done to read the image.
func (d *disk) Info() image.Info {
	return image.Info{Facts: slices.Clone(d.facts), Notes: slices.Clone(d.notes)}
}

// Snapshots gives the internal snapshots whose tables can be read.
func (d *disk) Snapshots() []image.Snapshot { return slices.Clone(d.snaps) }

// readL1 reads as many entries of an L1 table as the disk's size needs.
func (d *disk) readL1(off, entries, size int64, b *limit.Budget) ([]byte, error) {
	span := d.h.cluster * d.h.perTable()
	need := size / span
	if size%span != 0 {
		need++
	}
	if need > entries {
		d.note("the L1 table has %d entries, the disk's size needs %d: the rest cannot be read", entries, need)
		need = entries
	}
	if err := b.Take(min(need*8, maxL1Bytes+1), "L1 table"); err != nil {
		return nil, err
	}
	t, err := extent.Bytes(d.file, off, need*8, maxL1Bytes, "L1 table")
	if err != nil && off >= 0 && off < d.file.Size && need*8 <= maxL1Bytes {
		d.note("%v: what is there is used", err)
		return extent.Bytes(d.file, off, (d.file.Size-off)&^7, maxL1Bytes, "L1 table")
	}
	return t, err
}
