package kdump

import (
	"context"
	"encoding/binary"
	"io"
	"sort"

	"telltale/evidence"
	"telltale/internal/limit"
)

// The flattened form: a header of 4096 bytes, then pieces, each with its place and size in the format's own file, big-endian.
const (
	flatSignature = "makedumpfile\x00\x00\x00\x00"
	flatHeader    = 4096
	flatPiece     = 16
	maxPieces     = 4 << 20
)

// flat gives the format's own file out of pieces.
type flat struct {
	r      io.ReaderAt
	pieces []piece // by place
	damage []evidence.Damage
}

type piece struct{ at, off, size int64 }

func unflatten(ctx context.Context, r io.ReaderAt, size int64, b *limit.Budget) (*flat, error) {
	f := &flat{r: r}
	head := make([]byte, flatPiece)
	for off := int64(flatHeader); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, _ := r.ReadAt(head, off)
		at, long := int64(binary.BigEndian.Uint64(head)), int64(binary.BigEndian.Uint64(head[8:]))
		if n == flatPiece && at == -1 {
			break
		}
		off += flatPiece
		if n < flatPiece || at < 0 || at > maxFileSize || long <= 0 || len(f.pieces) == maxPieces {
			f.damage = append(f.damage, evidence.Damage{Ref: evidence.Ref{Off: off - flatPiece, Len: flatPiece}, Reason: "the flattened dump ends here, before its end mark"})
			break
		}
		if err := b.Take(24, "the list of pieces"); err != nil {
			return nil, err
		}
		f.pieces = append(f.pieces, piece{at, off, min(long, max(0, size-off))})
		if long > size-off {
			f.damage = append(f.damage, evidence.Damage{Ref: evidence.Ref{Off: size}, Reason: "the flattened dump ends early"})
			break
		}
		off += long
	}
	sort.SliceStable(f.pieces, func(i, j int) bool { return f.pieces[i].at < f.pieces[j].at })
	f.settle()
	return f, nil
}

// settle cuts pieces that a later one writes over: the last written counts, of those that begin at one place and of those that reach into the next.
func (f *flat) settle() {
	out := f.pieces[:0]
	for _, p := range f.pieces {
		for len(out) > 0 && out[len(out)-1].at == p.at && out[len(out)-1].size <= p.size {
			out = out[:len(out)-1]
		}
		if k := len(out) - 1; k >= 0 && out[k].at+out[k].size > p.at {
			out[k].size = p.at - out[k].at
		}
		out = append(out, p)
	}
	f.pieces = out
}

func (f *flat) find(at int64) int {
	return sort.Search(len(f.pieces), func(i int) bool { return f.pieces[i].at > at }) - 1
}

// where gives the place in the flattened file.
func (f *flat) where(at int64) int64 {
	if i := f.find(at); i >= 0 && at-f.pieces[i].at < f.pieces[i].size {
		return f.pieces[i].off + at - f.pieces[i].at
	}
	return -1
}

// ReadAt reads the format's own file; what no piece holds is zeros, as in a file that was never written there.
func (f *flat) ReadAt(p []byte, at int64) (int, error) {
	for done := 0; done < len(p); {
		now := at + int64(done)
		i := f.find(now)
		rest := p[done:]
		if i+1 < len(f.pieces) {
			rest = rest[:min(int64(len(rest)), f.pieces[i+1].at-now)]
		}
		n := 0
		if i >= 0 {
			x := f.pieces[i]
			if in := now - x.at; in < x.size {
				n = int(min(int64(len(rest)), x.size-in))
				if got, err := f.r.ReadAt(rest[:n], x.off+in); got < n {
					return done + got, err
				}
			}
		}
		if n == 0 {
			if i+1 >= len(f.pieces) {
				return done, io.EOF
			}
			clear(rest)
			n = len(rest)
		}
		done += n
	}
	return len(p), nil
}
