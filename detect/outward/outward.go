// Package outward looks at what this host calls: chat servers that bots take their orders from, ports of mining pools, and one destination at a regular
// beat. Clocks, updates, monitoring and databases elsewhere beat too, on ports of their own; so a beat counts little, unless an account of a daemon
// that has nothing to say outside makes it.
package outward

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "outward", Title: "Calls to controllers and pools", IDs: []string{"D69", "D71"},
		Doc:    "measures the beat of packets to one destination, and knows the ports of chat servers and mining pools",
		Attack: []string{"T1071", "T1496"},
		Wants:  []event.Kind{event.FirewallPacket},
		New:    func(s detect.Scene) detect.Fold { return &fold{scene: s, flows: map[uint64]*flow{}} },
	}
}

// Bounds of what is kept.
const (
	maxFlows = 100_000
	maxTold  = 100
	gapsKept = 64
	maxQuote = 3
)

// flow is all packets of one sender and account to one port of one machine.
type flow struct {
	source, destination, uid, word string
	port                           int64
	count                          int64
	first, last                    evidence.Time
	gaps                           []int32 // seconds, the newest gapsKept; from the eighth packet on
	next                           int
	quotes                         []evidence.Quote
}

type fold struct {
	scene       detect.Scene
	flows       map[uint64]*flow
	first, last evidence.Time // of all that went out
}

// hash joins what makes a flow, so that none of it is copied for a look-up.
func hash(parts ...[]byte) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for _, c := range p {
			h = (h ^ uint64(c)) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}

func (f *fold) Observe(e *event.Event) {
	if d := e.Get(event.NetworkDirection); len(d) == 0 || d[0] == 'i' { // inbound
		return
	}
	f.first, f.last = evidence.Min(f.first, e.At), evidence.Max(f.last, e.At)
	port, _ := e.Int(event.DestinationPort)
	from, ok := e.Int(event.SourcePort)
	if kindOf(port) == usual || ok && from < 1024 && port >= 1024 { // an answer to somebody who came
		return
	}
	source, destination, uid := e.Get(event.SourceIP), e.Get(event.DestinationIP), e.Get(event.UserID)
	k := hash(source, destination, e.Get(event.DestinationPort), uid)
	x := f.flows[k]
	if x == nil {
		if len(f.flows) >= maxFlows || !detect.Outside(string(destination)) {
			return
		}
		x = &flow{source: string(source), destination: string(destination), uid: string(uid), port: port, word: e.Text(event.Change), first: e.At, last: e.At}
		f.flows[k] = x
	}
	x.seen(e)
}

// seen counts a packet. Those within two seconds are one call: a firewall logs each packet of it, and two logs tell of each.
func (x *flow) seen(e *event.Event) {
	gap := e.At.Sec - x.last.Sec
	if x.count > 0 && gap < 2 {
		return
	}
	x.count++
	x.last = evidence.Max(x.last, e.At)
	if len(x.quotes) < maxQuote {
		x.quotes = append(x.quotes, e.Quote())
	}
	if x.count < 8 || gap > 1<<30 {
		return
	}
	if len(x.gaps) < gapsKept {
		x.gaps = append(x.gaps, int32(gap))
		return
	}
	x.gaps[x.next] = int32(gap)
	x.next = (x.next + 1) % gapsKept
}

// What makes a beat: that many calls over that long, of which half differ from the middle gap by a twentieth at most.
const (
	minCalls  = 24
	minLong   = 4 * time.Hour
	shortest  = 20   // seconds
	longest   = 7200 // seconds
	tolerance = 20   // a part of the gap
	days      = 48 * time.Hour
)

// beat gives the middle gap in seconds, 0 where there is no beat.
func (x *flow) beat() int32 {
	if x.count < minCalls || x.last.Sub(x.first) < minLong || len(x.gaps) < minCalls/2 {
		return 0
	}
	gaps := slices.Clone(x.gaps)
	slices.Sort(gaps)
	middle := gaps[len(gaps)/2]
	if middle < shortest || middle > longest {
		return 0
	}
	near := 0
	for _, g := range gaps {
		if d := g - middle; d <= middle/tolerance+1 && -d <= middle/tolerance+1 {
			near++
		}
	}
	if near*4 < len(gaps)*3 {
		return 0
	}
	return middle
}

// Findings gives the calls, the gravest first.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		var out []detect.Finding
		for _, x := range f.flows {
			if r, ok := f.judge(x); ok {
				out = append(out, r)
			}
		}
		slices.SortFunc(out, func(a, b detect.Finding) int {
			return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Title, b.Title))
		})
		for _, r := range out[:min(len(out), maxTold)] {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}

// judge weighs one flow by its port, its beat, and the account that it runs as.
func (f *fold) judge(x *flow) (detect.Finding, bool) {
	account, daemon := f.account(x.uid)
	r := detect.Finding{Detection: "D69", What: detect.Beacon, Rung: evidence.Effect, Source: x.source, Sources: []string{x.destination}, Account: account, First: x.first, Last: x.last, Count: x.count, Attack: []string{"T1071"}, For: x.quotes}
	kind, beat := kindOf(x.port), x.beat()
	always := f.last.Sub(f.first) > days && x.first.Sub(f.first) < days/2 // as long as the log reaches back: the server's own habit
	switch {
	case kind == chat && daemon:
		r.Level = detect.High
	case kind == chat && x.count >= 3:
		r.Level = detect.Low
	case kind == pool && (daemon || beat > 0):
		r.Level = detect.Medium
	case kind == pool && x.count >= 3:
		r.Level = detect.Low
	case beat > 0 && daemon && always:
		r.Level = detect.Low
	case beat > 0 && always:
		return r, false
	case beat > 0 && daemon:
		r.Level = detect.Medium
	case beat > 0:
		r.Level = detect.Low
	default:
		return r, false
	}
	what := "a port of its own"
	switch kind {
	case chat:
		what = "the port of chat servers, which bots are led by"
		r.Attack = []string{"T1071.003"}
	case pool:
		what, r.Detection, r.Mechanism = "a port that mining pools use, as others may", "D71", "miner"
		r.Attack = []string{"T1496"}
	}
	who := cmp.Or(account, x.source)
	r.Title = fmt.Sprintf("%s called %s, port %d, %s", who, x.destination, x.port, detect.Plural(x.count, "time", "times"))
	r.Detail = what
	if beat > 0 {
		r.Detail += fmt.Sprintf("; every %s", time.Duration(beat)*time.Second)
	}
	if x.word != "" {
		r.Detail += fmt.Sprintf("; the firewall's word is %q", x.word)
	}
	return r, true
}

// account gives the name of who sent, and whether it is a daemon's.
func (f *fold) account(uid string) (name string, daemon bool) {
	if uid == "" {
		return "", false
	}
	name = f.scene.UserByUID(uid)
	if name == "" {
		return "uid " + uid, false
	}
	u, _ := f.scene.User(name)
	return name, u.UID > 0 && u.UID < 1000 || name == "nobody"
}
