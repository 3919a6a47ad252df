package story

import (
	"fmt"

	"telltale/evidence"
)

// byUnproved suspects who was taken for an account that he only named: a fault of the service, for it asks everybody for a proof.
func (b *builder) byUnproved() {
	for _, l := range b.logins() {
		if l.Service != "crushftp" || l.Method != "none" || l.Source == "" {
			continue
		}
		text := fmt.Sprintf("%s took %s for %s %s, who only named the account and proved nothing.", l.Service, l.Source, utf8(l.Account), clock(l.First))
		b.add(l.Source, b.claim(text, evidence.Accepted, l.First, Likely, l.For, l.Against), false)
	}
}
