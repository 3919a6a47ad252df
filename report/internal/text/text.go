// Package text makes text from evidence fit to be shown.
package text

import (
	"fmt"
	"strings"
	"unicode"
)

// Escape makes text from evidence inert: control characters, escape sequences, characters that turn the
// direction of writing and bytes that are not UTF-8 are shown as \xNN or \u{N}.
func Escape(s string) string {
	plain := true
	for _, r := range s {
		if !safe(r) {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteByte(' ')
		case safe(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

// EscapeLines is Escape for text of many lines: their ends stay.
func EscapeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = Escape(l)
	}
	return strings.Join(lines, "\n")
}

func safe(r rune) bool {
	return r >= ' ' && r != 0x7f && !(r >= 0x80 && r < 0xa0) && r != unicode.ReplacementChar && !unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp)
}
