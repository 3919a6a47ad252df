package story

import (
	"fmt"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// longSince is how long behind a way in through the web somebody may work as the web server's account: who has a shell there waits till a password is cracked.
const longSince = 7 * 24 * time.Hour

// byWebHands finds people at work as the account that the web server runs as: it became somebody else by su, which asks for a password. Nobody works as that
// account; programs of sites use sudo. It proves what somebody is suspected of who came through the web before; alone it is odd.
func (b *builder) byWebHands() {
	for _, r := range b.by[detect.BecameRoot] {
		if r.Service != "su" || !webAccount(r.Account) || r.As == "" || r.As == r.Account || r.Explained != "" || len(r.For) == 0 {
			continue
		}
		suspected := b.webSuspectBefore(r.First)
		if !suspected && bySchedule(r) {
			continue
		}
		r.Level = detect.High
		if !suspected {
			continue
		}
		id := b.claim(fmt.Sprintf("%s, as which the web server runs and nobody works, became %s by su %s.", r.Account, r.As, clock(r.First)), evidence.Effect, r.First, Likely, r.For, nil)
		b.told[r] = id
		b.effect = ids(append(b.effect, id)...)
		b.action("became "+r.As+" by su", "T1548", r.First, r.Account, "", id)
		if r.As == "root" {
			b.becameRoot(id)
		}
	}
}

// webSuspectBefore tells whether somebody is suspected of a way in through the web before a time.
func (b *builder) webSuspectBefore(at evidence.Time) bool {
	for _, s := range b.suspects {
		for _, x := range s.spans {
			if d := at.Sub(x.from); s.web && x.from.Known() && d >= 0 && d <= longSince {
				return true
			}
		}
	}
	return false
}

// What a script does again and again: on days apart, and no terminal is there, which su needs where somebody types a password.
const (
	scheduledTimes = 3
	scheduledFor   = 48 * time.Hour
)

// bySchedule tells a change of account that a script makes, as those that bring a site up to date: to root it makes none.
func bySchedule(r *detect.Finding) bool {
	typed := strings.Contains(r.Detail, "pts") || strings.Contains(r.Detail, "tty")
	return r.As != "root" && !typed && r.Count >= scheduledTimes && r.Last.Sub(r.First) >= scheduledFor
}
