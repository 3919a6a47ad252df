package examine

import (
	"strings"
	"testing"

	"telltale/internal/carve"
)

// Each letter is a carved line: s stands in log 0, t in log 1, x in none, r is one that was found before; a space breaks the row.
func TestRemovedAreThoseBetweenWhatStands(t *testing.T) {
	for _, tc := range []struct{ name, lines, removed, lost string }{
		{"taken out", "ssxxss", "23", ""},
		{"twice", "sxsxxs", "134", ""},
		{"a log that was rotated away", "xxxxxx", "", ""},
		{"before what stands", "xxsss", "", ""},
		{"the end of a file that was replaced", "sssxx", "", "34"},
		{"the next lines belong to another file", "sssxx tt", "", "34"},
		{"another log follows", "ssxxtt", "", "23"},
		{"a break before what follows", "ssx xss", "", "2"},
		{"found before", "ssrxss", "23", ""},
		{"nothing", "ssss", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shovel{}
			adjacent := false
			n := 0
			for _, c := range tc.lines {
				if c == ' ' {
					adjacent = false
					continue
				}
				l := carved{off: int64(n), family: -1, form: carve.Syslog, adjacent: adjacent, again: c == 'r'}
				if i := strings.IndexRune("st", c); i >= 0 {
					l.family = int32(i)
				}
				s.lines = append(s.lines, l)
				adjacent = true
				n++
			}
			removed, lost := "", ""
			for f := range int32(2) {
				for _, run := range s.removed()[f] {
					for i := run.from; i < run.to; i++ {
						if run.closed {
							removed += string(rune('0' + i))
						} else {
							lost += string(rune('0' + i))
						}
					}
				}
			}
			if removed != tc.removed || lost != tc.lost {
				t.Errorf("removed %q, lost %q; want %q, %q", removed, lost, tc.removed, tc.lost)
			}
		})
	}
}
