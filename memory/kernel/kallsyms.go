package kernel

import (
	"errors"
	"fmt"
)

// Bounds of the table of symbols.
const (
	tokenCount   = 256
	maxTokens    = 8 << 10 // bytes of the table of tokens
	markerEvery  = 256     // names between two markers
	minStep      = 0x200   // bytes of so many names
	maxStep      = 0x10000
	minMarkers   = 32 // a kernel has some ten thousand names
	maxMarkers   = 1 << 14
	maxSymbols   = maxMarkers * markerEvery
	maxBefore    = 24 << 20 // bytes before the tokens in which the table lies
	maxBehind    = 16 << 20
	lowestKernel = 0xffff_8000_0000_0000 // no symbol of a kernel's image lies lower
)

var errSymbols = errors.New("no table of symbols is formed here")

// table is a kernel's own table of symbols (kallsyms; scripts/kallsyms.c) as it was found: by its form alone, for where it lies is not known, and
// the order of its parts changed with versions.
type table struct {
	b      []byte // from before the table to behind it
	base   uint64 // physical address of b
	tokens [tokenCount]string
	names  int // where parts begin in b
	marks  []uint32
	count  int
	addrs  []uint64
	layout string
	places bool // addrs are physical
}

// carve finds the table around the ten digits that its tokens hold, which stand at digits in b.
func carve(b []byte, base uint64, digits int) (*table, error) {
	t := &table{b: b, base: base}
	begin, index, err := t.findTokens(digits)
	if err != nil {
		return nil, err
	}
	marks, err := t.findMarkers(begin)
	if err != nil {
		return nil, err
	}
	if err := t.findNames(marks); err != nil {
		return nil, err
	}
	return t, t.findAddresses(index + 2*tokenCount)
}

// tokens tells whether what stands around the digits is a table of tokens.
func tokens(b []byte, digits int) bool {
	t := &table{b: b}
	_, _, err := t.findTokens(digits)
	return err == nil
}

func (t *table) u16(at int) int    { return int(le.Uint16(t.b[at:])) }
func (t *table) u32(at int) uint32 { return le.Uint32(t.b[at:]) }
func align(n, to int) int          { return (n + to - 1) &^ (to - 1) }

// findTokens reads the tokens from the digits on, finds the index of them behind, and by it where they begin.
func (t *table) findTokens(digits int) (begin, index int, err error) {
	at, starts := digits, [tokenCount]int{}
	for i := '0'; i < tokenCount; i++ {
		starts[i] = at
		for at < len(t.b) && t.b[at] != 0 {
			at++
		}
		if at++; at >= len(t.b) || at-digits > maxTokens {
			return 0, 0, errSymbols
		}
	}
	for index = align(at, 4); index <= at+16; index += 4 {
		if index+2*tokenCount > len(t.b) {
			break
		}
		begin = digits - t.u16(index+2*'0')
		fits := begin >= 0 && t.u16(index) == 0
		for i := '0'; i < tokenCount && fits; i++ {
			fits = t.u16(index+2*int(i)) == starts[i]-begin
		}
		if fits {
			return begin, index, t.readTokens(begin)
		}
	}
	return 0, 0, errSymbols
}

func (t *table) readTokens(at int) error {
	for i := range t.tokens {
		from := at
		for at < len(t.b) && t.b[at] != 0 {
			at++
		}
		if at >= len(t.b) || at-from > 64 {
			return errSymbols
		}
		t.tokens[i] = string(t.b[from:at])
		at++
	}
	return nil
}

// findMarkers looks back from the tokens for the markers: a zero, then numbers that grow by what 256 names take.
func (t *table) findMarkers(tokens int) (int, error) {
	for at := tokens&^3 - 4*minMarkers; at >= max(0, tokens-8<<20); at -= 4 {
		if t.u32(at) != 0 {
			continue
		}
		n := 1
		for last := uint32(0); n < maxMarkers && at+4*n+4 <= tokens; n++ {
			v := t.u32(at + 4*n)
			if v <= last || v-last < minStep || v-last > maxStep {
				break
			}
			last = v
		}
		if n >= minMarkers {
			for i := range n {
				t.marks = append(t.marks, t.u32(at+4*i))
			}
			return at, nil
		}
	}
	return 0, fmt.Errorf("markers: %w", errSymbols)
}

// next gives where the name behind the one at a place begins, 0 for nowhere. A first byte of 128 and more goes on in the next (since 6.1).
func (t *table) next(at int) int {
	n, begin := t.length(at)
	if n == 0 || begin+n > len(t.b) {
		return 0
	}
	return begin + n
}

func (t *table) length(at int) (n, begin int) {
	if at+2 > len(t.b) {
		return 0, 0
	}
	if n = int(t.b[at]); n >= 0x80 {
		return n&0x7f | int(t.b[at+1])<<7, at + 2
	}
	return n, at + 1
}

// findNames finds where the names begin: so that each marker is the beginning of a name.
func (t *table) findNames(marks int) error {
	last := len(t.marks) - 1
	for at := (marks - int(t.marks[last])) &^ 3; at >= 8 && at > marks-int(t.marks[last])-maxStep; at -= 4 {
		p, ok := at, true
		for m := 1; m <= min(4, last) && ok; m++ {
			for i := 0; i < markerEvery && p != 0; i++ {
				p = t.next(p)
			}
			ok = p != 0 && p-at == int(t.marks[m])
		}
		if !ok {
			continue
		}
		for _, back := range []int{4, 8} { // the count of names stands before them, aligned
			n := int(t.u32(at - back))
			if n > last*markerEvery && n <= (last+1)*markerEvery {
				t.names, t.count = at, n
				return nil
			}
		}
	}
	return fmt.Errorf("names: %w", errSymbols)
}

// findAddresses tries where versions of the kernel keep the addresses, and takes the place at which they are in order.
func (t *table) findAddresses(behind int) error {
	n := t.count
	before := t.names - 8
	if t.u32(t.names-4) == uint32(n) && t.u32(t.names-8) != uint32(n) {
		before = t.names - 4
	}
	best := 0.99
	lowest := uint64(lowestKernel)
	try := func(layout string, at int, addr func(i int) uint64, size int) {
		if at < 0 || n > (len(t.b)-at)/size {
			return
		}
		if s := ordered(n, lowest, addr); s > best {
			best, t.layout = s, layout
			t.addrs = t.addrs[:0]
			for i := range n {
				t.addrs = append(t.addrs, addr(i))
			}
		}
	}
	if at := before - 8*n; at >= 0 {
		try("addresses", at, func(i int) uint64 { return le.Uint64(t.b[at+8*i:]) }, 8)
	}
	if before >= 8 {
		base, at := le.Uint64(t.b[before-8:]), (before-8-4*n)&^7
		try("offsets before the names", at, t.relative(at, base), 4)
	}
	for _, at := range []int{align(behind, 4), align(behind, 8)} {
		if end := align(at+4*n, 8); end+8 <= len(t.b) {
			try("offsets behind the tokens", at, t.relative(at, le.Uint64(t.b[end:])), 4)
		}
	}
	if len(t.addrs) == 0 { // since 7.0 each offset counts from its own place
		lowest, t.places = 0, true
		for _, at := range []int{align(behind, 4), align(behind, 8)} { // the wrong one has the first or the last out of order
			try("offsets from their places", at, func(i int) uint64 { return t.base + uint64(at+4*i) + uint64(int64(int32(t.u32(at+4*i)))) }, 4)
		}
	}
	if len(t.addrs) == 0 {
		return fmt.Errorf("addresses: %w", errSymbols)
	}
	return nil
}

// relative gives addresses that stand as offsets: from a base; or, where those of each processor are absolute, negative and from one below it.
func (t *table) relative(at int, base uint64) func(int) uint64 {
	percpu := 0
	for i := 0; i < t.count && at >= 0 && at+4*i+4 <= len(t.b); i++ {
		if int32(t.u32(at+4*i)) < 0 {
			percpu++
		}
	}
	return func(i int) uint64 {
		v := int32(t.u32(at + 4*i))
		switch {
		case percpu < t.count/2:
			return base + uint64(uint32(v))
		case v >= 0:
			return uint64(v)
		}
		return base - 1 + uint64(-int64(v))
	}
}

// ordered gives which part of the addresses is in order, 0 where they are no kernel's.
func ordered(n int, lowest uint64, addr func(int) uint64) float64 {
	good, high, last := 0, 0, uint64(0)
	for i := range n {
		v := addr(i)
		if v >= lowest {
			high++
		}
		if v >= last {
			good++
		}
		last = v
	}
	if n == 0 || high < n/2 {
		return 0
	}
	return float64(good) / float64(n)
}

// each gives all symbols: their letter of kind, names and addresses. Several may bear one name.
func (t *table) each(f func(kind byte, name string, addr uint64)) {
	name := make([]byte, 0, 512)
	at := t.names
	for i := range t.count {
		n, begin := t.length(at)
		if n == 0 || begin+n > len(t.b) {
			return
		}
		name = name[:0]
		for _, c := range t.b[begin : begin+n] {
			if len(name) < 1024 {
				name = append(name, t.tokens[c]...)
			}
		}
		if len(name) > 1 {
			f(name[0], string(name[1:]), t.addrs[i])
		}
		at = begin + n
	}
}
