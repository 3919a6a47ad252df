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

// Run calls next until it gives 0 bytes or an error, and hands each block to every taker, in order, each in a goroutine of its own. It
// ends with the first error of any of them, and with the context's; the other takers still get the few blocks that are under way, so that
// none is behind one that failed. It does not wait for a next that hangs: that stays behind until its read ends,
// so next may touch nothing that others use after Run has ended with the context's error.
func Run(ctx context.Context, next func(p []byte) (int, error), takers ...func(p []byte) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	free := make(chan *block, depth)
	for range depth {
		free <- &block{buf: make([]byte, Block)}
	}
	lanes := make([]chan *block, len(takers))
	var wg sync.WaitGroup
	for i, take := range takers {
		lanes[i] = make(chan *block, depth)
		wg.Go(func() {
			var err error
			for b := range lanes[i] {
				if err == nil {
					if err = take(b.p); err != nil {
						stop(err)
					}
				}
				if b.left.Add(-1) == 0 {
					free <- b
				}
			}
		})
	}
	full := make(chan *block, depth)
	go func() {
		defer close(full)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case b := <-free:
				n, err := next(b.buf)
				if b.p = b.buf[:n]; n > 0 {
					full <- b
				}
				if err != nil {
					stop(err)
				}
				if n == 0 {
					return
				}
			}
		}
	}()
	for more := true; more; {
		select {
		case <-ctx.Done():
			more = false
		case b, ok := <-full:
			if more = ok; !ok {
				break
			}
			b.left.Store(int32(len(takers)))
			for _, l := range lanes {
				l <- b
			}
		}
	}
	for _, l := range lanes {
		close(l)
	}
	wg.Wait()
	return context.Cause(ctx)
}
