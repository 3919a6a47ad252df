package brief

import (
	"fmt"
	"strings"

	"telltale/story"
)

// contacted are the words for how another machine was reached.
var contacted = map[string]string{"ssh": "logged in to by ssh", "scan": "scanned", "download": "fetched from", "upload": "sent to", "mail": "sent mail to",
	"connection": "connected to", "known-host": "could be reached with what lay here"}

// Contacted tells how another machine was reached.
func Contacted(how string) string {
	if w := contacted[how]; w != "" {
		return w
	}
	return how
}

// Bars draws counts as a row of block characters, a point for none.
func Bars(counts []int) string {
	const blocks = "▁▂▃▄▅▆▇█"
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	if most == 0 || len(counts) != 24 {
		return ""
	}
	steps := []rune(blocks)
	var b strings.Builder
	for _, n := range counts {
		if n <= 0 {
			b.WriteByte('.')
			continue
		}
		b.WriteRune(steps[min(int(float64(n-1)/float64(most)*float64(len(steps))), len(steps)-1)]) // a great n is rounded up
	}
	return b.String()
}

// Exposed says in a line what could be read.
func Exposed(list []story.Exposure) string {
	s := fmt.Sprintf("%d things worth protecting could be read", len(list))
	if len(list) == 1 {
		s = "1 thing worth protecting could be read"
	}
	if n := taken(list); n > 0 {
		s += fmt.Sprintf(", %d seen to leave", n)
	}
	return s
}

// Machines says in a line which other machines were reached, or could be.
func Machines(contacts []story.Contact) string {
	var reached, could []string
	for i := range contacts {
		if c := &contacts[i]; c.How == "known-host" {
			could = append(could, c.Host)
		} else {
			reached = append(reached, Contacted(c.How)+" "+c.Host)
		}
	}
	s := list(reached, 2)
	if len(could) > 0 {
		if s != "" {
			s += "; "
		}
		s += "could reach " + list(could, 2)
	}
	return s
}

// Hangs says which way in a complaint hangs on.
func Hangs(c *story.Complaint) string {
	if c.Entry == "" {
		return "no way in that was found"
	}
	return Vector(c.Entry)
}
