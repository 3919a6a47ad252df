package raid

import "crypto/subtle"

// Arithmetic in the field of level 6, GF(2^8) with the polynomial 0x11d and the generator 2 (H. P. Anvin,
// The mathematics of RAID-6).

func mul(a, b byte) (r byte) {
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			r ^= a
		}
		high := a & 0x80
		a <<= 1
		if high != 0 {
			a ^= 0x1d
		}
	}
	return r
}

// exp gives 2^n.
func exp(n int) byte {
	r := byte(1)
	for range n % 255 {
		r = mul(r, 2)
	}
	return r
}

// inverse gives a^254, the inverse of a.
func inverse(a byte) byte {
	r := byte(1)
	for range 254 {
		r = mul(r, a)
	}
	return r
}

func xor(p, q []byte) { subtle.XORBytes(p, p, q) }

// addScaled adds q times by to p.
func addScaled(p, q []byte, by byte) {
	var table [256]byte
	for i := range table {
		table[i] = mul(byte(i), by)
	}
	for i, x := range q {
		p[i] ^= table[x]
	}
}
