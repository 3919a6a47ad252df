package story

import (
	"fmt"
	"strings"
	utf "unicode/utf8"
)

// utf8 keeps text as found where it is UTF-8, and shows other bytes as \xNN, so that
// JSON carries them without loss of meaning.
func utf8(s string) string {
	if utf.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf.DecodeRuneInString(s[i:])
		if r == utf.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// clean is utf8 for each of a list, which is never nil.
func clean(list []string) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, utf8(s))
	}
	return out
}
