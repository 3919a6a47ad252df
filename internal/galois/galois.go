// Package galois is the arithmetic of RAID 6: the field GF(2^8) with the polynomial 0x11d and the generator 2, in which Q is the sum
// of 2^i times data column i. Source: H. P. Anvin, The mathematics of RAID-6.
package galois

// Mul gives a times b.
func Mul(a, b byte) (r byte) {
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

// Exp gives 2^n; the generator's order is 255.
func Exp[N int | int64](n N) byte {
	r := byte(1)
	for range int(n % 255) {
		r = Mul(r, 2)
	}
	return r
}

// Inverse gives a^254, which times a is 1.
func Inverse(a byte) byte {
	r := byte(1)
	for range 254 {
		r = Mul(r, a)
	}
	return r
}
