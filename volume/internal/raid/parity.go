package raid

import (
	"fmt"

	"telltale/internal/galois"
)

// Layouts of levels 4, 5 and 6, as md numbers them (raid5.h). Those from 8 on are of level 6 only: of
// DDF, then those that keep Q on the last member.
const (
	LeftAsymmetric      = 0
	RightAsymmetric     = 1
	LeftSymmetric       = 2
	RightSymmetric      = 3
	Parity0             = 4
	ParityN             = 5
	RotatingZeroRestart = 8
	RotatingNRestart    = 9
	RotatingNContinue   = 10
	LeftAsymmetric6     = 16
	RightAsymmetric6    = 17
	LeftSymmetric6      = 18
	RightSymmetric6     = 19
	Parity06            = 20
)

type parity struct {
	legs   []Leg
	n      int // legs
	data   int // of them in each row with data
	layout uint32
	chunk  int64
}

// Parity is levels 4 (layout ParityN), 5 and 6, of which legSize bytes of each leg are used.
func Parity(name string, legs []Leg, level int, chunk int64, layout uint32, legSize int64) (*Array, error) {
	if err := check(legs, chunk, legSize); err != nil {
		return nil, err
	}
	g := &parity{legs: legs, n: len(legs), data: len(legs) - 1, layout: layout, chunk: chunk}
	known := layout <= ParityN
	if level == 6 {
		g.data--
		known = known || layout >= RotatingZeroRestart && layout <= RotatingNContinue || layout >= LeftAsymmetric6 && layout <= Parity06
	}
	if !known || g.data < 1 || g.n > 255 && level == 6 {
		return nil, fmt.Errorf("layout %d of level %d on %d members: %w", layout, level, g.n, ErrGeometry)
	}
	return &Array{Size: legSize / chunk * chunk * int64(g.data), name: name, piece: g.piece}, nil
}

// row tells where the columns of a row lie: P, Q (-1 for none) and the leg of data column d.
func (g *parity) row(row int64, d int) (p, q, leg int) {
	if g.data == g.n-1 {
		return g.single(g.layout, row, d, g.n)
	}
	switch g.layout {
	case LeftAsymmetric6, RightAsymmetric6, LeftSymmetric6, RightSymmetric6, Parity06:
		p, _, leg = g.single(g.layout-LeftAsymmetric6, row, d, g.n-1)
		return p, g.n - 1, leg
	}
	return g.double(row, d)
}

// single is level 5 on n legs.
func (g *parity) single(layout uint32, row int64, d, n int) (p, q, leg int) {
	turn := int(row % int64(n))
	switch layout {
	case LeftAsymmetric, LeftSymmetric:
		p = n - 1 - turn
	case RightAsymmetric, RightSymmetric:
		p = turn
	case ParityN:
		p = n - 1
	}
	if layout == LeftSymmetric || layout == RightSymmetric {
		return p, -1, (p + 1 + d) % n
	}
	if d >= p {
		d++
	}
	return p, -1, d
}

// double is level 6 where P and Q move together.
func (g *parity) double(row int64, d int) (p, q, leg int) {
	n := g.n
	turn := int(row % int64(n))
	switch g.layout {
	case LeftAsymmetric, LeftSymmetric, RotatingNContinue:
		p = n - 1 - turn
	case RightAsymmetric, RightSymmetric, RotatingZeroRestart:
		p = turn
	case RotatingNRestart:
		p = n - 1 - int((row+1)%int64(n))
	case ParityN:
		p = n - 2
	}
	q = (p + 1) % n
	switch {
	case g.layout == RotatingNContinue:
		return p, (p + n - 1) % n, (p + 1 + d) % n
	case g.layout == LeftSymmetric || g.layout == RightSymmetric:
		return p, q, (p + 2 + d) % n
	case p == n-1:
		return p, q, d + 1
	case d >= p:
		return p, q, d + 2
	}
	return p, q, d
}

// power gives the exponent with which a leg's data goes into Q: DDF counts the legs as they stand, md
// counts the data from behind Q on.
func (g *parity) power(p, q, leg int) (k int) {
	if g.layout >= RotatingZeroRestart && g.layout <= RotatingNContinue {
		return leg
	}
	for i := (q + 1) % g.n; i != leg; i = (i + 1) % g.n {
		if i != p && i != q {
			k++
		}
	}
	return k
}

func (g *parity) piece(b []byte, off int64) (int, error) {
	number := off / g.chunk
	row, d := number/int64(g.data), int(number%int64(g.data))
	b = b[:min(int64(len(b)), g.chunk-off%g.chunk)]
	p, q, leg := g.row(row, d)
	at := row*g.chunk + off%g.chunk
	err := g.legs[leg].read(b, at)
	if err == nil {
		return len(b), nil
	}
	for n := 0; n < len(b); n += rebuildSize {
		part := b[n:min(n+rebuildSize, len(b))]
		if g.legs[leg].read(part, at+int64(n)) == nil {
			continue // only a part of the piece fails
		}
		if e := g.rebuild(part, at+int64(n), p, q, leg); e != nil {
			return n, fmt.Errorf("%w; its row cannot be rebuilt: %w", err, e)
		}
	}
	return len(b), nil
}

// rebuildSize is how much is rebuilt at once: it bounds the memory, and finds what of a piece fails.
const rebuildSize = 16 << 10 // bytes

// rebuild gives the bytes at off of a leg from the others'.
func (g *parity) rebuild(b []byte, off int64, p, q, leg int) error {
	lost, why := -1, error(nil) // a data leg or P that is missing, too
	sumP, sumQ, other := make([]byte, len(b)), make([]byte, len(b)), make([]byte, len(b))
	for i := range g.n {
		if i == leg || i == q {
			continue
		}
		if err := g.legs[i].read(other, off); err != nil {
			if lost >= 0 || q < 0 {
				return fmt.Errorf("members %d and %d: %w", max(lost, leg), i, err)
			}
			lost, why = i, err
			continue
		}
		xor(sumP, other)
		if i != p && q >= 0 {
			addScaled(sumQ, other, galois.Exp(g.power(p, q, i)))
		}
	}
	if lost < 0 {
		copy(b, sumP)
		return nil
	}
	if err := g.legs[q].read(other, off); err != nil {
		return fmt.Errorf("members %d and %d: %w; %w", lost, q, why, err)
	}
	xor(sumQ, other) // what the lost data put into Q
	x := galois.Exp(g.power(p, q, leg))
	if lost == p {
		clear(b)
		addScaled(b, sumQ, galois.Inverse(x))
		return nil
	}
	// sumP is Dx + Dy, sumQ is x Dx + y Dy: Dx = (sumQ + y sumP) / (x + y).
	y := galois.Exp(g.power(p, q, lost))
	addScaled(sumQ, sumP, y)
	clear(b)
	addScaled(b, sumQ, galois.Inverse(x^y))
	return nil
}
