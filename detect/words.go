package detect

import (
	"bytes"
	"strconv"
)

// HexDigit gives the value of a hexadecimal digit, -1 for anything else.
func HexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Unescape appends url to dst with its percent-encoding undone; what is no encoding stays as it is.
func Unescape(dst, url []byte) []byte {
	for i := 0; i < len(url); i++ {
		if url[i] == '%' && i+2 < len(url) {
			if h, l := HexDigit(url[i+1]), HexDigit(url[i+2]); h >= 0 && l >= 0 {
				dst = append(dst, byte(h<<4|l))
				i += 2
				continue
			}
		}
		dst = append(dst, url[i])
	}
	return dst
}

// Unhex appends the bytes that digits stand for; ok is false, and nothing is appended, where they are no hexadecimal.
func Unhex(dst, digits []byte) (out []byte, ok bool) {
	if len(digits)%2 != 0 || len(digits) == 0 {
		return dst, false
	}
	from := len(dst)
	for i := 0; i < len(digits); i += 2 {
		h, l := HexDigit(digits[i]), HexDigit(digits[i+1])
		if h < 0 || l < 0 {
			return dst[:from], false
		}
		dst = append(dst, byte(h<<4|l))
	}
	return dst, true
}

// Encoded tells whether Unescape would change anything.
func Encoded(url []byte) bool { return bytes.IndexByte(url, '%') >= 0 }

// Plural writes a number with its noun.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// Tried words attempts: "3 requests tried X, from 2 addresses".
func Tried(n int64, what string, addresses int) string {
	return Plural(n, "request", "requests") + " tried " + what + ", from " + Plural(int64(addresses), "address", "addresses")
}
