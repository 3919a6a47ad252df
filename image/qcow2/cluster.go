package qcow2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"telltale/image/internal/extent"
)

const (
	offsetMask   = 0x00fffffffffffe00 // bits 9 to 55 of L1 and standard L2 entries
	bitCopied    = 1 << 63
	bitPacked    = 1 << 62
	bitZero      = 1 << 0
	packedSector = 512
)

var errBeyond = errors.New("its L1 table ends before")

// entry gives the L2 entry of a cluster (bitmap: of extended entries). none says that there is no L2 table,
// for so many clusters from here on.
func (d *disk) entry(cluster int64) (e, bitmap uint64, none int64, err error) {
	per := d.h.perTable()
	i := cluster / per
	if i >= int64(len(d.l1)/8) {
		return 0, 0, 0, errBeyond
	}
	table := int64(binary.BigEndian.Uint64(d.l1[i*8:]) & offsetMask)
	if table == 0 {
		return 0, 0, per - cluster%per, nil
	}
	if table&(d.h.cluster-1) != 0 {
		return 0, 0, 0, fmt.Errorf("its L2 table at byte %d is not aligned", table)
	}
	off := cluster % per * d.h.entrySize()
	slice := min(sliceBytes, d.h.cluster)
	b, err := d.slice(table+off&^(slice-1), slice)
	if err != nil {
		return 0, 0, 0, err
	}
	off &= slice - 1
	if int64(len(b)) < off+d.h.entrySize() {
		return 0, 0, 0, fmt.Errorf("its L2 table at byte %d goes beyond the end of the file", table)
	}
	e = binary.BigEndian.Uint64(b[off:])
	if d.h.entrySize() == 16 {
		bitmap = binary.BigEndian.Uint64(b[off+8:])
	}
	return e, bitmap, 0, nil
}

// slice gives a part of an L2 table; the end of the file may cut it.
func (d *disk) slice(at, size int64) ([]byte, error) {
	if b, ok := d.tabs.Get(at); ok {
		return b, nil
	}
	b, err := extent.Bytes(d.file, at, max(0, min(size, d.file.Size-at)), size, "L2 table")
	if err != nil {
		return nil, err
	}
	d.tabs.Put(at, b, len(b))
	return b, nil
}

// piece is the map of the disk. It joins clusters that lie in a row.
func (d *disk) piece(off, n int64) extent.Piece { return extent.Join(d.one, off, n) }

// one gives what lies at off to the end of its cluster or subcluster, or of what has no table.
func (d *disk) one(off int64) extent.Piece {
	if off >= d.Bytes {
		return extent.Piece{}
	}
	cluster, into := off/d.h.cluster, off&(d.h.cluster-1)
	left := d.h.cluster - into
	e, bitmap, none, err := d.entry(cluster)
	switch {
	case errors.Is(err, errBeyond):
		return extent.Piece{Kind: extent.Lost, Len: d.Bytes - off, Why: err.Error()}
	case err != nil:
		return extent.Piece{Kind: extent.Lost, Len: left, Why: fmt.Sprintf("cluster %d: %v", cluster, err)}
	case none > 0:
		return d.unallocated(none*d.h.cluster - into)
	case e&bitPacked != 0:
		return extent.Piece{Kind: extent.Packed, Len: left}
	case d.h.entrySize() == 16:
		return d.subcluster(e, bitmap, into)
	case d.h.version >= 3 && e&bitZero != 0:
		return extent.Piece{Kind: extent.Zero, Len: left}
	case !d.allocated(e):
		return d.unallocated(left)
	}
	return d.stored(e, into, left)
}

// allocated tells whether an entry names a place. In a data file it may be the first one, 0.
func (d *disk) allocated(e uint64) bool {
	return e&offsetMask != 0 || d.h.incompatible&featureDataFile != 0 && e&bitCopied != 0
}

func (d *disk) stored(e uint64, into, left int64) extent.Piece {
	at := int64(e & offsetMask)
	if d.noData != "" {
		return extent.Piece{Kind: extent.Lost, Len: left, Why: d.noData}
	}
	if at&(d.h.cluster-1) != 0 {
		return extent.Piece{Kind: extent.Lost, Len: left, Why: fmt.Sprintf("a cluster at byte %d is not aligned", at)}
	}
	return extent.Piece{Kind: extent.Data, Len: left, Src: d.data, Off: at + into}
}

// subcluster gives what lies in a row of subclusters of the same state.
func (d *disk) subcluster(e, bitmap uint64, into int64) extent.Piece {
	size := d.h.cluster / subclusters
	i := uint(into / size)
	alloc, zero := uint32(bitmap), uint32(bitmap>>32)
	row := func(mask uint32) int64 { // bytes from into on whose bits are set in mask
		return int64(i)*size + int64(bits.TrailingZeros32(^(mask>>i)))*size - into
	}
	switch bit := uint32(1) << i; {
	case alloc&zero&bit != 0:
		return extent.Piece{Kind: extent.Lost, Len: row(alloc & zero), Why: "a subcluster is both stored and zero"}
	case zero&bit != 0:
		return extent.Piece{Kind: extent.Zero, Len: row(zero &^ alloc)}
	case alloc&bit != 0 && d.allocated(e):
		return d.stored(e, into, row(alloc&^zero))
	case alloc&bit != 0:
		return extent.Piece{Kind: extent.Lost, Len: row(alloc &^ zero), Why: "a stored subcluster has no place"}
	}
	// Shifting brings zeros in at the top, which would count as free subclusters behind the last.
	return d.unallocated(min(row(^(alloc | zero)), d.h.cluster-into))
}

func (d *disk) unallocated(n int64) extent.Piece {
	switch {
	case d.missing != "":
		return extent.Piece{Kind: extent.Lost, Len: n, Why: d.missing}
	case d.Parent != nil:
		return extent.Piece{Kind: extent.Under, Len: n}
	}
	return extent.Piece{Kind: extent.Zero, Len: n}
}

// decode decompresses a cluster.
func (d *disk) decode(cluster int64, dst []byte) error {
	e, _, _, err := d.entry(cluster)
	if err != nil {
		return fmt.Errorf("cluster %d: %w", cluster, err)
	}
	x := 62 - (d.h.clusterBits - 8)
	at := int64(e & (1<<x - 1))
	sectors := int64(e & (bitPacked - 1) >> x)
	size := (sectors+1)*packedSector - at&(packedSector-1)
	if at > d.file.Size {
		return fmt.Errorf("cluster %d: compressed at byte %d, beyond the end of the file", cluster, at)
	}
	size = min(size, d.file.Size-at)
	buf, ok := d.pools.raw.Get().(*[]byte)
	if !ok || int64(cap(*buf)) < size {
		b := make([]byte, size)
		buf = &b
	}
	defer d.pools.raw.Put(buf)
	raw := (*buf)[:size]
	if n, err := d.file.ReadAt(raw, at); n < len(raw) {
		return fmt.Errorf("cluster %d: read at byte %d: %w", cluster, at, err)
	}
	if d.h.compression == compressionZstd {
		err = d.pools.unzstd(raw, dst)
	} else {
		err = d.pools.inflate(raw, dst)
	}
	if err != nil {
		return fmt.Errorf("cluster %d, compressed at byte %d: %w", cluster, at, err)
	}
	return nil
}

func (p *pools) inflate(raw, dst []byte) error {
	z, ok := p.flate.Get().(io.ReadCloser)
	if !ok {
		z = flate.NewReader(bytes.NewReader(raw))
	} else if err := z.(flate.Resetter).Reset(bytes.NewReader(raw), nil); err != nil {
		return err
	}
	defer p.flate.Put(z)
	_, err := io.ReadFull(z, dst)
	return err
}

// unzstd reads as a stream, because the rest of the last sector follows the frame.
func (p *pools) unzstd(raw, dst []byte) error {
	z, ok := p.zstd.Get().(*zstd.Decoder)
	if !ok {
		var err error
		z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return err
		}
	}
	defer p.zstd.Put(z)
	if err := z.Reset(bytes.NewReader(raw)); err != nil {
		return err
	}
	_, err := io.ReadFull(z, dst)
	return err
}
