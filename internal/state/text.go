package state

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text makes a string of bytes of the machine: valid UTF-8 stays, other bytes become \xNN, and no more than max bytes of b are taken.
func Text(b []byte, max int) string {
	cut := len(b) > max
	if cut {
		b = b[:max]
	}
	var s strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			s.WriteString(`\x`)
			s.WriteString(strconv.FormatUint(uint64(b[0])|0x100, 16)[1:])
		} else {
			s.Write(b[:n])
		}
		b = b[n:]
	}
	if cut {
		s.WriteString("...")
	}
	return s.String()
}
