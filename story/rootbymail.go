package story

import (
	"fmt"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// rootByMail finds that somebody who was inside made the mail server, which delivers as root, run a command that leads back to him: local faults of mail servers are a
// usual second step, and the attempt names where the shell is to go.
func (b *builder) rootByMail(s *suspect) {
	if s.source == "" || b.root {
		return
	}
	for _, f := range b.by[detect.Exploit] {
		if f.Service != "exim" && f.Service != "smtpd" {
			continue
		}
		for _, t := range f.Tries {
			if t.Source != "" && t.Source != s.source || t.At.Before(s.first()) || strings.Contains(t.Quote.Text, " rejected ") || !namesAddress(unescapedMail(t.Quote.Text), s.source) {
				continue
			}
			id := b.claim(fmt.Sprintf("The mail server %s was handed %s %s, and the command in it leads to %s, who was inside.", f.Service, f.Mechanism, clock(t.At), s.source), evidence.Accepted, t.At, Likely, []evidence.Quote{t.Quote}, nil)
			b.told[f] = id
			b.action("made the mail server run a command: "+f.Mechanism, first(f.Attack), t.At, "root", "", id)
			b.becameRoot(id)
			return
		}
	}
}

// unescapedMail undoes how Exim writes blanks and signs in such a command.
func unescapedMail(text string) string {
	return strings.NewReplacer(`\x20`, " ", `\x09`, " ", `\t`, " ", `\x2f`, "/", `\x2F`, "/", `\x22`, `"`, `\x3a`, ":", `\x3A`, ":").Replace(text)
}
