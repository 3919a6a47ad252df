package mailrun

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// A few mails to many people each are no run by their number. That many recipients within that time, so many to a mail, are more than people write to by hand.
const (
	wideRecipients = 100
	wideEach       = 10
	wideWithin     = time.Hour
)

// wide tells of each address that handed in a few mails to very many with an account's password, and nothing else. Those who write circulars do so, too: by itself it is
// no more than a remark.
func (s *submitter) wide() (out []detect.Finding) {
	if s.kind != "sasl" {
		return nil
	}
	for ip, p := range s.sources {
		if p.recipients < wideRecipients || p.recipients < wideEach*p.mails || p.last.Sub(p.first) > wideWithin {
			continue
		}
		out = append(out, detect.Finding{Detection: "D73", What: detect.MailRun, Level: detect.Info, Rung: evidence.Effect, First: p.first, Last: p.last, Count: p.mails, Told: p.recipients, Account: s.account, Service: "mail",
			Mechanism: "sasl", Source: ip, Sources: []string{ip}, Attack: []string{"T1534"}, For: p.quotes,
			Title:  fmt.Sprintf("%s to %s were handed in as %s from %s", detect.Plural(p.mails, "mail", "mails"), detect.Plural(p.recipients, "recipient", "recipients"), s.account, ip),
			Detail: fmt.Sprintf("%s to %s within an hour", detect.Plural(p.mails, "mail", "mails"), detect.Plural(p.recipients, "recipient", "recipients"))})
	}
	slices.SortFunc(out, func(a, b detect.Finding) int {
		return cmp.Or(a.First.Compare(b.First), slices.Compare(a.Sources, b.Sources))
	})
	return out
}
