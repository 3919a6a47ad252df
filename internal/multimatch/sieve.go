package multimatch

import (
	"encoding/binary"
	"strings"
)

// sieve tells most texts that hold none of the words, faster than the automaton walks over them: it looks up some bytes at every few places of a text, in a
// set of those that stand at as many neighbouring places of each word, so that one of them is met. It may say that a word stands there where
// none does, never the other way.
type sieve struct {
	grams          uint32 // the bytes that are looked up at once, as a mask
	bytes          int
	step           int // from one place of a text to the next
	before, behind int // how far words reach from where they were met
	set            [1 << sieveBits / 64]uint64
}

// The sieve's size: 4 KiB, which stay near the processor; and how many bytes are looked up at most, and passed over.
const (
	sieveBits = 15
	maxGram   = 4
	maxStep   = 5
)

// newSieve makes the sieve of words; none where one has fewer than three bytes.
func newSieve(words []string) *sieve {
	shortest := maxGram + maxStep - 1
	for _, w := range words {
		if w != "" {
			shortest = min(shortest, len(w))
		}
	}
	if shortest < 3 {
		return nil
	}
	n := min(shortest-1, maxGram)
	s := &sieve{bytes: n, grams: 1<<(8*n) - 1, step: shortest - n + 1}
	for _, w := range words {
		if w == "" {
			continue
		}
		from := s.rarest(w)
		s.before, s.behind = max(s.before, from+s.step-1), max(s.behind, len(w)-from)
		for at := from; at < from+s.step; at++ {
			h := hash(gram([]byte(w[at:at+s.bytes])), s.grams)
			s.set[h/64] |= 1 << (h % 64)
		}
	}
	return s
}

// gram makes a number of up to four bytes.
func gram(b []byte) (v uint32) {
	for i, c := range b {
		v |= uint32(c) << (8 * i)
	}
	return v
}

// hash gives where bytes are looked up. Letters become small ones, and other bytes whatever that makes of them, on both sides.
func hash(v, grams uint32) uint32 {
	const small = 0x20202020
	return (v | small) & grams * 0x9E3779B1 >> (32 - sieveBits)
}

// rarest gives the place in a word from which the bytes that are looked up are least often met in logs.
func (s *sieve) rarest(w string) int {
	best, least := 0, -1
	for i := 0; i+s.bytes+s.step-1 <= len(w); i++ {
		n := 0
		for _, c := range []byte(w[i : i+s.bytes+s.step-1]) {
			n += commonness(c)
		}
		if least < 0 || n < least {
			best, least = i, n
		}
	}
	return best
}

// commonness says how often a byte is met in logs, from 0 to some 30: the letters by their place in English, with blanks and digits before them.
func commonness(c byte) int {
	const order = "zqjxkvbygwpfmucdlhrsniate0123456789 "
	return strings.IndexByte(order, fold(c)) + 1
}

// next gives the next place at or behind one, in steps, where a word may be met; len(text) where there is none.
func (s *sieve) next(text []byte, i int) int {
	step, grams := s.step, s.grams
	for ; i+maxGram <= len(text); i += step {
		if h := hash(binary.LittleEndian.Uint32(text[i:]), grams); s.set[h/64]>>(h%64)&1 != 0 {
			return i
		}
	}
	for ; i+s.bytes <= len(text); i += step {
		if h := hash(gram(text[i:i+s.bytes]), grams); s.set[h/64]>>(h%64)&1 != 0 {
			return i
		}
	}
	return len(text)
}
