package examine

import (
	"io"

	"telltale/internal/guard"
)

// aheadFrom is how large a plain log is that is worth a goroutine, in bytes.
const aheadFrom = 1 << 20

// reading reads a trace ahead, in a goroutine of its own, so that it is fetched and unpacked while what came before is parsed.
type reading struct {
	full chan piece
	free chan []byte
	stop chan struct{}
	done chan struct{}
	now  []byte // what is left of
	buf  []byte // this piece
	err  error
}

type piece struct {
	b   []byte
	err error
}

// The pieces: how large, and how many.
const (
	pieceSize = 256 << 10
	pieces    = 4
)

func newReading(r io.Reader) *reading {
	f := &reading{full: make(chan piece, pieces), free: make(chan []byte, pieces), stop: make(chan struct{}), done: make(chan struct{})}
	for range pieces {
		f.free <- make([]byte, pieceSize)
	}
	go f.run(r)
	return f
}

func (f *reading) run(r io.Reader) {
	defer close(f.done)
	for {
		var b []byte
		select {
		case b = <-f.free:
		case <-f.stop:
			return
		}
		n := 0
		err := guard.Run("reading", func() (err error) {
			for n < cap(b) && err == nil {
				var k int
				k, err = r.Read(b[n:cap(b)])
				n += k
			}
			return err
		})
		select {
		case f.full <- piece{b[:n], err}:
		case <-f.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read gives what was unpacked.
func (f *reading) Read(p []byte) (int, error) {
	for len(f.now) == 0 {
		if f.buf != nil {
			f.free <- f.buf
			f.buf = nil
		}
		if f.err != nil {
			return 0, f.err
		}
		x := <-f.full
		f.now, f.buf, f.err = x.b, x.b, x.err
	}
	n := copy(p, f.now)
	f.now = f.now[n:]
	return n, nil
}

// Close ends the goroutine, before what it reads from is closed.
func (f *reading) Close() {
	close(f.stop)
	<-f.done
}
