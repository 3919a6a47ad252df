package story

import (
	"fmt"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// strangeNetworks is from how many networks, none of them seen before, an account that its owner has used before is not used within a day by him, nor by a service
// that he gave it to: phones change between a few, and services send from a few.
const strangeNetworks = 20

// fromStrangeNetworks suspects all who handed in mail with one account's password from very many new networks within a day, however slowly, and though the owner's own mails
// are among them.
func (b *builder) fromStrangeNetworks(run *detect.Finding) bool {
	var came []*detect.Finding
	var used evidence.Time
	for _, l := range b.logins() {
		if l.Account != run.Account || shellService(l.Service) || l.Access == nil {
			continue
		}
		used = evidence.Min(used, l.First)
		if l.Access.NewAddress && contains(run.Sources, l.Source) && b.origin(l.Source) == "external" {
			came = append(came, l)
		}
	}
	sortBy(came, func(x, y *detect.Finding) bool { return x.First.Before(y.First) })
	var from []string
	var quotes []evidence.Quote
	for _, l := range came {
		if l.First.Sub(came[0].First) > 24*time.Hour {
			break
		}
		if from = append(from, l.Source); len(quotes) < maxFor {
			quotes = append(quotes, l.For...)
		}
	}
	nets := apartNets(from)
	if len(nets) < strangeNetworks || !used.Before(came[0].First.Add(-24*time.Hour)) {
		return false
	}
	text := fmt.Sprintf("With the password of %s mail was handed in from %d addresses of %d networks within a day, from none of which the account had come before; %s.", run.Account, len(from), len(nets), run.Detail)
	id := b.claim(text, evidence.Effect, came[0].First, Likely, append(quotes, run.For...), nil)
	for _, ip := range from {
		b.add(ip, id, false)
	}
	return true
}
