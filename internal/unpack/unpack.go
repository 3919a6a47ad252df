// Package unpack takes the compression off a stream: gzip, zstandard, xz, bzip2 and
// lz4, told by their magic numbers. What a stream may become is limited in size and
// in ratio, and a stream that ends early gives all that can be read before it
// gives the error.
package unpack

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"

	"telltale/internal/limit"
)

// Kind tells the compression by a file's first bytes: "gzip", "zstd", "xz", "bzip2", "lz4", or "" for none.
func Kind(head []byte) string {
	for _, m := range []struct{ magic, kind string }{
		{"\x1f\x8b\x08", "gzip"},     // RFC 1952
		{"\x28\xb5\x2f\xfd", "zstd"}, // RFC 8878
		{"\xfd7zXZ\x00", "xz"},       // xz file format 1.1.0
		{"\x04\x22\x4d\x18", "lz4"},  // LZ4 frame format 1.6
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	if len(head) >= 10 && string(head[:3]) == "BZh" && head[3] >= '1' && head[3] <= '9' && string(head[4:10]) == "1AY&SY" {
		return "bzip2"
	}
	return ""
}

// HeaderTime gives the time that a gzip header carries (RFC 1952, MTIME); the zero time where it has none.
func HeaderTime(head []byte) time.Time {
	if len(head) < 8 || Kind(head) != "gzip" {
		return time.Time{}
	}
	sec := int64(head[4]) | int64(head[5])<<8 | int64(head[6])<<16 | int64(head[7])<<24
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

// Reader gives the content of r, decompressed if it is compressed, and the kind of the
// compression. The caller closes it.
func Reader(r io.Reader) (io.ReadCloser, string, error) {
	in := &counter{r: r}
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(16)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	kind := Kind(head)
	var d io.Reader
	closer := func() {}
	switch kind {
	case "gzip":
		d, err = gzip.NewReader(b)
	case "zstd":
		var z *zstd.Decoder
		// The window of --long=27 is 128 MiB; a larger one is refused.
		z, err = zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
		if err == nil {
			d, closer = z, z.Close
		}
	case "xz":
		d, err = xz.NewReader(b, 128<<20)
	case "bzip2":
		d = bzip2.NewReader(b)
	case "lz4":
		d = lz4.NewReader(b)
	default:
		return &stream{r: b, close: closer}, "", nil
	}
	if err != nil {
		return nil, kind, fmt.Errorf("%s header: %w", kind, err)
	}
	return &stream{r: d, close: closer, kind: kind, in: in, max: limit.Expansion}, kind, nil
}

type stream struct {
	r     io.Reader
	in    *counter
	close func()
	kind  string
	n     int64
	max   int64 // 0: not limited, the stream is not compressed
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if s.max > 0 && s.n > s.max {
		return n, fmt.Errorf("%s expands beyond %d bytes: %w", s.kind, s.max, limit.ErrLimit)
	}
	if s.max > 0 && s.n > bombSize && s.n/(s.in.n+1) > limit.Ratio {
		return n, fmt.Errorf("%s expands more than %d times: %w", s.kind, limit.Ratio, limit.ErrLimit)
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s at byte %d of its content: %w", s.kind, s.n, err)
	}
	return n, err
}

func (s *stream) Close() error { s.close(); return nil }

// bombSize is how large a content may become before its ratio is looked at: sparse disk images
// compress a thousandfold and are no bombs.
const bombSize = 1 << 30

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
