package webscript

import (
	"iter"
	"strings"
)

// longLine is how long a line is that holds more than one thought: whole programs are packed into one by tools that take blanks and line ends out.
const longLine = 2000 // bytes

// statements gives the statements of a long line, each by itself, and any other line as it is.
func statements(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(s) <= longLine {
			yield(s)
			return
		}
		for st := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == '{' || r == '}' }) {
			if !yield(st + ";") {
				return
			}
		}
	}
}

// runsIn tells whether, within one statement of a line, a request meets what runs it.
func runsIn(s string) bool {
	for st := range statements(s) {
		if any(st, inputs) && call(st) && !fixed(st) && !oneWord(st) {
			return true
		}
	}
	return false
}
