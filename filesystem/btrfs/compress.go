package btrfs

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/anchore/go-lzo"
	"github.com/klauspost/compress/zstd"

	"telltale/internal/bin"
)

// Kinds of compression (BTRFS_COMPRESS_*).
const (
	packedZlib = 1
	packedLZO  = 2
	packedZstd = 3
)

const zstdWindow = 1 << 20 // bytes; the kernel uses 128 KiB

// unpacked gives a compressed extent whole.
func (v *volume) unpacked(s *segment, sums sumSource) ([]byte, error) {
	if b, ok := v.pieces.Get(s.disk); ok && int64(len(b)) == s.ram {
		return b, nil
	}
	raw := make([]byte, s.diskLength)
	if _, err := v.content(raw, s.disk, sums); err != nil {
		return nil, err
	}
	b, err := v.unpack(s.packing, raw, s.ram)
	if err != nil {
		return nil, v.damage(s.disk, s.diskLength, "compressed extent at logical address %d: %v", s.disk, err)
	}
	v.pieces.Put(s.disk, b, len(b))
	return b, nil
}

// unpack gives exactly size bytes. A stream that ends before is filled up with zeros,
// as the kernel does: content ends within a sector.
func (v *volume) unpack(packing uint8, b []byte, size int64) ([]byte, error) {
	out := make([]byte, size)
	var err error
	switch packing {
	case packedZlib:
		var z io.ReadCloser
		if z, err = zlib.NewReader(bytes.NewReader(b)); err == nil {
			err = fill(z, out)
		}
	case packedLZO:
		err = unpackLZO(out, b, int(v.sb.sector))
	case packedZstd:
		err = v.unpackZstd(out, b)
	default:
		return nil, fmt.Errorf("compression %d", packing)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fill reads out full, or up to the proper end of the stream.
func fill(r io.Reader, out []byte) error {
	for len(out) > 0 {
		n, err := r.Read(out)
		if out = out[n:]; err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (v *volume) unpackZstd(out, b []byte) error {
	d, _ := v.zstds.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return err
		}
	}
	defer v.zstds.Put(d)
	if err := d.Reset(bytes.NewReader(b)); err != nil {
		return err
	}
	// What follows the frame up to the end of the sector is zeros, not a frame.
	if err := fill(d, out); err != nil && !errors.Is(err, zstd.ErrMagicMismatch) {
		return err
	}
	return nil
}

// unpackLZO takes the segments apart that lzo streams are made of: four bytes of length
// each, never across the end of a sector; each gives up to a sector.
func unpackLZO(out, b []byte, sector int) error {
	c := bin.Little(b)
	total := int(c.U32())
	if c.Err() != nil || total < 4 || total > len(b) {
		return fmt.Errorf("lzo stream of %d bytes in %d", total, len(b))
	}
	c = bin.Little(b[:total]).Skip(4)
	for len(out) > 0 && c.Left() > 0 {
		if rest := sector - c.Off()%sector; rest < 4 {
			c.Skip(min(rest, c.Left()))
			continue
		}
		p := c.Bytes(int(c.U32()))
		if err := c.Err(); err != nil {
			return fmt.Errorf("lzo segment: %w", err)
		}
		room := make([]byte, sector)
		n, err := lzo.Decompress(p, room)
		if err != nil {
			return fmt.Errorf("lzo segment: %w", err)
		}
		out = out[copy(out, room[:min(n, sector)]):]
	}
	return nil
}
