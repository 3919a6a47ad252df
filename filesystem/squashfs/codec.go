package squashfs

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/anchore/go-lzo"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"

	"telltale/filesystem"
	"telltale/internal/guard"
)

// Kinds of compression (ZLIB_COMPRESSION ...).
const (
	packedGzip = 1
	packedLZMA = 2
	packedLZO  = 3
	packedXZ   = 4
	packedLZ4  = 5
	packedZstd = 6
)

var compressions = map[uint16]string{packedGzip: "gzip", packedLZMA: "lzma", packedLZO: "lzo", packedXZ: "xz", packedLZ4: "lz4", packedZstd: "zstd"}

// dictMax is the biggest dictionary: mksquashfs makes none beyond the block size.
const dictMax = maxBlock

// unpacker unpacks blocks; its decoders are used again.
type unpacker struct {
	kind uint16
	pool sync.Pool
}

func newUnpacker(kind uint16) (*unpacker, error) {
	switch kind {
	case packedGzip, packedLZO, packedXZ, packedLZ4, packedZstd:
		return &unpacker{kind: kind}, nil
	case packedLZMA:
		return nil, fmt.Errorf("squashfs compressed by lzma: %w", filesystem.ErrNotSupported)
	}
	return nil, fmt.Errorf("squashfs compression %d: %w", kind, filesystem.ErrNotSupported)
}

// unpack fills out as far as the packed bytes go, and tells how far.
func (u *unpacker) unpack(out, packed []byte) (n int, err error) {
	err = guard.Run("unpack a squashfs block", func() (err error) {
		switch u.kind {
		case packedLZO:
			n, err = lzo.Decompress(packed, out)
		case packedLZ4:
			n, err = lz4.UncompressBlock(packed, out)
		default:
			n, err = u.stream(out, packed)
		}
		return err
	})
	if err == nil && (n < 0 || n > len(out)) {
		err = fmt.Errorf("%d bytes unpacked into %d", n, len(out))
	}
	return n, err
}

func (u *unpacker) stream(out, packed []byte) (int, error) {
	r, err := u.reader(bytes.NewReader(packed))
	if err != nil {
		return 0, err
	}
	defer u.pool.Put(r)
	n, err := io.ReadFull(r, out)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (u *unpacker) reader(r io.Reader) (io.Reader, error) {
	old := u.pool.Get()
	switch u.kind {
	case packedGzip:
		if z, ok := old.(zlib.Resetter); ok {
			return old.(io.Reader), z.Reset(r, nil)
		}
		return zlib.NewReader(r)
	case packedXZ:
		if z, ok := old.(*xz.Reader); ok {
			return z, z.Reset(r)
		}
		return xz.NewReader(r, dictMax)
	}
	if z, ok := old.(*zstd.Decoder); ok {
		return z, z.Reset(r)
	}
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
}
