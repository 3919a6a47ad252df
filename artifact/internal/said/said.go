// Package said holds what the decoders of program messages share: addresses, numbers
// and words as programs print them. Nothing here allocates; results point into what
// was given.
package said

import (
	"bytes"
	"net/netip"
)

// Address gives b without brackets and without the "::ffff:" of an IPv4 address on an
// IPv6 socket, nil where b is not an address.
func Address(b []byte) []byte {
	if n := len(b); n > 2 && b[0] == '[' && b[n-1] == ']' {
		b = b[1 : n-1]
	}
	if len(b) > 7 && (string(b[:7]) == "::ffff:" || string(b[:7]) == "::FFFF:") && ipv4(b[7:]) {
		return b[7:]
	}
	if ipv4(b) {
		return b
	}
	if ipv6(b) {
		return canonical(unzoned(b))
	}
	return nil
}

// unzoned takes the zone ("%eth0") off an address that means the same without it: of all but link-local ones.
func unzoned(b []byte) []byte {
	i := bytes.IndexByte(b, '%')
	if i < 0 || len(b) > 2 && b[0]|0x20 == 'f' && (b[1]|0x20 == 'e' || b[1]|0x20 == 'f') {
		return b
	}
	return b[:i]
}

// canonical gives an IPv6 address as most programs write it (RFC 5952): detections compare addresses as text. Only what looks otherwise is parsed.
func canonical(b []byte) []byte {
	odd := len(b) > 0 && b[0] == '0' || bytes.Contains(b, []byte(":0"))
	for i := 0; i < len(b) && !odd; i++ {
		odd = b[i] >= 'A' && b[i] <= 'F'
	}
	if !odd {
		return b
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return b
	}
	var room [64]byte
	if c := a.Unmap().AppendTo(room[:0]); !bytes.Equal(c, b) {
		return bytes.Clone(c)
	}
	return b
}

// AddressPort reads "ADDRESS:PORT" and "[ADDRESS]:PORT", as dropbear and others print
// them; port is nil where there is none.
func AddressPort(b []byte) (address, port []byte) {
	i := bytes.LastIndexByte(b, ':')
	if i > 0 && len(Number(b[i+1:])) == len(b)-i-1 && len(b) > i+1 {
		if b[0] == '[' || bytes.IndexByte(b[:i], ':') < 0 || ipv4(bytes.TrimPrefix(b[:i], []byte("::ffff:"))) {
			if a := Address(b[:i]); a != nil {
				return a, b[i+1:]
			}
		}
	}
	return Address(b), nil
}

// Number gives the decimal digits that b begins with.
func Number(b []byte) []byte {
	i := 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return b[:i]
}

// LastWord cuts b before its last blank-separated word.
func LastWord(b []byte) (before, word []byte) {
	i := bytes.LastIndexByte(b, ' ')
	if i < 0 {
		return nil, b
	}
	return b[:i], b[i+1:]
}

// FirstWord cuts b behind its first word; rest has no leading blanks.
func FirstWord(b []byte) (word, rest []byte) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 {
		return b, nil
	}
	return b[:i], bytes.TrimLeft(b[i+1:], " ")
}

// CutLast is bytes.Cut around the last sep. Names that strangers choose stand before what
// the program itself adds, so that only the last separator is the program's own.
func CutLast(b []byte, sep string) (before, after []byte, found bool) {
	i := bytes.LastIndex(b, []byte(sep))
	if i < 0 {
		return b, nil, false
	}
	return b[:i], b[i+len(sep):], true
}

// Cut is bytes.Cut around a string.
func Cut(b []byte, sep string) (before, after []byte, found bool) {
	return bytes.Cut(b, []byte(sep))
}

// Rest gives what stands behind prefix, and whether b begins with it.
func Rest(b []byte, prefix string) ([]byte, bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return b, false
	}
	return b[len(prefix):], true
}

// BeginsAny tells whether b begins with one of the prefixes.
func BeginsAny(b []byte, prefixes []string) bool {
	for _, p := range prefixes {
		if _, ok := Rest(b, p); ok {
			return true
		}
	}
	return false
}

func ipv4(b []byte) bool {
	if len(b) < 7 || len(b) > 15 {
		return false
	}
	groups, n, digits := 1, 0, 0
	for _, x := range b {
		switch {
		case x >= '0' && x <= '9':
			n = n*10 + int(x-'0')
			if digits++; digits > 3 || n > 255 {
				return false
			}
		case x == '.' && digits > 0:
			groups++
			n, digits = 0, 0
		default:
			return false
		}
	}
	return groups == 4 && digits > 0
}

// ipv6 tells an IPv6 address by its letters and colons; it may carry a zone ("%eth0").
func ipv6(b []byte) bool {
	if i := bytes.IndexByte(b, '%'); i > 0 {
		b = b[:i]
	}
	if len(b) < 2 || len(b) > 45 {
		return false
	}
	colons, digits, double := 0, 0, false
	for i, x := range b {
		switch {
		case x == ':':
			if i > 0 && b[i-1] == ':' {
				if double {
					return false
				}
				double = true
			}
			colons++
			digits = 0
		case x >= '0' && x <= '9' || x >= 'a' && x <= 'f' || x >= 'A' && x <= 'F':
			if digits++; digits > 4 {
				return false
			}
		case x == '.':
			i := bytes.LastIndexByte(b, ':')
			return colons >= 2 && ipv4(b[i+1:])
		default:
			return false
		}
	}
	return colons <= 8 && (double || colons == 7)
}
