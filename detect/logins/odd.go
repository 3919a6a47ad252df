package logins

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Logins that are unlike an account's others. People move, work at night and are in two places by their phones: so nothing of it is more than a hint, and
// it is told only where the network is new to the account and the account has a history to be unlike of.
const (
	minHistory  = 10 // sessions before
	oddHours    = 3  // hours between a session and any other of the account, by the clock
	hourHistory = 30 // sessions, for an hour to be odd
	atOnce      = 15 * time.Minute
	realSession = time.Minute
	checkOnly   = 2 * time.Second
	maxOdd      = 100
	mostTwice   = 2 // times in two networks at once; who is there more often is so all the time
)

// past is what is known of an account up to a moment.
type past struct {
	sessions int
	hours    [24]int
	networks map[string]bool
	newest   map[string]*session // by network
	twice    int                 // how often it was in two networks at once
}

// odd gives the hints. The sessions of each account are looked at in their order.
func (f *fold) odd(all []*login) (out []detect.Finding) {
	by := map[string][]*session{}
	var accounts []string
	for _, l := range all {
		if l.service != "sshd" && l.service != "dropbear" || l.source == "" {
			continue
		}
		if by[l.user] == nil {
			accounts = append(accounts, l.user)
		}
		by[l.user] = append(by[l.user], l.sessions...)
	}
	for _, user := range accounts {
		list := by[user]
		slices.SortStableFunc(list, func(a, b *session) int {
			return a.start.Compare(b.start)
		})
		p := past{networks: map[string]bool{}, newest: map[string]*session{}}
		for _, s := range list {
			if r, ok := p.compare(s); ok && len(out) < maxOdd {
				out = append(out, r)
			}
			p.add(s)
		}
	}
	return out
}

func networkOf(ip string) string { return cmp.Or(detect.Network(ip), ip) }

func (p *past) add(s *session) {
	p.sessions++
	p.hours[hourOf(s.start)]++
	if n := networkOf(s.login.source); len(p.networks) < maxFrom {
		p.networks[n] = true
		p.newest[n] = s
	}
}

// compare tells in what a session is unlike those before.
func (p *past) compare(s *session) (detect.Finding, bool) {
	l := s.login
	net := networkOf(l.source)
	if p.sessions < minHistory || p.networks[net] {
		return detect.Finding{}, false
	}
	r := detect.Finding{Detection: "D18", What: detect.OddLogin, Level: detect.Low, Rung: evidence.Accepted, Service: l.service, Account: l.user, Source: l.source, Method: l.method, First: s.start, Last: evidence.Max(s.start, s.end), Count: 1, Attack: []string{"T1078"}, For: l.quotes}
	history := fmt.Sprintf("; it had %d sessions from %s before", p.sessions, detect.Plural(int64(len(p.networks)), "network", "networks"))
	inside := !detect.Outside(l.source)
	switch other := p.elsewhere(s); {
	case other != nil:
		r.Sources = []string{l.source, other.login.source}
		r.Title = fmt.Sprintf("%s was logged in from two networks at once: %s, which was new, and %s", l.user, l.source, other.login.source)
		r.For = append(slices.Clone(l.quotes), other.login.quotes...)
	case s.checked() && !inside:
		r.Detection = "D20"
		r.Title = fmt.Sprintf("somebody looked from %s whether the password of %s is right, and did nothing with it", l.source, l.user)
	case inside && len(p.networks) <= 3:
		r.Detection, r.Attack = "D34", []string{"T1021.004"}
		r.Title = fmt.Sprintf("%s came from %s, a machine of the own networks that it had never come from", l.user, l.source)
	case p.oddHour(s):
		r.Title = fmt.Sprintf("%s logged in from the new address %s at an hour at which it never does", l.user, l.source)
	default:
		return r, false
	}
	r.Detail = "from a network that the account had not come from" + history
	return r, true
}

// elsewhere gives a session of the account from another network that began about when this one did, if both were more than an automaton's and the
// account does not do so all the time.
func (p *past) elsewhere(s *session) *session {
	if p.twice > mostTwice || !s.lasted() || !detect.Outside(s.login.source) {
		return nil
	}
	var best *session
	for _, o := range p.newest {
		if d := s.start.Sub(o.start); d >= 0 && d <= atOnce && o.lasted() && detect.Outside(o.login.source) && (!o.end.Known() || s.start.Before(o.end)) {
			if best == nil || best.start.Before(o.start) || best.start == o.start && o.login.source < best.login.source {
				best = o
			}
		}
	}
	if best != nil {
		if p.twice++; p.twice > mostTwice {
			return nil
		}
	}
	return best
}

func (s *session) lasted() bool { return !s.end.Known() || s.end.Sub(s.start) >= realSession }

// checked tells a session in which nothing can have been done: only whether the password is right was seen.
func (s *session) checked() bool {
	return s.end.Known() && s.end.Sub(s.start) <= checkOnly && s.login.method != "publickey" && len(s.login.sessions) <= 3
}

// hourOf gives the hour of the day, of times before 1970 too.
func hourOf(t evidence.Time) int { return int((t.Sec%86400+86400)%86400) / 3600 }

// oddHour tells whether no session of the account lies near the hour of this one.
func (p *past) oddHour(s *session) bool {
	if p.sessions < hourHistory {
		return false
	}
	at := hourOf(s.start)
	for d := -oddHours; d <= oddHours; d++ {
		if p.hours[(at+d+24)%24] > 0 {
			return false
		}
	}
	return true
}
