package journald

import (
	"errors"
	"io"
)

// errEnd says that something lies beyond the file.
var errEnd = errors.New("lies beyond the end of the file")

const blockSize = 256 << 10 // bytes

// blocks keeps the blocks of a file that were read last: entries lie near the data they name.
type blocks struct {
	r    io.ReaderAt
	size int64
	have map[int64][]byte
	fifo []int64
	join []byte
	near [8]near // some of those in have, found without a look-up
}

type near struct {
	i int64
	p []byte
}

const maxBlocks = 128

func newBlocks(r io.ReaderAt, size int64) *blocks {
	return &blocks{r: r, size: size, have: map[int64][]byte{}}
}

// read gives n bytes at off, valid until the next call.
func (b *blocks) read(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > b.size || int64(n) > b.size-off {
		return nil, errEnd
	}
	first, at := off/blockSize, int(off%blockSize)
	p, err := b.block(first)
	if err != nil {
		return nil, err
	}
	if at+n <= len(p) {
		return p[at : at+n], nil
	}
	if cap(b.join) < n {
		b.join = make([]byte, n)
	}
	out := b.join[:0]
	for len(out) < n {
		if p, err = b.block(first); err != nil {
			return nil, err
		}
		if at >= len(p) {
			return nil, errEnd
		}
		out = append(out, p[at:min(len(p), at+n-len(out))]...)
		first, at = first+1, 0
	}
	return out, nil
}

func (b *blocks) block(i int64) ([]byte, error) {
	if k := i % int64(len(b.near)); b.near[k].p != nil && b.near[k].i == i {
		return b.near[k].p, nil
	}
	p, err := b.fetch(i)
	if err == nil {
		b.near[i%int64(len(b.near))] = near{i, p}
	}
	return p, err
}

func (b *blocks) fetch(i int64) ([]byte, error) {
	if p, ok := b.have[i]; ok {
		return p, nil
	}
	p := make([]byte, min(blockSize, b.size-i*blockSize))
	n, err := b.r.ReadAt(p, i*blockSize)
	if n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(b.fifo) >= maxBlocks {
		delete(b.have, b.fifo[0])
		b.fifo = b.fifo[1:]
	}
	b.have[i] = p
	b.fifo = append(b.fifo, i)
	return p, nil
}
