// Package chain computes a SHA-256 that also tells where a copy was changed, and can be gone on with. At every 16 MiB
// it keeps the intermediate hash value, the eight words H(i) of FIPS 180-4, 6.2.2, which the algorithm has at that
// place anyway: so it costs nothing, where digests of pieces would mean to hash everything twice. Each piece can be
// checked alone: begun with the value before it, it must lead to the value behind it. If all do, the whole has the
// digest. Offsets are in bytes.
package chain

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// Piece is the distance of the links, in bytes: a multiple of SHA-256's blocks of 64.
const Piece = 16 << 20

// Link is the intermediate hash value at a multiple of Piece.
type Link [sha256.Size]byte

// MarshalText gives the link in hexadecimal.
func (l Link) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(l[:])), nil }

// UnmarshalText takes 64 hexadecimal digits.
func (l *Link) UnmarshalText(b []byte) error {
	if len(b) != 2*len(l) {
		return fmt.Errorf("link of %d digits, not %d", len(b), 2*len(l))
	}
	_, err := hex.Decode(l[:], b)
	return err
}

// Hash is the SHA-256 of what is written to it. Its methods may be called from several goroutines, but for Write.
type Hash struct {
	h  hash.Hash
	at int64

	mu    sync.Mutex
	links []Link
}

// New begins at the start.
func New() *Hash { return &Hash{h: sha256.New()} }

// Resume goes on behind the last of the links.
func Resume(links []Link) (*Hash, error) {
	h, err := from(links, len(links))
	if err != nil {
		return nil, err
	}
	return &Hash{h: h, at: int64(len(links)) * Piece, links: append([]Link(nil), links...)}, nil
}

// Write takes the next bytes; it never fails.
func (c *Hash) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		m := int(min(int64(len(p)), Piece-c.at%Piece))
		c.h.Write(p[:m])
		p = p[m:]
		if c.at += int64(m); c.at%Piece == 0 {
			l := stateOf(c.h)
			c.mu.Lock()
			c.links = append(c.links, l)
			c.mu.Unlock()
		}
	}
	return n, nil
}

// Links gives the links up to now.
func (c *Hash) Links() []Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.links[:len(c.links):len(c.links)]
}

// Sum gives the SHA-256 of all that was written.
func (c *Hash) Sum() [sha256.Size]byte { return [sha256.Size]byte(c.h.Sum(nil)) }

// The form in which crypto/sha256 gives its state: the magic, H, a block that is not full, the length.
const (
	magic     = "sha\x03"
	stateSize = len(magic) + sha256.Size + sha256.BlockSize + 8
)

// stateOf gives H; the hash stands at the end of a block.
func stateOf(h hash.Hash) Link {
	b, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil || len(b) != stateSize {
		return Link{} // crypto/sha256 promises it; a test holds it to that
	}
	return Link(b[len(magic):])
}

// from gives a hash that stands behind n pieces.
func from(links []Link, n int) (hash.Hash, error) {
	h := sha256.New()
	if n == 0 {
		return h, nil
	}
	b := append(append([]byte(magic), links[n-1][:]...), make([]byte, sha256.BlockSize)...)
	b = binary.BigEndian.AppendUint64(b, uint64(n)*Piece)
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("go on with a SHA-256: %w", err)
	}
	return h, nil
}

// Bad is a piece of a copy that is not what was copied.
type Bad struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Error  string `json:"error"` // why it could not be read; empty: it was read, and is another
}

// ErrLinks says that a record's links do not belong to its size.
var ErrLinks = errors.New("the record's links do not fit its size")

// Check reads size bytes again, on all processors, and gives the pieces that do not match. If there are none, the whole
// has the digest sum. progress may be nil; it is called by one goroutine at a time.
func Check(ctx context.Context, r io.ReaderAt, size int64, links []Link, sum [sha256.Size]byte, progress func(done int64)) ([]Bad, error) {
	if size < 0 || size/Piece != int64(len(links)) {
		return nil, fmt.Errorf("%d links for %d bytes: %w", len(links), size, ErrLinks)
	}
	pieces := len(links) + 1 // the last may be empty, and still proves the digest
	found := make([]*Bad, pieces)
	var next atomic.Int64
	var mu sync.Mutex
	done := int64(0)
	var wg sync.WaitGroup
	for range min(pieces, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			buf := make([]byte, 1<<20)
			for i := int(next.Add(1)) - 1; i < pieces && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				found[i] = piece(r, size, links, sum, i, buf)
				mu.Lock()
				if done += min(Piece, size-int64(i)*Piece); progress != nil {
					progress(done)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var bad []Bad
	for _, b := range found {
		if b != nil {
			bad = append(bad, *b)
		}
	}
	return bad, nil
}

// piece checks piece i.
func piece(r io.ReaderAt, size int64, links []Link, sum [sha256.Size]byte, i int, buf []byte) *Bad {
	off := int64(i) * Piece
	b := &Bad{Offset: off, Length: min(Piece, size-off)}
	h, err := from(links, i)
	if err == nil {
		_, err = io.CopyBuffer(h, struct{ io.Reader }{io.NewSectionReader(r, off, b.Length)}, buf)
	}
	if err != nil {
		b.Error = err.Error()
		return b
	}
	same := i < len(links) && stateOf(h) == links[i]
	if i == len(links) {
		same = [sha256.Size]byte(h.Sum(nil)) == sum
	}
	if same {
		return nil
	}
	return b
}
