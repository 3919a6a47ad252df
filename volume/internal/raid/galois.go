package raid

import (
	"crypto/subtle"

	"telltale/internal/galois"
)

// Arithmetic in the field of level 6, GF(2^8) with the polynomial 0x11d and the generator 2 (H. P. Anvin,
// The mathematics of RAID-6).

func xor(p, q []byte) { subtle.XORBytes(p, p, q) }

// addScaled adds q times by to p.
func addScaled(p, q []byte, by byte) {
	var table [256]byte
	for i := range table {
		table[i] = galois.Mul(byte(i), by)
	}
	for i, x := range q {
		p[i] ^= table[x]
	}
}
