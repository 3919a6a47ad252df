package journald

import (
	"encoding/binary"
	"math/bits"
)

// hash gives the hash of a field's content: SipHash-2-4 with the file's id as its key since systemd 246, else Jenkins' lookup3
// (hashlittle2 with both seeds zero).
func (h *header) hash(b []byte) uint64 {
	if h.keyed {
		return siphash(h.key[0], h.key[1], b)
	}
	return lookup3(b)
}

// siphash is SipHash-2-4 (Aumasson and Bernstein, 2012).
func siphash(k0, k1 uint64, b []byte) uint64 {
	v0, v1, v2, v3 := k0^0x736f6d6570736575, k1^0x646f72616e646f6d, k0^0x6c7967656e657261, k1^0x7465646279746573
	last := uint64(len(b)) << 56
	for ; len(b) >= 8; b = b[8:] {
		m := binary.LittleEndian.Uint64(b)
		v3 ^= m
		v0, v1, v2, v3 = sipround(v0, v1, v2, v3)
		v0, v1, v2, v3 = sipround(v0, v1, v2, v3)
		v0 ^= m
	}
	for i, x := range b {
		last |= uint64(x) << (8 * i)
	}
	v3 ^= last
	v0, v1, v2, v3 = sipround(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipround(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	for range 4 {
		v0, v1, v2, v3 = sipround(v0, v1, v2, v3)
	}
	return v0 ^ v1 ^ v2 ^ v3
}

func sipround(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v1
	v0 += v3
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

// lookup3 is Bob Jenkins' hashlittle2 (lookup3.c, 2006, public domain), its first result in the upper half.
func lookup3(b []byte) uint64 {
	start := 0xdeadbeef + uint32(len(b))
	x, y, z := start, start, start
	for ; len(b) > 12; b = b[12:] {
		x += binary.LittleEndian.Uint32(b)
		y += binary.LittleEndian.Uint32(b[4:])
		z += binary.LittleEndian.Uint32(b[8:])
		x = x - z ^ bits.RotateLeft32(z, 4)
		z += y
		y = y - x ^ bits.RotateLeft32(x, 6)
		x += z
		z = z - y ^ bits.RotateLeft32(y, 8)
		y += x
		x = x - z ^ bits.RotateLeft32(z, 16)
		z += y
		y = y - x ^ bits.RotateLeft32(x, 19)
		x += z
		z = z - y ^ bits.RotateLeft32(y, 4)
		y += x
	}
	if len(b) == 0 {
		return uint64(z)<<32 | uint64(y)
	}
	var rest [12]byte
	copy(rest[:], b)
	x += binary.LittleEndian.Uint32(rest[:])
	y += binary.LittleEndian.Uint32(rest[4:])
	z += binary.LittleEndian.Uint32(rest[8:])
	z = (z ^ y) - bits.RotateLeft32(y, 14)
	x = (x ^ z) - bits.RotateLeft32(z, 11)
	y = (y ^ x) - bits.RotateLeft32(x, 25)
	z = (z ^ y) - bits.RotateLeft32(y, 16)
	x = (x ^ z) - bits.RotateLeft32(z, 4)
	y = (y ^ x) - bits.RotateLeft32(x, 14)
	z = (z ^ y) - bits.RotateLeft32(y, 24)
	return uint64(z)<<32 | uint64(y)
}
