// Package packets folds what firewalls log: who tries many ports or machines, and, what matters more, whether this server itself, or a machine behind
// it, reaches out to far more others than a server does.
package packets

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "packets", Title: "Scans that the firewall saw, in and out", IDs: []string{"D01", "D72"},
		Doc:    "counts ports and machines by sender and hour: scans from outside, and scans or mail from this server itself",
		Attack: []string{"T1595.001", "T1046", "T1498"},
		Wants:  []event.Kind{event.FirewallPacket},
		New:    func(s detect.Scene) detect.Fold { return &fold{scene: s, by: map[actor]*spread{}} },
	}
}

// The bounds, and from where on a sender is a scanner: in one hour.
const (
	maxActors = 100_000
	maxSpread = 4096 // ports or machines that are told apart in an hour

	portsIn    = 15  // of this server's, by one sender
	machines   = 40  // that this server reaches out to on one port
	webServers = 400 // the same on the ports that updates, mirrors and crawlers use
)

// actor is a sender: from outside by address, from inside also by the port that it reaches for and the account that it runs as.
type actor struct {
	address, port, uid string
	outward            bool
}

// spread is how many ports (inward) or machines (outward) a sender went for.
type spread struct {
	hour        int64
	now         map[string]struct{}
	most        int // in one hour
	count       int64
	first, last evidence.Time
	quotes      []evidence.Quote
	few         []string // the first ones
}

type fold struct {
	scene detect.Scene
	by    map[actor]*spread
}

func (f *fold) Observe(e *event.Event) {
	direction := string(e.Get(event.NetworkDirection))
	a := actor{address: e.Text(event.SourceIP), outward: direction != "inbound"}
	what := e.Get(event.DestinationPort)
	if a.outward {
		a.port, a.uid = e.Text(event.DestinationPort), e.Text(event.UserID)
		what = e.Get(event.DestinationIP)
		if a.port == "" {
			return
		}
	}
	if len(what) == 0 {
		return
	}
	s := f.by[a]
	if s == nil {
		if len(f.by) >= maxActors {
			return
		}
		s = &spread{now: map[string]struct{}{}}
		f.by[a] = s
	}
	s.count++
	s.first, s.last = evidence.Min(s.first, e.At), evidence.Max(s.last, e.At)
	if h := e.At.Sec / 3600; h != s.hour {
		s.hour = h
		clear(s.now)
	}
	if _, ok := s.now[string(what)]; !ok && len(s.now) < maxSpread {
		s.now[string(what)] = struct{}{}
		if s.most = max(s.most, len(s.now)); len(s.few) < 5 && !slices.Contains(s.few, string(what)) {
			s.few = append(s.few, string(what))
		}
		if len(s.quotes) < 5 {
			s.quotes = append(s.quotes, e.Quote())
		}
	}
}

// Findings gives the scanners, those of this server's side first.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		all := make([]actor, 0, len(f.by))
		for a := range f.by {
			all = append(all, a)
		}
		sort.Slice(all, func(i, j int) bool {
			x, y := all[i], all[j]
			if x.outward != y.outward {
				return x.outward
			}
			if m, n := f.by[x].most, f.by[y].most; m != n {
				return m > n
			}
			return x.address+x.port+x.uid < y.address+y.port+y.uid
		})
		inward := 0
		for _, a := range all {
			s := f.by[a]
			if a.outward {
				if s.most < least(a.port) {
					continue
				}
				if ctx.Err() != nil || !yield(f.out(a, s)) {
					return
				}
				continue
			}
			if inward++; s.most < portsIn || inward > 200 {
				continue
			}
			r := detect.Finding{Detection: "D01", What: detect.PortScan, Level: detect.Low, Rung: evidence.Attempt, Source: a.address, Sources: []string{a.address}, Count: s.count, First: s.first, Last: s.last, For: s.quotes,
				Attack: []string{"T1595.001"}, Title: fmt.Sprintf("%s tried %d ports of this server within an hour", a.address, s.most)}
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}

func least(port string) int {
	switch port {
	case "80", "443", "53", "123":
		return webServers
	}
	return machines
}

// out words a scan by this server, or by a machine behind it. Mail to many servers is what a mail server does; by an account that is none's, it is not.
func (f *fold) out(a actor, s *spread) detect.Finding {
	r := detect.Finding{Detection: "D72", What: detect.Scanner, Level: detect.High, Rung: evidence.Effect, Source: a.address, Count: s.count, First: s.first, Last: s.last, For: s.quotes, Attack: []string{"T1046"},
		Mechanism: "scan", Account: f.scene.UserByUID(a.uid), Detail: fmt.Sprintf("up to %d machines in an hour on port %s, the first %s", s.most, a.port, strings.Join(s.few, ", "))}
	if r.Account == "" && a.uid != "" {
		r.Account = "uid " + a.uid
	}
	who := a.address
	if r.Account != "" {
		who = r.Account + " at " + a.address
	}
	switch a.port {
	case "25", "465", "587":
		r.Mechanism, r.Attack = "spam", []string{"T1534"}
		if mailer(r.Account) {
			r.Level = detect.Info
		} else if r.Account == "" {
			r.Level = detect.Medium
		}
	case "80", "443", "53", "123":
		r.Level = detect.Medium
	}
	r.Title = fmt.Sprintf("%s reached out to %d machines on port %s within an hour", who, s.most, a.port)
	return r
}

// mailer tells the accounts that mail servers run as.
func mailer(account string) bool {
	switch account {
	case "postfix", "Debian-exim", "exim", "mail", "mailnull", "smmsp", "smmta", "qmailr", "courier", "root":
		return true
	}
	return false
}
