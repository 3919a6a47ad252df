package story

import (
	"fmt"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// byRemoving finds whose lines somebody took out of a log by name: a command that edits a log and names an address from which somebody logged in. Nobody hides a stranger, and
// it holds where the lines stand elsewhere still: in another log, a login record, or a copy that was taken before.
func (b *builder) byRemoving() {
	for _, f := range b.by[detect.Command] {
		if f.Detection != "D58" || f.Level < detect.High {
			continue
		}
		for _, l := range b.logins() {
			if !shellService(l.Service) || !namesAddress(f.Runs, l.Source) || b.origin(l.Source) == "local" {
				continue
			}
			text := fmt.Sprintf("A command that takes the lines about %s out of a log was run as %s: %s. From there %s was let in %s.", l.Source, f.Account, f.Runs, l.Account, clock(l.First))
			id := b.claim(text, evidence.Effect, l.First, Likely, append(append([]evidence.Quote{}, f.For...), l.For...), nil)
			b.effect = ids(append(b.effect, id)...)
			b.add(l.Source, id, false)
		}
	}
}

// namesAddress tells whether a command holds an address as a whole, as text or as a pattern whose dots are escaped.
func namesAddress(command, address string) bool {
	if address == "" {
		return false
	}
	command = strings.ReplaceAll(command, `\.`, ".")
	for from := 0; ; {
		i := strings.Index(command[from:], address)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(address)
		if (i == 0 || !partOfAddress(command[i-1])) && (end == len(command) || !partOfAddress(command[end])) {
			return true
		}
		from = i + 1
	}
}

func partOfAddress(c byte) bool { return c >= '0' && c <= '9' || c == '.' || c == ':' }
