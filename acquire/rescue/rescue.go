// Package rescue reads a source that has places which cannot be read: it takes what is around them, fills them with
// zeros, and keeps a list. It does not skip ahead as GNU ddrescue does: the order of reading is the order of writing.
// Offsets and lengths are in bytes.
package rescue

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// MaxRanges bounds the list: a source with more is broken beyond what a copy in one pass is for.
const MaxRanges = 1 << 20

// ErrTooMany says that the source has more than MaxRanges places that cannot be read.
var ErrTooMany = errors.New("too many places that cannot be read")

// Range is what could not be read, and holds zeros in the copy.
type Range struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Error  string `json:"error"`
}

// Reader reads a source front to back. Set its fields before the first Next.
type Reader struct {
	R       io.ReaderAt
	Size    int64
	Unit    int              // the smallest piece that is tried: a sector, a page
	Retries int              // how often a unit is tried again
	Again   io.ReaderAt      // for the tries after a failure; nil: R
	Give    func(error) bool // tells the errors that are of the place, not of the whole; nil: all are of the place
	Alive   func() error     // asked after a place was lost: whether the source is still there; nil: it is
	At      int64            // where to begin

	mu  sync.Mutex
	bad []Range
}

// Bad gives what could not be read up to now. It may be called at any time.
func (r *Reader) Bad() []Range {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Range{}, r.bad...)
}

// Lost takes over ranges that an earlier run found.
func (r *Reader) Lost(bad []Range) { r.bad = append(r.bad, bad...) }

// Next fills p from where the last call ended, and gives how much there is; 0 at the end. An error is of the whole
// source: nothing is to be read any more.
func (r *Reader) Next(p []byte) (int, error) {
	p = p[:min(int64(len(p)), r.Size-r.At)]
	if err := r.Fill(p, r.At); err != nil {
		return 0, err
	}
	r.At += int64(len(p))
	return len(p), nil
}

// Fill fills p from a place of the source, with zeros where it cannot be read.
func (r *Reader) Fill(p []byte, off int64) error {
	n, err := r.R.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	before := r.count()
	if err := r.rest(p, off, n, err, r.halves); err != nil {
		return err
	}
	if r.Alive != nil && r.count() != before {
		if err := r.Alive(); err != nil {
			return fmt.Errorf("read at %d: %w", off, err)
		}
	}
	return nil
}

func (r *Reader) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bad)
}

// rest does what is to be done behind the n bytes that a read gave.
func (r *Reader) rest(p []byte, off int64, n int, err error, then func(p []byte, off int64) error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return r.lose(p[n:], off+int64(n), "the source ends before its size")
	}
	if r.Give != nil && !r.Give(err) {
		return fmt.Errorf("read at %d: %w", off+int64(n), err)
	}
	n -= n % r.Unit
	return then(p[n:], off+int64(n))
}

// halves reads what a larger read could not give.
func (r *Reader) halves(p []byte, off int64) error {
	if len(p) <= r.Unit {
		return r.unit(p, off)
	}
	half := (len(p)/2 + r.Unit - 1) / r.Unit * r.Unit
	for _, part := range [][]byte{p[:half], p[half:]} {
		if len(part) <= r.Unit {
			if err := r.unit(part, off); err != nil {
				return err
			}
		} else if n, err := r.again().ReadAt(part, off); n < len(part) {
			if err := r.rest(part, off, n, err, r.halves); err != nil {
				return err
			}
		}
		off += int64(len(part))
	}
	return nil
}

// unit tries one unit until it is lost.
func (r *Reader) unit(p []byte, off int64) error {
	if len(p) == 0 {
		return nil
	}
	var last error
	for range r.Retries + 1 {
		n, err := r.again().ReadAt(p, off)
		if n == len(p) {
			return nil
		}
		last = err
	}
	return r.rest(p, off, 0, last, func(p []byte, off int64) error { return r.lose(p, off, reason(last)) })
}

func (r *Reader) again() io.ReaderAt {
	if r.Again != nil {
		return r.Again
	}
	return r.R
}

func (r *Reader) lose(p []byte, off int64, why string) error {
	clear(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.bad); n > 0 && r.bad[n-1].Offset+r.bad[n-1].Length == off && r.bad[n-1].Error == why {
		r.bad[n-1].Length += int64(len(p))
		return nil
	}
	if len(r.bad) >= MaxRanges {
		return fmt.Errorf("read at %d: %w: %d", off, ErrTooMany, len(r.bad))
	}
	r.bad = append(r.bad, Range{off, int64(len(p)), why})
	return nil
}

// reason gives an error's last words: which call and file it was is the same for all.
func reason(err error) string {
	for u := errors.Unwrap(err); u != nil; u = errors.Unwrap(err) {
		err = u
	}
	return err.Error()
}
