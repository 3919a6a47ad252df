// Package pipe reads, hashes and writes at the same time. It knows nothing of what the bytes are. Sizes are in bytes.
package pipe

import (
	"context"
	"sync"
	"sync/atomic"
)

// Block is how much is read at once. Larger ones fall out of the processor's cache between the reader and the takers.
const Block = 1 << 20

const depth = 8 // blocks that are under way

// block is a buffer that goes back to the free ones when all takers are done with it.
type block struct {
	buf  []byte
	p    []byte // what was read into it
	left atomic.Int32
}

// line is one run.
type line struct {
	ctx   context.Context
	stop  context.CancelCauseFunc
	free  chan *block
	full  chan *block
	lanes []chan *block // of the takers
	wg    sync.WaitGroup
}

// Run calls next until it gives 0 bytes or an error, and hands each block to every taker, in order, each in a goroutine of its own. It
// ends with the first error of any of them, and with the context's; the other takers still get the few blocks that are under way, so that
// none is behind one that failed. It does not wait for a next that hangs: that stays behind until its read ends,
// so next may touch nothing that others use after Run has ended with the context's error.
func Run(ctx context.Context, next func(p []byte) (int, error), takers ...func(p []byte) error) error {
	l := &line{free: make(chan *block, depth), full: make(chan *block, depth)}
	l.ctx, l.stop = context.WithCancelCause(ctx)
	defer l.stop(nil)
	for range depth {
		l.free <- &block{buf: make([]byte, Block)}
	}
	for _, take := range takers {
		lane := make(chan *block, depth)
		l.lanes = append(l.lanes, lane)
		l.wg.Go(func() { l.take(lane, take) })
	}
	go l.read(next)
	l.share()
	for _, lane := range l.lanes {
		close(lane)
	}
	l.wg.Wait()
	return context.Cause(l.ctx)
}

// read fills blocks.
func (l *line) read(next func(p []byte) (int, error)) {
	defer close(l.full)
	for l.ctx.Err() == nil {
		select {
		case <-l.ctx.Done():
		case b := <-l.free:
			n, err := next(b.buf)
			if b.p = b.buf[:n]; n > 0 {
				l.full <- b // has room for all
			}
			if err != nil {
				l.stop(err)
			}
			if n == 0 {
				return
			}
		}
	}
}

// share gives each block to every taker.
func (l *line) share() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case b, ok := <-l.full:
			if !ok {
				return
			}
			b.left.Store(int32(len(l.lanes)))
			for _, lane := range l.lanes {
				lane <- b
			}
		}
	}
}

// take hands a taker its blocks, up to its first error.
func (l *line) take(lane chan *block, take func(p []byte) error) {
	var err error
	for b := range lane {
		if err == nil {
			if err = take(b.p); err != nil {
				l.stop(err)
			}
		}
		if b.left.Add(-1) == 0 {
			l.free <- b
		}
	}
}
