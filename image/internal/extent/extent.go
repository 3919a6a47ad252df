// Package extent turns a container's map of its disk into reads: the member says what
// lies at an offset (bytes of a file, nothing, a compressed unit, the parent's bytes,
// something lost), this package copies, decodes in parallel, caches and reports damage
// the way the contract of image asks for. It knows no format. Units are bytes.
package extent

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"telltale/evidence"
)

// Kind says what a piece of the disk is.
type Kind uint8

// The kinds of pieces.
const (
	Zero   Kind = iota // never written, or written as zeros
	Data               // Len bytes of Src at Off
	Packed             // units that Decode gives
	Under              // the parent's bytes at the same offset
	Lost               // cannot be read; Why says it
)

// Piece is what lies on the disk from the asked offset on, for Len bytes.
type Piece struct {
	Kind Kind
	Len  int64
	Src  io.ReaderAt
	Off  int64
	Why  string
}

// CacheBytes is what the decoded units of one disk may take, or its tables.
const CacheBytes = 16 << 20

// CacheFor gives what each cache of an image may take that is the depth-th parent of another (0: the image that
// was asked for). Chains are long, and what they hold together is bounded.
func CacheFor(depth int) int {
	if depth == 0 {
		return CacheBytes
	}
	return CacheBytes / 16
}

// Disk reads a disk by its map. All fields are set before the first read; Map and Decode
// must be safe for concurrent use.
type Disk struct {
	Name  string // of the container's file, for damage
	Bytes int64  // size of the disk
	// Map gives the piece at off; it need not look further than n bytes. A packed piece may span
	// many units.
	Map func(off, n int64) Piece
	// Unit is the size of what Decode decodes at once: unit u is the disk's bytes from u*Unit.
	// The last one may be cut by the end of the disk. dst has the unit's whole length.
	Unit   int64
	Decode func(u int64, dst []byte) error
	Cache  int // bytes of decoded units that are held; 0: CacheBytes
	// Parent is what Under pieces are read from; zeros follow its end.
	Parent     io.ReaderAt
	ParentSize int64

	once sync.Once
	lru  *LRU[int64, []byte]
	next atomic.Int64 // the unit behind the last one decoded: whoever wants it reads in order
}

// Size gives the size of the disk in bytes.
func (d *Disk) Size() int64 { return d.Bytes }

// ReadAt follows io.ReaderAt. Where bytes are lost it gives those before them and a
// *evidence.Damage, whose Off and Len say which bytes of the disk cannot be had.
func (d *Disk) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read disk at %d: negative offset", off)
	}
	if off >= d.Bytes {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > d.Bytes-off {
		p, end = p[:d.Bytes-off], io.EOF
	}
	for n < len(p) {
		pc := d.Map(off+int64(n), int64(len(p)-n))
		if pc.Len <= 0 {
			return n, d.damage(off+int64(n), d.Bytes-off-int64(n), "the map of the disk ends here")
		}
		if pc.Kind == Lost {
			return n, d.damage(off+int64(n), pc.Len, pc.Why)
		}
		m := int(min(pc.Len, int64(len(p)-n)))
		got, err := d.piece(p[n:n+m], off+int64(n), pc)
		n += got
		if err != nil {
			return n, err
		}
	}
	return n, end
}

func (d *Disk) piece(p []byte, off int64, pc Piece) (int, error) {
	switch pc.Kind {
	case Data:
		n, err := io.ReadFull(io.NewSectionReader(pc.Src, pc.Off, int64(len(p))), p)
		if err != nil {
			return n, d.damage(off+int64(n), pc.Len-int64(n), fmt.Sprintf("read %q at %d: %v", d.Name, pc.Off+int64(n), short(err)))
		}
		return n, nil
	case Packed:
		return d.packed(p, off)
	case Under:
		return d.under(p, off, pc.Len)
	}
	clear(p)
	return len(p), nil
}

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends before it")
	}
	return err
}

// under reads the parent's bytes. Its damage ends where this disk has bytes of its own again.
func (d *Disk) under(p []byte, off, all int64) (int, error) {
	m := int(max(0, min(int64(len(p)), d.ParentSize-off)))
	clear(p[m:])
	if m == 0 {
		return len(p), nil
	}
	n, err := d.Parent.ReadAt(p[:m], off)
	if n == m {
		return len(p), nil
	}
	var lost *evidence.Damage
	if errors.As(err, &lost) {
		own := *lost
		own.Ref.Len = min(own.Ref.Len, all-int64(n), d.Bytes-off-int64(n))
		return n, &own
	}
	return n, d.damage(off+int64(n), int64(m-n), fmt.Sprintf("read the parent: %v", err))
}

// Join gives the piece at off, made longer by those behind it that go on in the same way, n bytes at
// most; one gives single pieces, whose data all come from one source.
func Join(one func(off int64) Piece, off, n int64) Piece {
	p := one(off)
	for p.Len > 0 && p.Len < n {
		q := one(off + p.Len)
		if q.Kind != p.Kind || q.Why != p.Why || p.Kind == Data && q.Off != p.Off+p.Len || q.Len <= 0 {
			break
		}
		p.Len += q.Len
	}
	return p
}

func (d *Disk) damage(off, n int64, why string) error {
	return &evidence.Damage{Ref: evidence.Ref{Path: d.Name, Off: off, Len: min(n, d.Bytes-off)}, Reason: why}
}

// unitLen is the length of a unit, which the end of the disk may cut.
func (d *Disk) unitLen(u int64) int64 { return min(d.Unit, d.Bytes-u*d.Unit) }

// packed reads a run of units: whole ones are decoded where they are wanted, pieces go
// through the cache.
func (d *Disk) packed(p []byte, off int64) (int, error) {
	first, last := off/d.Unit, (off+int64(len(p))-1)/d.Unit
	errs := make([]error, last-first+1)
	do := func(i int) {
		u := first + int64(i)
		start := u * d.Unit
		from, to := max(off, start), min(off+int64(len(p)), start+d.unitLen(u))
		dst := p[from-off : to-off]
		if int64(len(dst)) == d.unitLen(u) && len(errs) > 1 {
			errs[i] = d.Decode(u, dst)
			return
		}
		b, err := d.cached(u, len(errs) == 1)
		if err == nil {
			copy(dst, b[from-start:])
		}
		errs[i] = err
	}
	parallel(len(errs), do)
	if len(errs) > 1 {
		d.next.Store(last + 1)
	}
	for i, err := range errs {
		if err != nil {
			u := first + int64(i)
			at := max(off, u*d.Unit)
			return int(at - off), d.damage(at, u*d.Unit+d.unitLen(u)-at, err.Error())
		}
	}
	return len(p), nil
}

// parallel calls f for 0 to n-1 on as many goroutines as there are processors.
func parallel(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers == 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// aheadBytes is how much is decoded beyond a small read of a row of them.
const aheadBytes = 1 << 20

// cached gives a decoded unit, and decodes those behind it, too, where the reads come in order.
func (d *Disk) cached(u int64, ahead bool) ([]byte, error) {
	d.once.Do(func() { d.lru = NewLRU[int64, []byte](cmp.Or(d.Cache, CacheBytes)) })
	if b, ok := d.lru.Get(u); ok {
		return b, nil
	}
	n := int64(1)
	if ahead && d.next.Swap(u+1) == u {
		n = d.run(u, max(1, aheadBytes/d.Unit))
		d.next.Store(u + n)
	}
	blocks, errs := make([][]byte, n), make([]error, n)
	parallel(int(n), func(i int) {
		blocks[i] = make([]byte, d.unitLen(u+int64(i)))
		if errs[i] = d.Decode(u+int64(i), blocks[i]); errs[i] == nil {
			d.lru.Put(u+int64(i), blocks[i], len(blocks[i]))
		}
	})
	return blocks[0], errs[0]
}

// run counts how many units from u on are packed, n at most.
func (d *Disk) run(u, n int64) int64 {
	for i := int64(1); i < n; i++ {
		at := (u + i) * d.Unit
		if at >= d.Bytes || d.Map(at, d.Unit).Kind != Packed {
			return i
		}
	}
	return n
}
