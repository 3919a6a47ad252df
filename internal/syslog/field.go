package syslog

import "bytes"

// Address gives an address as logs write it in one form: the IPv4 part of "::ffff:1.2.3.4", nothing
// for "UNKNOWN" and "-", brackets taken off.
func Address(b []byte) []byte {
	b = bytes.Trim(b, "[]()<>\"',;")
	if len(b) > 7 && (b[0] == ':') && bytes.EqualFold(b[:7], []byte("::ffff:")) && bytes.IndexByte(b, '.') > 0 {
		b = b[7:]
	}
	if len(b) == 0 || b[0] == '-' || string(b) == "UNKNOWN" || string(b) == "unknown" {
		return nil
	}
	return b
}

// IsAddress tells whether b is an IP address and not a host's name.
func IsAddress(b []byte) bool {
	dots, colons := 0, 0
	for _, c := range b {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c >= '0' && c <= '9':
		case colons > 0 && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '%'):
		case colons == 0 && dots == 0 && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'):
		default:
			return false
		}
	}
	return dots == 3 && colons == 0 || colons >= 2
}

// Value gives the value of name= in a list like "a=1 b=2 user=x"; it ends at a blank. The last one wins, for what a
// client can choose stands before what the server adds.
func Value(b []byte, name string) []byte {
	for end := len(b); ; {
		i := bytes.LastIndex(b[:end], []byte(name))
		if i < 0 {
			return nil
		}
		if i == 0 || b[i-1] == ' ' || b[i-1] == ';' || b[i-1] == ',' || b[i-1] == '(' {
			v := b[i+len(name):]
			if j := bytes.IndexAny(v, " ,;"); j >= 0 {
				v = v[:j]
			}
			return v
		}
		end = i
	}
}

// Between gives what stands behind a and before the next b.
func Between(s []byte, a, b string) ([]byte, bool) {
	i := bytes.Index(s, []byte(a))
	if i < 0 {
		return nil, false
	}
	s = s[i+len(a):]
	j := bytes.Index(s, []byte(b))
	if j < 0 {
		return nil, false
	}
	return s[:j], true
}
