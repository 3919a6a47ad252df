package text

import "strings"

// AppendCell writes a field of CSV, quoted; one that a spreadsheet would take for a formula gets an apostrophe.
func AppendCell(b []byte, s string) []byte {
	b = append(b, '"')
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		b = append(b, '\'')
	}
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
