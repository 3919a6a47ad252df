package ewf

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"

	"telltale/image/internal/extent"
	"telltale/image/internal/zchunk"
)

// Compression methods of EWF2.
const (
	methodNone  = 0
	methodZlib  = 1
	methodBzip2 = 2
)

// unpacker keeps what decoding needs between chunks: a decompressor is expensive to make.
type unpacker struct {
	zlib zchunk.Inflater
	raw  sync.Pool
}

// decode gives the bytes of a chunk; the last one may be stored longer than the disk has bytes.
func (d *disk) decode(c int64, dst []byte) error {
	t, e, err := d.lookup(c)
	if err != nil {
		return fmt.Errorf("chunk %d: %w", c, err)
	}
	if e.flags&(flagPacked|flagPattern) == flagPacked|flagPattern {
		fill(dst, e.off)
		return nil
	}
	if err := d.decodeStored(t, e, dst); err != nil {
		return fmt.Errorf("chunk %d, in %q at byte %d: %w", c, t.f.Name, e.off, err)
	}
	return nil
}

func fill(dst []byte, pattern uint64) {
	var p [8]byte
	binary.LittleEndian.PutUint64(p[:], pattern)
	for i := 0; i < len(dst); {
		i += copy(dst[i:], p[:])
	}
}

func (d *disk) decodeStored(t *table, e entry, dst []byte) error {
	// A size taken from the next chunk's place may be far too big; a compressed chunk is never bigger than this.
	size := int64(min(uint64(e.size), uint64(d.Unit+d.Unit/8+1024)))
	if e.flags&flagPacked == 0 {
		size = min(size, d.Unit+4)
	}
	if e.off > uint64(t.f.Size) || size > t.f.Size-int64(e.off) {
		return errors.New("it goes beyond the end of the file")
	}
	buf := d.unpack.buffer(size)
	defer d.unpack.raw.Put(buf)
	raw := (*buf)[:size]
	if n, err := t.f.ReadAt(raw, int64(e.off)); n < len(raw) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read: %w", err)
	}
	switch {
	case e.flags&flagPacked == 0:
		return plain(raw, dst, e.flags&flagChecked != 0)
	case d.compression == methodBzip2 && t.entrySize == entrySize2:
		_, err := io.ReadFull(bzip2.NewReader(bytes.NewReader(raw)), dst)
		return err
	}
	return d.unpack.zlib.Inflate(raw, dst, d.Unit)
}

func (u *unpacker) buffer(n int64) *[]byte {
	if b, ok := u.raw.Get().(*[]byte); ok && int64(cap(*b)) >= n {
		return b
	}
	b := make([]byte, n)
	return &b
}

func plain(raw, dst []byte, sum bool) error {
	data := raw
	if sum {
		if len(raw) < 4 {
			return errors.New("no room for a checksum")
		}
		data = raw[:len(raw)-4]
		// The last chunk's end is known from its length, not from what follows it.
		if len(data) > len(dst) && binary.LittleEndian.Uint32(raw[len(dst):]) == adler32.Checksum(raw[:len(dst)]) {
			copy(dst, raw)
			return nil
		}
		if got, want := adler32.Checksum(data), binary.LittleEndian.Uint32(raw[len(data):]); got != want {
			return fmt.Errorf("checksum %08x, stored is %08x", got, want)
		}
	}
	if len(data) < len(dst) {
		return fmt.Errorf("has %d bytes of %d", len(data), len(dst))
	}
	copy(dst, data)
	return nil
}

// inflateText decompresses a header, most bytes at most.
func inflateText(f section, most int64) ([]byte, error) {
	raw, err := extent.Bytes(f.f, f.off, f.size, maxHeader, f.kind)
	if err != nil {
		return nil, err
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, io.LimitReader(z, most)); err != nil && out.Len() == 0 {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return out.Bytes(), nil
}
