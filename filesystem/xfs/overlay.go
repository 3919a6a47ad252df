package xfs

import (
	"errors"
	"fmt"
	"io"

	"telltale/internal/limit"
)

const (
	pageSize   = 4096      // bytes
	maxOverlay = 192 << 20 // bytes; most logs are smaller
)

// overlay is a source with newer bytes laid over it, in memory. It is changed only
// before others get it.
type overlay struct {
	base  io.ReaderAt
	size  int64
	pages map[int64][]byte
	max   int
}

func newOverlay(base io.ReaderAt, size int64, most int) *overlay {
	return &overlay{base: base, size: size, pages: make(map[int64][]byte), max: most / pageSize}
}

// ReadAt reads newer bytes where there are any.
func (o *overlay) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= o.size {
		return 0, io.EOF
	}
	n, err := o.base.ReadAt(p, off)
	if int64(len(p)) > o.size-off {
		p = p[:o.size-off]
		if n >= len(p) {
			n, err = len(p), io.EOF
		}
	}
	for at := off &^ (pageSize - 1); at < off+int64(len(p)); at += pageSize {
		page, ok := o.pages[at/pageSize]
		if !ok {
			continue
		}
		from, to := max(at, off), min(at+pageSize, off+int64(len(p)))
		copy(p[from-off:to-off], page[from-at:to-at])
	}
	return n, err
}

// write lays b over the source at off.
func (o *overlay) write(off int64, b []byte) error {
	for len(b) > 0 {
		at := off / pageSize
		page := o.pages[at]
		if page == nil {
			if len(o.pages) >= o.max {
				return fmt.Errorf("the log changes more than %d MiB: %w", o.max*pageSize>>20, limit.ErrLimit)
			}
			page = make([]byte, pageSize)
			if _, err := o.base.ReadAt(page, at*pageSize); err != nil && !errors.Is(err, io.EOF) {
				clear(page) // what cannot be read is mostly written whole
			}
			o.pages[at] = page
		}
		n := copy(page[off-at*pageSize:], b)
		off, b = off+int64(n), b[n:]
	}
	return nil
}
