// Package lines cuts a stream into lines, however long they are: unlike
// bufio.Scanner it does not stop at a long line but cuts it, says so, and goes on
// at the next one. Offsets are in bytes of the stream.
package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"telltale/internal/limit"
)

// Line is one line without its end ("\n" or "\r\n"). Text is valid until the next
// one is read.
type Line struct {
	Text []byte
	Off  int64 // where the line begins in the stream
	Len  int64 // its bytes in the stream, its end not counted
	Num  int64 // one-based
	Cut  bool  // the line is longer than limit.LineLength: Text is its beginning
	Open bool  // the last line, with no end: it may still be written, or be truncated
}

// Reader reads lines.
type Reader struct {
	r    io.Reader
	buf  []byte
	a, b int   // buf[a:b] is read and not yet given
	off  int64 // of buf[a] in the stream
	num  int64
	err  error

	endless int64 // bytes of a line after which the stream is given up
}

// NewReader gives a Reader over r.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: r, buf: make([]byte, 256<<10), endless: limit.EndlessLog}
}

// Next gives the next line; ok is false at the end. Err then tells whether the end
// was a failure.
func (r *Reader) Next() (l Line, ok bool) {
	from := r.a
	for {
		if i := bytes.IndexByte(r.buf[from:r.b], '\n'); i >= 0 {
			return r.give(from+i, 1), true
		}
		from = r.b
		if r.b-r.a > limit.LineLength {
			return r.long(), true
		}
		if r.err != nil {
			if r.a == r.b {
				return Line{}, false
			}
			l = r.give(r.b, 0)
			l.Open = true
			return l, true
		}
		from -= r.a
		r.fill()
		from += r.a
	}
}

// Ahead gives what is read and not yet given, from the beginning of the next line on. It is valid until that is asked for.
func (r *Reader) Ahead() []byte { return r.buf[r.a:r.b] }

// Skip passes over the first n bytes of what is Ahead, which are whole lines.
func (r *Reader) Skip(n int) {
	r.num += int64(bytes.Count(r.buf[r.a:r.a+n], []byte("\n")))
	r.a += n
	r.off += int64(n)
}

// Err gives the failure that ended the stream, nil for its plain end.
func (r *Reader) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

// give hands out buf[a:end] and steps over the line's end of n bytes.
func (r *Reader) give(end, n int) Line {
	cut := false
	r.num++
	t := r.buf[r.a:end]
	if len(t) > limit.LineLength {
		t, cut = t[:limit.LineLength], true
	}
	if !cut && len(t) > 0 && t[len(t)-1] == '\r' {
		t = t[:len(t)-1]
	}
	l := Line{Text: t, Off: r.off, Len: int64(end - r.a), Num: r.num, Cut: cut}
	r.off += int64(end + n - r.a)
	r.a = end + n
	return l
}

// long hands out the first limit.LineLength bytes of a line and passes over the rest.
func (r *Reader) long() Line {
	text := append([]byte(nil), r.buf[r.a:r.a+limit.LineLength]...)
	start := r.off
	r.num++
	for {
		if i := bytes.IndexByte(r.buf[r.a:r.b], '\n'); i >= 0 {
			n := r.off + int64(i) - start
			r.off += int64(i + 1)
			r.a += i + 1
			return Line{Text: text, Off: start, Len: n, Num: r.num, Cut: true}
		}
		r.off += int64(r.b - r.a)
		r.a, r.b = 0, 0
		if r.err == nil && r.off-start > r.endless {
			r.err = fmt.Errorf("%d bytes without the end of a line: %w", r.off-start, limit.ErrLimit)
		}
		if r.err != nil {
			return Line{Text: text, Off: start, Len: r.off - start, Num: r.num, Cut: true, Open: true}
		}
		r.fill()
	}
}

// fill moves what is left to the front and reads more.
func (r *Reader) fill() {
	if r.a > 0 {
		copy(r.buf, r.buf[r.a:r.b])
		r.b -= r.a
		r.a = 0
	}
	if r.b == len(r.buf) {
		grown := make([]byte, 2*len(r.buf))
		copy(grown, r.buf[:r.b])
		r.buf = grown
	}
	for tries := 0; tries < 100; tries++ {
		n, err := r.r.Read(r.buf[r.b:])
		r.b += n
		if err != nil {
			r.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	r.err = io.ErrNoProgress
}
