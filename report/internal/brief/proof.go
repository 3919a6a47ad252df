package brief

import (
	"strings"

	"telltale/story"
)

// Proof gives the one quotation of a claim that speaks best for a way in, nil where there is none: text rather than a record or an inode told in words, and such as
// names one of the addresses that came in, where one does. Of a login it is the last, for the accepted stands behind the refused; of all else the first, for behind it
// stands what it led to.
func Proof(e *story.Entry, quotes []story.Quotation) (best *story.Quotation) {
	last := strings.HasPrefix(e.Vector, "ssh-") || e.Vector == "mail-account" || e.Vector == "insider" || e.Vector == "unknown"
	rank := 0
	for i := range quotes {
		q := &quotes[i]
		n := 1
		if !strings.HasPrefix(q.Quote, "type ") && !strings.HasPrefix(q.Quote, "inode ") {
			n = 2
			for _, s := range e.Sources {
				if names(q.Quote, s) {
					n = 3
				}
			}
		}
		if n > rank || n == rank && last {
			best, rank = q, n
		}
	}
	return best
}

// names tells whether a line names an address, not only one that it is the beginning or the end of.
func names(line, address string) bool {
	part := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c == '.'
	}
	for from := 0; address != ""; {
		i := strings.Index(line[from:], address)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(address)
		if (i == 0 || !part(line[i-1])) && (end == len(line) || !part(line[end]) || line[end] == '.' && end+1 == len(line)) {
			return true
		}
		from = i + 1
	}
	return false
}
