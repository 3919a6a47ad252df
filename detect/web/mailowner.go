package web

import (
	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// reached is one delivery: when, and a hash of to whom.
type reached struct {
	at evidence.Time
	to uint32
}

// What a form writes to the site's owner comes to few addresses, however many visitors fill it in. A form that sends mail for anybody sends it to many.
const (
	ownersOfForm = 2
	maxReached   = 20_000 // deliveries; beyond them nothing is said of whom a form writes to
)

// delivered keeps to whom a mail went.
func (f *fold) delivered(e *event.Event) {
	if to := e.Get(event.MailTo); len(to) > 0 && e.At.Known() && len(f.reached) <= maxReached {
		f.reached = append(f.reached, reached{e.At, detect.Hash(to)})
	}
}

// toOwner tells whether all mail of the time in which a client used a form went to a few addresses, and as much of it as the form sent: then whoever fills it in
// chooses no recipient.
func (f *fold) toOwner(x *sender, mails int) bool {
	if len(f.reached) > maxReached {
		return false
	}
	from, to := x.times[0], x.times[len(x.times)-1].Add(perMail)
	var whom []uint32
	n := 0
	for _, r := range f.reached {
		if r.at.Before(from) || r.at.After(to) {
			continue
		}
		n++
		seen := false
		for _, w := range whom {
			seen = seen || w == r.to
		}
		if !seen {
			if whom = append(whom, r.to); len(whom) > ownersOfForm {
				return false
			}
		}
	}
	return n >= mails
}
