package qcow2

import (
	"errors"
	"fmt"

	"telltale/image"
	"telltale/image/internal/extent"
	"telltale/internal/bin"
)

// Incompatible features (header bytes 72-79); one that is not named here is refused.
const (
	featureDirty        = 1 << 0
	featureCorrupt      = 1 << 1
	featureDataFile     = 1 << 2
	featureCompression  = 1 << 3
	featureExtendedL2   = 1 << 4
	knownFeatures       = 1<<5 - 1
	autoclearBitmaps    = 1 << 0
	autoclearRawData    = 1 << 1
	extBackingFormat    = 0xe2792aca
	extDataFile         = 0x44415441
	extEnd              = 0
	headerV2            = 72  // bytes
	headerV3            = 104 // bytes, at least
	maxBackingName      = 1023
	compressionZlib     = 0
	compressionZstd     = 1
	cryptNone           = 0
	cryptAES, cryptLUKS = 1, 2
)

type header struct {
	version                uint32
	backing                string
	backingFormat          string
	dataFile               string
	clusterBits            uint32
	cluster                int64
	size                   int64
	l1Size, l1Offset       int64
	snapshots              int64
	snapshotsAt            int64
	incompatible, compat   uint64
	autoclear              uint64
	compression            uint8
	backingOff, backLen    int64
	headerLength, features int64
}

// perTable is the number of entries in an L2 table.
func (h *header) perTable() int64 { return h.cluster / h.entrySize() }

func (h *header) entrySize() int64 {
	if h.incompatible&featureExtendedL2 != 0 {
		return 16
	}
	return 8
}

func readHeader(f image.File) (*header, error) {
	b, err := extent.Bytes(f, 0, min(f.Size, headerV3+8), headerV3+8, "header")
	if err != nil {
		return nil, err
	}
	c := bin.Big(b)
	if string(c.Bytes(4)) != magic {
		return nil, errors.New("no qcow2 signature")
	}
	h := &header{version: c.U32()}
	h.backingOff, h.backLen = int64(c.U64()), int64(c.U32())
	h.clusterBits = c.U32()
	h.size = int64(c.U64())
	crypt := c.U32()
	h.l1Size, h.l1Offset = int64(c.U32()), int64(c.U64())
	c.Skip(12) // the refcount table
	h.snapshots, h.snapshotsAt = int64(c.U32()), int64(c.U64())
	h.headerLength = headerV2
	if h.version >= 3 {
		h.incompatible, h.compat, h.autoclear = c.U64(), c.U64(), c.U64()
		h.headerLength = int64(c.Skip(4).U32())
		if h.headerLength > headerV3 && c.Left() > 0 {
			h.compression = c.U8()
		}
	}
	if err := c.Err(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := h.check(crypt); err != nil {
		return nil, err
	}
	return h, h.names(f)
}

func (h *header) check(crypt uint32) error {
	switch {
	case h.version != 2 && h.version != 3:
		return fmt.Errorf("version %d: %w", h.version, image.ErrNotSupported)
	case h.incompatible&^knownFeatures != 0:
		return fmt.Errorf("incompatible features %#x: %w", h.incompatible&^knownFeatures, image.ErrNotSupported)
	case crypt == cryptAES:
		return fmt.Errorf("encryption with AES: %w", image.ErrEncrypted)
	case crypt == cryptLUKS:
		return fmt.Errorf("encryption with LUKS: %w", image.ErrEncrypted)
	case crypt != cryptNone:
		return fmt.Errorf("encryption method %d: %w", crypt, image.ErrEncrypted)
	case h.clusterBits < minClusterBits || h.clusterBits > maxClusterBits:
		return fmt.Errorf("clusters of 2^%d bytes", h.clusterBits)
	case h.size < 0 || h.size > 1<<62:
		return fmt.Errorf("size %d", uint64(h.size))
	case h.version == 3 && (h.headerLength < headerV3 || h.headerLength%8 != 0):
		return fmt.Errorf("header of %d bytes", h.headerLength)
	case h.compression > compressionZstd:
		return fmt.Errorf("compression type %d: %w", h.compression, image.ErrNotSupported)
	}
	if h.incompatible&featureCompression == 0 {
		h.compression = compressionZlib
	}
	h.cluster = 1 << h.clusterBits
	if h.incompatible&featureExtendedL2 != 0 && h.clusterBits < 14 {
		return fmt.Errorf("extended L2 entries with clusters of 2^%d bytes", h.clusterBits)
	}
	return nil
}

// names reads the backing file's name and the header extensions, which lie in the first cluster.
func (h *header) names(f image.File) error {
	if h.backingOff != 0 {
		b, err := extent.Bytes(f, h.backingOff, h.backLen, maxBackingName, "backing file name")
		if err != nil {
			return err
		}
		h.backing = string(b)
	}
	end := h.cluster
	if h.backingOff > 0 {
		end = min(end, h.backingOff)
	}
	end = min(end, f.Size)
	if h.headerLength > end {
		return nil
	}
	b, err := extent.Bytes(f, h.headerLength, end-h.headerLength, 1<<maxClusterBits, "header extensions")
	if err != nil {
		return err
	}
	for c := bin.Big(b); c.Left() >= 8; {
		kind, n := c.U32(), int(c.U32())
		if kind == extEnd || n < 0 || n > c.Left() {
			break
		}
		v := string(c.Bytes(n))
		c.Skip(min(-n&7, c.Left()))
		switch kind {
		case extBackingFormat:
			h.backingFormat = v
		case extDataFile:
			h.dataFile = v
		}
	}
	return nil
}

func (d *disk) describe() {
	h := d.h
	add := func(name, format string, a ...any) {
		d.facts = append(d.facts, image.Fact{Name: name, Value: fmt.Sprintf(format, a...)})
	}
	add("version", "%d", h.version)
	add("cluster size", "%d bytes", h.cluster)
	add("compression", "%s", []string{"zlib", "zstd"}[h.compression])
	if h.backing != "" {
		add("backing file", "%s", h.backing)
	}
	if h.backingFormat != "" {
		add("backing format", "%s", h.backingFormat)
	}
	if h.dataFile != "" {
		add("data file", "%s", h.dataFile)
	}
	if h.incompatible&featureExtendedL2 != 0 {
		add("extended L2", "yes")
	}
	if h.snapshots > 0 {
		add("snapshots", "%d", h.snapshots)
	}
	if h.incompatible&featureDirty != 0 {
		d.note("the dirty bit is set: the image was not closed, its refcounts (which are not needed here) may be stale")
	}
	if h.incompatible&featureCorrupt != 0 {
		d.note("the corrupt bit is set: QEMU found the image's tables damaged")
	}
	if h.autoclear&autoclearBitmaps != 0 {
		d.note("the image holds dirty bitmaps, which were not read")
	}
}
