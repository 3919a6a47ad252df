package btrfs

import (
	"fmt"

	"telltale/internal/galois"
)

// rebuild gives bytes of a raid5 or raid6 chunk without reading their own stripe:
// mirror 1 by P, mirror 2 by P and Q, taking another stripe as lost, too. Which one
// else: the one whose device is missing; where none is, P.
func (v *volume) rebuild(p []byte, k *chunk, off int64, mirror int) (int, error) {
	s := k.locate(off, 0)
	p = p[:min(int64(len(p)), s.run)]
	n, data := int64(len(k.stripes)), int64(len(k.stripes))-k.parity()
	columns := make([][]byte, n) // data, then P, then Q; nil for what is lost
	var lost []int64
	for i := range n {
		if i == s.column {
			continue
		}
		st := k.stripes[(s.row+i)%n]
		b := make([]byte, len(p))
		if st.off > 1<<62-s.off || (place{v.deviceOf(st), st.off + s.off}).read(b) != nil {
			lost = append(lost, i)
			continue
		}
		columns[i] = b
	}
	clear(p)
	switch {
	case columns[data] != nil && mirror == 1 && (len(lost) == 0 || k.parity() == 2 && len(lost) == 1 && lost[0] == data+1):
		for i := range data + 1 {
			xor(p, columns[i])
		}
		return len(p), nil
	case k.parity() < 2 || columns[data+1] == nil || len(lost) > 1:
		return 0, fmt.Errorf("too many stripes of its row are missing: %w", errMissing)
	case len(lost) == 0 || lost[0] == data:
		byQ(p, columns, s.column, data)
	default:
		byPQ(p, columns, s.column, lost[0], data)
	}
	return len(p), nil
}

func xor(p, q []byte) {
	for i := range q {
		p[i] ^= q[i]
	}
}

// scale multiplies each byte in raid6's field.
func scale(p []byte, by byte) {
	var table [256]byte
	for i := range table {
		table[i] = galois.Mul(byte(i), by)
	}
	for i, x := range p {
		p[i] = table[x]
	}
}

// partialQ adds up Q over the data columns that are there.
func partialQ(p []byte, columns [][]byte, data int64) {
	for i := data - 1; i >= 0; i-- {
		scale(p, 2)
		xor(p, columns[i])
	}
}

func byQ(p []byte, columns [][]byte, x, data int64) {
	partialQ(p, columns, data)
	xor(p, columns[data+1])
	scale(p, galois.Inverse(galois.Exp(x)))
}

// byPQ solves for column x where y is lost as well.
func byPQ(p []byte, columns [][]byte, x, y, data int64) {
	partialQ(p, columns, data)
	xor(p, columns[data+1]) // g^x Dx + g^y Dy
	sum := make([]byte, len(p))
	for i := range data + 1 {
		xor(sum, columns[i])
	} // Dx + Dy
	scale(sum, galois.Exp(y))
	xor(p, sum) // (g^x + g^y) Dx
	scale(p, galois.Inverse(galois.Exp(x)^galois.Exp(y)))
}
