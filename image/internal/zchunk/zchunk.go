// Package zchunk decompresses zlib streams (RFC 1950) that are whole in memory and whose size is
// known, which is how containers store their chunks.
package zchunk

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// Inflater keeps decompressors between chunks: they are expensive to make. Its zero value can be used, also
// by several readers at once.
type Inflater struct{ pool sync.Pool }

// Inflate decompresses raw into dst to the end of the stream, because only there the checksum is compared.
// The stream may give more than dst takes, most bytes in all; fewer are an error.
func (x *Inflater) Inflate(raw, dst []byte, most int64) error {
	z, ok := x.pool.Get().(io.ReadCloser)
	var err error
	if ok {
		err = z.(zlib.Resetter).Reset(bytes.NewReader(raw), nil)
	} else {
		z, err = zlib.NewReader(bytes.NewReader(raw))
	}
	if err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	defer x.pool.Put(z)
	if n, err := io.ReadFull(z, dst); err != nil {
		return fmt.Errorf("decompress: %d bytes of %d: %w", n, len(dst), err)
	}
	rest := most - int64(len(dst))
	if n, err := io.Copy(io.Discard, io.LimitReader(z, rest+1)); err != nil {
		return fmt.Errorf("decompress: %w", err)
	} else if n > rest {
		return fmt.Errorf("decompress: more than %d bytes", most)
	}
	return nil
}
