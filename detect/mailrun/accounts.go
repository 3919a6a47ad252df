package mailrun

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"telltale/detect"
	"telltale/evidence"
)

// When an account is used otherwise than before: that many networks that it never came from, within a day, and far more than on its other days; with a
// phone, people come from new networks all the time. A jump is against the hours of its own history.
const (
	newNetworks  = 3
	spread       = 5 // what comes by chance varies with the root of its rate
	historyDays  = 5
	minJump      = 50 // recipients in an hour
	timesBusy    = 5  // as many as its busiest hours have, but for one in twenty
	historyHours = 10
	day          = 24 * 3600
)

// network is the first mail from one network.
type network struct {
	name  string
	first evidence.Time
	mails int64
	ips   []string
}

// networks gives where an account's mail came from, in the order in which it first did.
func (s *submitter) networks() []network {
	by := map[string]*network{}
	for ip, p := range s.sources {
		name := cmp.Or(detect.Network(ip), ip)
		n := by[name]
		if n == nil {
			n = &network{name: name, first: p.first}
			by[name] = n
		}
		n.first = evidence.Min(n.first, p.first)
		n.mails += p.mails
		n.ips = append(n.ips, ip)
	}
	out := make([]network, 0, len(by))
	for _, n := range by {
		slices.Sort(n.ips)
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b network) int {
		return cmp.Or(cmp.Compare(a.first.Sec, b.first.Sec), cmp.Compare(a.name, b.name))
	})
	return out
}

// ran tells whether an address handed in mail while the run went on, whose busiest hour had so many: the networks of a person's phone, weeks
// before, have nothing to do with it.
func (s *submitter) ran(ip string, most int64) bool {
	p := s.sources[ip]
	if p == nil {
		return s.kind == "client"
	}
	for h, l := range s.hours {
		if l.mails*2 >= most && p.first.Sec/3600 <= h && p.last.Sec/3600 >= h {
			return true
		}
	}
	return false
}

// arrived finds the day in which most networks were new, and how many were on its usual day; none in the account's first days, when all are new.
func (s *submitter) arrived() (most []network, usual float64) {
	all := s.networks()
	known := 0
	for i := range all {
		if all[i].first.Sec-s.first.Sec < historyDays*day {
			known = i + 1
			continue
		}
		j := i
		for j < len(all) && all[j].first.Sec-all[i].first.Sec < day {
			j++
		}
		if j-i > len(most) {
			most = all[i:j]
		}
	}
	days := max(int64(1), (s.last.Sec-s.first.Sec)/day-historyDays)
	return most, float64(len(all)-known-len(most)) / float64(days)
}

// jumped gives the hour with the most recipients and the 95th percentile of the others; ok if it stands out.
func (s *submitter) jumped() (most, busy int64, ok bool) {
	all := make([]int64, 0, len(s.hours))
	for _, h := range s.hours {
		all = append(all, max(h.recipients, h.mails))
	}
	if len(all) < historyHours {
		return 0, 0, false
	}
	slices.Sort(all)
	most = all[len(all)-1]
	rest := all[:len(all)-1]
	for len(rest) > historyHours && rest[len(rest)-1]*2 > most { // the run itself lasts some hours
		rest = rest[:len(rest)-1]
	}
	busy = rest[len(rest)*95/100]
	return most, busy, most >= minJump && most >= timesBusy*max(busy, 1)
}

// unusual tells an account whose mail came from many new places at once, or to far more recipients than ever.
func (s *submitter) unusual() (detect.Finding, bool) {
	if s.kind != "sasl" {
		return detect.Finding{}, false
	}
	most, usual := s.arrived()
	moved := len(most) >= newNetworks && float64(len(most)) >= usual+spread*math.Sqrt(usual)+newNetworks-1
	hour, busy, jumped := s.jumped()
	if !moved && !jumped {
		return detect.Finding{}, false
	}
	r := detect.Finding{Detection: "D29", What: detect.MailAccount, Level: detect.Low, Rung: evidence.Accepted, Service: "smtp", Account: s.account, First: s.first, Last: s.last, Count: s.mails, Attack: []string{"T1078"}, For: s.quotes}
	if moved {
		r.First = most[0].first
		var mails int64
		for _, n := range most {
			r.Sources = append(r.Sources, n.ips...)
			mails += n.mails
		}
		r.Count = mails
		r.Title = fmt.Sprintf("%s handed in mail from %d networks within a day that it had never come from", s.account, len(most))
		r.Detail = fmt.Sprintf("%s from there; on other days %.1f networks were new", detect.Plural(mails, "mail", "mails"), usual)
	}
	if jumped {
		words := fmt.Sprintf("%d recipients in one hour; of its other hours, nineteen in twenty have %d at most", hour, busy)
		if moved {
			r.Level = detect.Medium
			r.Detail += "; " + words
		} else {
			r.Title, r.Detail = s.account+" wrote to far more people in an hour than ever", words
		}
	}
	return r, true
}
