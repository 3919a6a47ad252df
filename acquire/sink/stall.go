package sink

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// maxStall is how long one piece may wait for a file or a pipe: a network filesystem whose server is gone, or a pipe that nobody reads, never answers.
const maxStall = 5 * time.Minute

// pieceSize is what is written at once, bytes.
const pieceSize = 1 << 20

// stall bounds a destination whose calls cannot be interrupted. A call that is late is left behind, and ends with the program.
type stall struct {
	ctx   context.Context
	w     io.WriteCloser
	limit time.Duration
	taken atomic.Int64
	late  error
	buf   []byte // its own: the caller's is his again when Write returns, also if the call below has not
}

func newStall(ctx context.Context, w io.WriteCloser) *stall {
	return &stall{ctx: ctx, w: w, limit: maxStall}
}

func (s *stall) Taken() int64 { return s.taken.Load() }

func (s *stall) Write(p []byte) (done int, err error) {
	for len(p) > 0 && err == nil {
		n := min(len(p), pieceSize)
		s.buf = append(s.buf[:0], p[:n]...)
		err = s.within(func() error {
			n, err := s.w.Write(s.buf)
			s.taken.Add(int64(n))
			return err
		})
		if err == nil {
			done, p = done+n, p[n:]
		}
	}
	return done, err
}

func (s *stall) Close() error { return s.within(s.w.Close) }

func (s *stall) within(call func() error) error {
	if s.late != nil {
		return s.late
	}
	done := make(chan error, 1)
	go func() { done <- call() }()
	t := time.NewTimer(s.limit)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		s.late = fmt.Errorf("it took nothing for %s", s.limit)
	case <-s.ctx.Done():
		s.late = s.ctx.Err()
	}
	return s.late
}
