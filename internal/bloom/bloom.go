// Package bloom asks Bloom filters in the file format of DCSO's bloom, in which CIRCL gives its hashlookup set away (hashlookup-full.bloom):
// whether something is probably in a set. It writes none, and reads no filter into memory: one has 700 MB and more, and each question
// takes a few bytes of it. Filters that are packed by gzip have to be unpacked first.
//
// The format (github.com/DCSO/bloom v0.2.4, io of 64-bit little-endian words): flags, of which the lowest byte is the version 1; how many
// entries it was made for; the rate of false answers it was made for, as a float; the number of hash functions; the number of bits; the number of
// entries; the bits, in whole words; then bytes that mean nothing to the filter.
package bloom

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

const (
	header       = 48 // bytes
	version      = 1
	maxFunctions = 256

	modulus    = 18446744073709551557 // the largest prime of 64 bits
	multiplier = 18446744073709550147
)

// Errors of files that are none, or not readable as they are.
var (
	ErrNone   = errors.New("no Bloom filter")
	ErrPacked = errors.New("packed by gzip: unpack it first, for it is read in jumps")
)

// Filter is an open filter. It may be asked by several at once.
type Filter struct {
	r         io.ReaderAt
	functions uint64
	bits      uint64
	Made, In  uint64  // entries that it was made for, and that it has
	Rate      float64 // of false answers: what it was made for, or more where it is overfull
}

// Is tells a filter by the first bytes of a file: no text begins so.
func Is(head []byte) bool {
	return len(head) >= 8 && binary.LittleEndian.Uint64(head) == version
}

// Open reads the header of a filter of size bytes.
func Open(r io.ReaderAt, size int64) (*Filter, error) {
	b := make([]byte, header)
	if n, err := r.ReadAt(b, 0); n < len(b) {
		if n >= 2 && b[0] == 0x1f && b[1] == 0x8b {
			return nil, ErrPacked
		}
		return nil, fmt.Errorf("%w: it has %d bytes: %w", ErrNone, n, err)
	}
	if b[0] == 0x1f && b[1] == 0x8b {
		return nil, ErrPacked
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	f := &Filter{r: r, Made: word(1), Rate: math.Float64frombits(word(2)), functions: word(3), bits: word(4), In: word(5)}
	switch {
	case !Is(b):
		return nil, fmt.Errorf("%w: its flags are %#x", ErrNone, word(0))
	case f.functions == 0 || f.functions > maxFunctions || f.bits == 0 || !(f.Rate > 0 && f.Rate < 1):
		return nil, fmt.Errorf("%w: %d functions over %d bits with a rate of %g", ErrNone, f.functions, f.bits, f.Rate)
	case size < header || (f.bits-1)/64 >= uint64(size-header)/8:
		return nil, fmt.Errorf("a Bloom filter of %d bits in a file of %d bytes: it is cut", f.bits, size)
	}
	full := math.Pow(1-math.Exp(-float64(f.functions)*float64(f.In)/float64(f.bits)), float64(f.functions))
	f.Rate = max(f.Rate, full)
	return f, nil
}

// Has tells whether a key is in the set, wrongly so at the filter's rate; that one is not is always right.
func (f *Filter) Has(key []byte) (bool, error) {
	h := fnv.New64()
	h.Write(key)
	at := h.Sum64() % modulus
	var b [1]byte
	for range f.functions {
		at = at * multiplier % modulus
		bit := at % f.bits
		if _, err := f.r.ReadAt(b[:], header+int64(bit/8)); err != nil { // words are little-endian: a bit lies in the byte that one thinks
			return false, fmt.Errorf("read the Bloom filter: %w", err)
		}
		if b[0]>>(bit%8)&1 == 0 {
			return false, nil
		}
	}
	return true, nil
}
