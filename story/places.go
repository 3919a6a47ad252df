package story

import (
	"fmt"

	"telltale/detect"
)

// maxPlaces bounds the new addresses of one account that are told one by one: who is on the road has a new one each day.
const maxPlaces = 4

// maxPlacesTold bounds the explained alarms of this kind.
const maxPlacesTold = 40

// newPlaces explains the logins from new addresses, of each account that has many of them all at once.
func (b *builder) newPlaces() {
	type place struct{ account, why string }
	var order []place
	froms, seen := map[place][]string{}, map[string]bool{}
	for _, l := range b.by[detect.Login] {
		if b.suspects[l.Source] != nil || l.Access == nil || l.Source == "" || !l.Access.NewAddress || b.origin(l.Source) != "external" {
			continue
		}
		p := place{l.Account, b.newAddress(l)}
		if froms[p] == nil {
			order = append(order, p)
		}
		if k := l.Account + "\x00" + l.Source; !seen[k] {
			seen[k], froms[p] = true, append(froms[p], l.Source)
		}
	}
	for _, p := range order {
		from := froms[p]
		if len(from) > maxPlaces {
			b.explain(fmt.Sprintf("%s logged in from %d addresses, where the account had not come from before: %s", utf8(p.account), len(from), list(from)), p.why)
			continue
		}
		for _, ip := range from {
			if len(b.s.Innocent) < maxPlacesTold {
				b.explain(fmt.Sprintf("%s logged in from %s, where the account had not come from before", utf8(p.account), ip), p.why)
			}
		}
	}
}
